import ArgumentParser
import Control

struct QueueCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queue", abstract: "Show what waits, and act on it.",
        subcommands: [
            List.self, Show.self, Retry.self, Hold.self, Release.self, Remove.self, Bounce.self,
            Destinations.self,
        ])

    struct List: ControlCommand {
        static let configuration = CommandConfiguration(abstract: "List waiting messages.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var reading: ReadingOptions
        @Option(help: "Part of sender, recipient or queue id; from:TEXT and to:TEXT narrow it.")
        var filter: String?
        @Option(help: "queued, deferred or held.")
        var state: String?
        @Option(help: "id, age, size, from, to, tries or next.")
        var sort: String?
        @Flag(help: "Largest first.")
        var descending = false
        @Option(name: [.customShort("n"), .long], help: "Rows at most.")
        var limit = 1000

        func execute(_ session: Session) throws {
            var all = QueueInterface.List.Output(rows: [], total: 0, offset: 0)
            repeat {
                let window = try session.call(
                    QueueInterface.List.self,
                    .init(
                        filter: filter, state: state, sort: sort, descending: descending ? true : nil,
                        offset: all.rows.count, limit: min(1000, max(1, limit - all.rows.count))))
                all.rows += window.rows
                all.total = window.total
                if window.rows.isEmpty { break }
            } while all.rows.count < min(all.total, limit)
            if reading.json { return session.show(json: all) }
            let calendar = try session.calendar()
            var table = TextTable([
                .init("ID"), .init(session.word(.received)), .init(session.word(.size), .right),
                .init(session.word(.from)), .init(session.word(.to)), .init(session.word(.state)),
                .init(session.word(.tries), .right), .init(session.word(.next)), .init(session.word(.reply)),
            ])
            for row in all.rows {
                let more = row.recipients > 1 ? " +\(row.recipients - 1)" : ""
                table.add(
                    row.id, calendar.text(row.received), Octets.text(row.size),
                    row.sender.isEmpty ? "<>" : row.sender, row.recipient + more, session.word(queueState: row.state),
                    String(row.tries), row.next == 0 ? "" : calendar.text(row.next), row.reply)
            }
            session.show(table)
            session.note(session.word(.rowsOfTotal, String(all.rows.count), String(all.total)))
        }
    }

    struct Show: ControlCommand {
        static let configuration = CommandConfiguration(abstract: "Show a message: envelope, recipients, header.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var reading: ReadingOptions
        @Option(help: ArgumentHelp("Show so many bytes of the source too.", valueName: "bytes"))
        var source: Octets?
        @Argument var id: String

        func execute(_ session: Session) throws {
            let found = try session.call(QueueInterface.Show.self, .init(id: id, source: source?.count ?? 0))
            if reading.json { return session.show(json: found) }
            let calendar = try session.calendar()
            var facts = [
                ("ID", found.row.id), (session.word(.received), calendar.text(found.row.received)),
                (session.word(.size), Octets.text(found.row.size)),
                (session.word(.from), found.row.sender.isEmpty ? "<>" : found.row.sender),
                (session.word(.client), "\(found.client) (\(found.hello))"),
                (session.word(.authenticated), found.authenticatedID), (session.word(.subject), found.subject),
                ("Message-ID", found.messageID),
            ]
            if let parent = found.parent { facts.append((session.word(.parent), parent)) }
            session.show(TextTable(pairs: facts))
            var table = TextTable([
                .init(session.word(.to)), .init(session.word(.state)), .init(session.word(.tries), .right),
                .init(session.word(.next)), .init(session.word(.route)), .init(session.word(.reply)),
            ])
            for recipient in found.recipients {
                table.add(
                    recipient.address, session.word(queueState: recipient.state), String(recipient.tries),
                    recipient.next == 0 ? "" : calendar.text(recipient.next), recipient.route, recipient.reply)
            }
            session.say("")
            session.show(table)
            session.say("")
            (found.source.isEmpty ? found.header : found.source).forEach(session.say)
        }
    }

    struct Selection: ParsableArguments {
        @Flag(help: "All messages in the queue.")
        var all = false
        @Argument(help: "Queue ids.") var ids: [String] = []
        func validate() throws {
            if all == !ids.isEmpty { throw ValidationError("Give queue ids, or --all.") }
        }
    }

    struct Retry: ControlCommand {
        static let configuration = CommandConfiguration(abstract: "Try waiting recipients now.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var selection: Selection
        func execute(_ session: Session) throws { try session.act(.retry, selection) }
    }
    struct Hold: ControlCommand {
        static let configuration = CommandConfiguration(abstract: "Keep messages until they are released.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var selection: Selection
        func execute(_ session: Session) throws { try session.act(.hold, selection) }
    }
    struct Release: ControlCommand {
        static let configuration = CommandConfiguration(abstract: "Let held messages go on.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var selection: Selection
        func execute(_ session: Session) throws { try session.act(.release, selection) }
    }
    struct Remove: ControlCommand {
        static let configuration = CommandConfiguration(
            abstract: "Delete messages; nobody is told. This cannot be undone.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var selection: Selection
        func execute(_ session: Session) throws { try session.act(.remove, selection) }
    }
    struct Bounce: ControlCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give messages up and report them to their senders. This cannot be undone.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var selection: Selection
        func execute(_ session: Session) throws { try session.act(.bounce, selection) }
    }
}

extension Session {
    fileprivate func act(_ action: QueueInterface.Act.Action, _ selection: QueueCommand.Selection) throws {
        var ids = selection.ids
        if selection.all {
            var window: QueueInterface.List.Output
            repeat {
                window = try call(QueueInterface.List.self, .init(sort: "id", offset: ids.count, limit: 1000))
                ids += window.rows.map(\.id)
            } while !window.rows.isEmpty && ids.count < window.total
        }
        var done = 0
        var failed = false
        var start = 0
        while start < ids.count {
            let part = Array(ids[start..<min(start + 1000, ids.count)])
            start += part.count
            for result in try call(QueueInterface.Act.self, .init(ids: part, action: action)).results {
                if result.done {
                    done += 1
                } else {
                    failed = true
                    complain("\(result.id): \(result.message)")
                }
            }
        }
        say(word(.messagesDone, String(done)))
        if failed { throw CommandFailure.said }
    }

    func word(queueState state: String) -> String {
        switch state {
        case "queued": word(.queueQueued)
        case "active": word(.queueActive)
        case "deferred": word(.queueDeferred)
        case "held": word(.queueHeld)
        default: state
        }
    }
}
