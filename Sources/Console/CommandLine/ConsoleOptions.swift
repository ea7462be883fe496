import ArgumentParser

/// Options of the full-screen console; they mean nothing to commands.
package struct ConsoleOptions: ParsableArguments {
    @Flag(help: "Full screen: no hue and no grey, as with NO_COLOR.")
    package var mono = false

    @Option(help: ArgumentHelp("Full screen: colours; colour, mono or high-contrast.", valueName: "name"))
    package var theme: ThemeChoice?

    @Flag(help: "Full screen: look only; nothing can be changed or applied.")
    package var readOnly = false

    @Flag(help: "Full screen: Ctrl-Z does nothing (for login shells).")
    package var noSuspend = false

    @Flag(help: "Full screen: spare a slow line; what nobody typed for waits and merges.")
    package var slow = false

    @Flag(help: "A dialogue line by line in place of the full screen, for screen readers and simple terminals.")
    package var plain = false

    package init() {}
}

package enum ThemeChoice: String, ExpressibleByArgument, CaseIterable, Sendable {
    case colour, mono
    case highContrast = "high-contrast"
}
