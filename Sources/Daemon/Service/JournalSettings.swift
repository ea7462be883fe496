import Journal
import MailModel
import Settings

extension JournalSettings {
    /// The log settings of spec file 12.
    package init(_ settings: SettingsSnapshot) {
        // What was sent to mailboxes has a folder of its own, and no switch (field notes A14).
        let switches: [(LogEvent.Kind, Setting<Bool>)] = [
            (.receive, LogSettings.receive), (.send, LogSettings.send), (.local, LogSettings.send),
            (.accept, LogSettings.accept),
            (.sender, LogSettings.sender), (.fail, LogSettings.fail),
        ]
        self.init(
            textLogs: Set(switches.filter { settings[$0.1] }.map(\.0)), keepDays: settings[LogSettings.keepDays],
            warnsOnWriteFailure: settings[LogSettings.warnOnWriteFailure])
    }
}
