import ArgumentParser
import Control

extension QueueCommand {
    struct Destinations: ControlCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show where mail goes, how it fares there, and why it is not taken.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var reading: ReadingOptions
        @Option(help: "Part of the destination's name.")
        var filter: String?
        @Option(help: "waiting, delivered, deferred, failed, recent or name.")
        var sort: QueueInterface.Destinations.Sort?
        @Option(name: [.customShort("n"), .long], help: "Rows at most.")
        var limit = 200

        func execute(_ session: Session) throws {
            let found = try session.call(
                QueueInterface.Destinations.self,
                .init(filter: filter, sort: sort, limit: min(1000, max(1, limit))))
            if reading.json { return session.show(json: found) }
            let calendar = try session.calendar()
            var table = TextTable([
                .init(session.word(.destination)), .init(session.word(.waiting), .right),
                .init(session.word(.delivered), .right), .init(session.word(.queueDeferred), .right),
                .init(session.word(.stateFailed), .right), .init(session.word(.time)), .init("TLS"),
                .init(session.word(.reply)),
            ])
            for row in found.destinations {
                let latest = max(row.lastSuccess, row.lastFailure)
                table.add(
                    row.name, String(row.waiting + row.active), String(row.delivered), String(row.deferred),
                    String(row.failed), latest == 0 ? "" : calendar.text(latest), row.tls, row.reply)
            }
            session.show(table)
            session.note(session.word(.rowsOfTotal, String(found.destinations.count), String(found.total)))
            guard !found.causes.isEmpty else { return }
            session.say("")
            var causes = TextTable([
                .init(session.word(.reason)), .init(session.word(.lastHour), .right),
                .init(session.word(.total), .right), .init(session.word(.reply)),
            ])
            for cause in found.causes {
                causes.add(
                    session.catalogueText("cause.\(cause.cause)") ?? cause.cause, String(cause.hour),
                    String(cause.total), cause.reply)
            }
            session.show(causes)
        }
    }
}

extension QueueInterface.Destinations.Sort: ExpressibleByArgument {}
