import Journal
import MailModel
import Settings

extension JournalSettings {
    /// The log settings of spec file 12.
    package init(_ settings: SettingsSnapshot) {
        let switches: [(LogEvent.Kind, Setting<Bool>)] = [
            (.receive, LogSettings.receive), (.send, LogSettings.send), (.accept, LogSettings.accept),
            (.sender, LogSettings.sender), (.fail, LogSettings.fail),
        ]
        self.init(
            textLogs: Set(switches.filter { settings[$0.1] }.map(\.0)), keepDays: settings[LogSettings.keepDays],
            warnsOnWriteFailure: settings[LogSettings.warnOnWriteFailure])
    }
}
