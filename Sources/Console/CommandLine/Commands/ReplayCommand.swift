import ArgumentParser
import Control

/// What the decisions of the last days would be under a draft; worst first.
struct ReplayCommand: ControlCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "Judge the mail of the last days again, under a draft of rules or settings.")

    @OptionGroup var global: GlobalOptions
    @OptionGroup var reading: ReadingOptions
    @Option(help: ArgumentHelp("Try this effect.dat; - is standard input.", valueName: "file"))
    var effect: String?
    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "Try this value of a setting; several values are separated by commas.", valueName: "key=value"))
    var set: [String] = []
    @Option(help: "How far back.")
    var days = 7
    @Option(name: [.customShort("n"), .long], help: "Changes to show.")
    var limit = 50

    func validate() throws {
        if effect == nil, set.isEmpty { throw ValidationError("Give --effect, --set or both.") }
        if set.contains(where: { !$0.contains("=") }) { throw ValidationError("--set takes KEY=VALUE.") }
        if !(1...365).contains(days) { throw ValidationError("--days takes 1 to 365.") }
    }

    func execute(_ session: Session) throws {
        let settings = set.map { text -> SettingChange in
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let values = parts[1].split(separator: ",").map(String.init)
            return SettingChange(key: parts[0], values: values)
        }
        var last = PolicyInterface.Replay.Output()
        try session.caller().stream(
            PolicyInterface.Replay.self,
            .init(days: days, effect: try effect.map { try session.contents(of: $0) }, settings: settings, limit: limit)
        ) { output in
            last = output
            return !output.isDone
        }
        if reading.json { return session.show(json: last) }
        session.say(
            session.word(
                .replaySummary, String(last.changed), String(last.examined), String(days), String(last.newlyRelayed),
                String(last.newlyRefused), String(last.newlyAccepted), String(last.otherReply)))
        var table = TextTable([
            .init(""), .init("", .right), .init(session.word(.client)), .init(session.word(.from)),
            .init(session.word(.to)), .init(session.word(.reply)), .init(session.word(.source)),
        ])
        for change in last.changes {
            let client = change.authenticatedID.map { "\(change.client) (\($0))" } ?? change.client
            table.add(
                session.word(word(change.kind)), String(change.count), client,
                change.sender.isEmpty ? "<>" : change.sender, change.recipient, change.after, change.source)
        }
        session.show(table)
    }

    private func word(_ kind: String) -> Word {
        switch kind {
        case "newly-relayed": .newlyRelayed
        case "newly-refused": .newlyRefused
        case "newly-accepted": .newlyAccepted
        default: .otherReply
        }
    }
}
