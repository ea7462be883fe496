import ArgumentParser
import Control
import Settings

struct SettingCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "setting", abstract: "Show and change settings.",
        subcommands: [List.self, Get.self, Set.self, Reset.self])

    struct List: ControlCommand {
        static let configuration = CommandConfiguration(abstract: "List settings with their values.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var reading: ReadingOptions
        @Argument(help: "Only keys that begin so, such as receiver.")
        var prefix: String?
        @Flag(help: "Only settings that differ from their default.")
        var changed = false
        @Flag(help: "Print the reference of all settings as a Markdown table; needs no daemon.")
        var markdown = false

        func execute(_ session: Session) throws {
            if markdown { return session.console.write(SettingReference.markdown(session, prefix: prefix)) }
            var found = try session.call(SettingsInterface.List.self, .init(prefix: prefix))
            if changed { found.settings.removeAll(where: \.isDefault) }
            if reading.json { return session.show(json: found) }
            var table = TextTable([.init(session.word(.setting)), .init(""), .init(session.word(.value))])
            for entry in found.settings {
                table.add(entry.key, entry.isDefault ? "" : "*", session.side(entry.values))
            }
            session.show(table)
        }
    }

    struct Get: ControlCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the value of a setting, a list one element a line.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var reading: ReadingOptions
        @Argument var key: String

        func execute(_ session: Session) throws {
            let found = try session.call(SettingsInterface.List.self, .init(prefix: key))
            guard let entry = found.settings.first(where: { $0.key == key }) else {
                throw CommandFailure.failed(session.unknownSetting(key))
            }
            if reading.json { return session.show(json: entry) }
            entry.values.forEach(session.say)
        }
    }

    struct Set: ControlCommand {
        static let configuration = CommandConfiguration(
            abstract: "Change a setting. Several values make a list, an empty one clears it.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var noting: NoteOptions
        @Flag(help: "Only check and show what would change.")
        var dryRun = false
        @Flag(help: "Take the value of a secret from the first line of standard input.")
        var passwordStdin = false
        @Argument var key: String
        @Argument var values: [String] = []

        func execute(_ session: Session) throws {
            var values = values
            if passwordStdin {
                guard values.isEmpty else { throw CommandFailure.usage(session.word(.valueTwice)) }
                values = [try session.password(confirmedBy: true)]
            } else if SettingsCatalogue.definition(of: key)?.isSecret == true {
                throw CommandFailure.usage(session.word(.secretByInput, key))
            } else if values.isEmpty {
                throw CommandFailure.usage(session.word(.valueMissing, key))
            }
            if values == [""] { values = [] }
            try session.apply([SettingChange(key: key, values: values)], note: noting.note, dryRun: dryRun)
        }
    }

    struct Reset: ControlCommand {
        static let configuration = CommandConfiguration(abstract: "Set settings back to their defaults.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var noting: NoteOptions
        @Flag(help: "Only check and show what would change.")
        var dryRun = false
        @Argument var keys: [String]

        func execute(_ session: Session) throws {
            try session.apply(keys.map { SettingChange(key: $0, values: nil) }, note: noting.note, dryRun: dryRun)
        }
    }
}

extension Session {
    fileprivate func apply(_ changes: [SettingChange], note: String, dryRun: Bool) throws(ControlError) {
        let applied = try call(SettingsInterface.Apply.self, .init(changes: changes, note: note, dryRun: dryRun))
        show(applied, isDryRun: dryRun)
    }

    fileprivate func unknownSetting(_ key: String) -> String {
        let problem = SettingsCatalogue.unknown(key)
        return text(code: problem.code, message: problem.message, arguments: problem.arguments)
    }
}
