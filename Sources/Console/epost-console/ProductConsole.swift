import CommandLine
import ConsoleCore
import Glibc
import Locale

/// The full-screen console of the product: catalogues, pages and options joined.
enum ProductConsole {
    /// - Returns: the exit status.
    static func run(_ global: GlobalOptions, _ screen: ConsoleOptions) -> Int32 {
        let language = global.language?.language ?? Locale.Language(environment: environment)
        let catalogues = localizers()
        guard !catalogues.isEmpty else {
            complain(
                "epost-console: the message catalogues (en.po, ja.po) are not installed; EPOST_LOCALE names their folder."
            )
            return 1
        }
        let chosen: ConsoleCore.Language = language == .japanese ? .japanese : .english
        let options = FullScreen.Options(
            socketPath: global.socketPath, isJapanese: chosen == .japanese, isMono: screen.mono, isSlow: screen.slow,
            maySuspend: !screen.noSuspend, theme: screen.theme?.rawValue)
        func app(_ size: Size, _ metrics: TextMetrics, _ theme: Theme) -> App {
            var model = Model()
            model.origin = environment("SSH_CONNECTION")?.split(separator: " ").first.map(String.init)
            return App(
                content: ConsoleContent.content, catalogues: catalogues, language: chosen, size: size, metrics: metrics,
                theme: theme, isReadOnly: screen.readOnly, model: model)
        }
        // ncurses cannot work on a dumb terminal.
        if screen.plain || environment("TERM") == "dumb" {
            return PlainLoop(app: app(PlainLoop.size, TextMetrics(), .mono), path: global.socketPath).run()
        }
        return FullScreen.run(options, make: app)
    }

    private static func localizers() -> [ConsoleCore.Language: any Localizer] {
        var localizers: [ConsoleCore.Language: any Localizer] = [:]
        if let texts = CatalogueFiles.load(.english) { localizers[.english] = CatalogueLocalizer(texts) }
        if let texts = CatalogueFiles.load(.japanese) { localizers[.japanese] = CatalogueLocalizer(texts) }
        return localizers
    }

    private static func complain(_ text: String) {
        let octets = Array((text + "\n").utf8)
        _ = write(STDERR_FILENO, octets, octets.count)
    }
}
