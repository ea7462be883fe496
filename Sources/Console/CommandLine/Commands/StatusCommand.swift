import ArgumentParser
import Control

struct StatusCommand: ControlCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show services, process ids and counters.")

    @OptionGroup var global: GlobalOptions
    @OptionGroup var reading: ReadingOptions

    func execute(_ session: Session) throws {
        let status = try session.call(ServerInterface.GetStatus.self)
        if reading.json { return session.show(json: status) }
        let calendar = try session.calendar()
        let hashes = status.hashesLeft.map { [(session.word(.passwordHashes), session.word(.hashesLeft, String($0)))] }
        session.show(
            TextTable(
                pairs: [
                    (session.word(.host), status.host),
                    (session.word(.version), status.version),
                    (
                        session.word(.running),
                        session.word(.runningSince, String(status.pid), calendar.text(status.startedAt))
                    ),
                    (session.word(.revision), String(status.revision)),
                    (
                        session.word(.queue),
                        session.word(
                            .queueSummary, String(status.queue.messages), String(status.queue.deferred),
                            String(status.queue.held), Calendar.age(seconds: status.queue.oldestAge))
                    ),
                ] + (hashes ?? [])))
        guard status.isConfigured else {
            session.say(session.word(.notSetUp))
            return
        }
        session.show(ServiceCommand.table(status.services, session, calendar))
    }
}
