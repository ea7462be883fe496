import ArgumentParser
import Control

struct LogCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log", abstract: "Show and search the log.", subcommands: [Tail.self, Search.self])

    struct Filter: ParsableArguments {
        @Option(help: "Part of any field, letter case ignored.")
        var text: String?
        @Option(
            parsing: .upToNextOption,
            help: "receive, send, accept, sender, fail, local, session, system.")
        var kind: [String] = []
        @Option(help: "This level and worse: debug, info, warning, error.")
        var level: String?
        @Option(help: ArgumentHelp("Queue id.", valueName: "id"))
        var id: String?
        @Option(help: ArgumentHelp("Envelope sender.", valueName: "address"))
        var from: String?
        @Option(help: ArgumentHelp("Envelope recipient.", valueName: "address"))
        var to: String?
        @Option(help: "From then on: 2h, 3d, 10:30, 2026-11-24, \"2026-11-24 10:30\".")
        var since: String?
        @Option(help: "Until then.")
        var until: String?

        func filter(_ session: Session) throws -> LogFilter {
            LogFilter(
                text: text, kinds: kind.isEmpty ? nil : kind, level: level, queueID: id, sender: from, recipient: to,
                since: try since.map { try session.moment($0) }, until: try until.map { try session.moment($0) })
        }
    }

    struct Tail: ControlCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the newest lines, and with --follow each new one as it comes.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var filtering: Filter
        @Flag(help: "Print one JSON document; with --follow one a line.")
        var json = false
        @Option(name: [.customShort("n"), .long], help: "Lines to begin with.")
        var lines = 20
        @Flag(name: .shortAndLong, help: "Go on until interrupted.")
        var follow = false

        func execute(_ session: Session) throws {
            let filter = try filtering.filter(session)
            guard follow else {
                var found = try session.search(filter, limit: lines)
                found.lines.reverse()
                return try session.show(found, json: json)
            }
            let calendar = try session.calendar()
            let input = LogInterface.Tail.Input(filter: filter, backlog: min(1000, max(0, lines)))
            try session.caller().stream(LogInterface.Tail.self, input) { output in
                for line in output.lines {
                    if json { session.console.write(JSONText.line(line)) } else { session.say(line.text(calendar)) }
                }
                return true
            }
        }
    }

    struct Search: ControlCommand {
        static let configuration = CommandConfiguration(abstract: "Search the log; oldest first.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var reading: ReadingOptions
        @OptionGroup var filtering: Filter
        @Option(name: [.customShort("n"), .long], help: "The newest so many lines.")
        var limit = 1000
        @Argument(help: "Part of any field, letter case ignored.") var words: [String] = []

        func execute(_ session: Session) throws {
            var filter = try filtering.filter(session)
            if !words.isEmpty {
                guard filter.text == nil else { throw CommandFailure.usage(session.word(.textTwice)) }
                filter.text = words.joined(separator: " ")
            }
            var found = try session.search(filter, limit: limit)
            found.lines.reverse()
            try session.show(found, json: reading.json)
        }
    }
}

extension Session {
    /// Newest first, as many windows as needed: one may be empty and still not be the last.
    func search(_ filter: LogFilter, limit: Int) throws(ControlError) -> LogInterface.Search.Output {
        var all = LogInterface.Search.Output(lines: [], cursor: nil)
        while all.lines.count < limit {
            let window = try call(
                LogInterface.Search.self,
                .init(filter: filter, limit: min(1000, limit - all.lines.count), cursor: all.cursor))
            all.lines += window.lines
            all.cursor = window.cursor
            if window.cursor == nil { break }
        }
        return all
    }

    fileprivate func show(_ found: LogInterface.Search.Output, json: Bool) throws(ControlError) {
        if json { return show(json: found) }
        let calendar = try calendar()
        for line in found.lines { say(line.text(calendar)) }
    }

    func moment(_ text: String) throws -> Int {
        guard let moment = try calendar().moment(text, now: console.now()) else {
            throw CommandFailure.usage(word(.badMoment, text))
        }
        return moment
    }
}

extension LogLine {
    /// One line for people; empty fields are left out.
    func text(_ calendar: Calendar) -> String {
        var words = [calendar.text(time), service, kind]
        if level != "info" { words.append("[\(level)]") }
        if let queueID { words.append(queueID) }
        if let address {
            words.append(host.map { "\(address) (\($0))" } ?? address)
        } else if let host {
            words.append(host)
        }
        if sender != nil || recipient != nil {
            let from = sender.map { $0.isEmpty ? "<>" : "<\($0)>" }
            let to = recipient.map { "to <\($0)>" }
            words += [from, to].compactMap { $0 }
        }
        if let size { words.append(Octets.text(size)) }
        if let reply { words.append(reply) }
        if let text { words.append(text) }
        if let reference, !(reply ?? "").contains(reference) { words.append("(ref \(reference))") }
        return words.joined(separator: " ")
    }
}
