import ArgumentParser
import Control
import Locale

/// Options of the program itself, which every command takes too.
package struct GlobalOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Talk to the daemon that was started with this root.", valueName: "dir"))
    package var root: String?

    @Option(help: ArgumentHelp("Talk to the daemon behind this control socket.", valueName: "path"))
    package var socket: String?

    @Option(help: ArgumentHelp("Language of screens and messages: ja or en.", valueName: "ja|en"))
    package var language: LanguageChoice?

    @Option(
        help: ArgumentHelp(
            "First line: the operation password of a protected domain (or EPOST_DOMAIN_PASSWORD).", valueName: "file"))
    package var domainPasswordFile: String?

    package init() {}

    package func validate() throws {
        if root != nil, socket != nil { throw ValidationError("Give --root or --socket, not both.") }
    }

    package var socketPath: String { ControlLocation.path(root: root, socket: socket) }

    /// Moves the options of the program in front of the command, so that they may be written anywhere before `--`.
    /// - Parameter arguments: without the program's name.
    static func hoisted(_ arguments: [String]) -> [String] {
        var front: [String] = []
        var rest: [String] = []
        var index = 0
        while index < arguments.count {
            let argument = arguments[index]
            if argument == "--" { break }
            if names.contains(argument), index + 1 < arguments.count {
                front += [argument, arguments[index + 1]]
                index += 2
            } else if names.contains(where: { argument.hasPrefix($0 + "=") }) {
                front.append(argument)
                index += 1
            } else {
                rest.append(argument)
                index += 1
            }
        }
        return front + rest + arguments[index...]
    }

    private static let names: Set<String> = ["--root", "--socket", "--language", "--domain-password-file"]
}

package struct LanguageChoice: ExpressibleByArgument, Sendable {
    package let language: Language
    package init?(argument: String) {
        guard let language = Language(rawValue: argument) else { return nil }
        self.language = language
    }
    package static var allValueStrings: [String] { Language.allCases.map(\.rawValue) }
}

/// Options of commands that read.
struct ReadingOptions: ParsableArguments {
    @Flag(name: .long, help: "Print one JSON document.")
    var json = false
}

/// Options of commands that change the configuration.
struct NoteOptions: ParsableArguments {
    @Option(help: "Why; kept in the history.")
    var note = ""
}
