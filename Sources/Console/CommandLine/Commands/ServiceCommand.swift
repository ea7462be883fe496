import ArgumentParser
import Control

struct ServiceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "service", abstract: "Show, start and stop the services epstrs (receiver) and epstds (delivery).",
        subcommands: [List.self, Start.self, Stop.self, Restart.self, Register.self, Unregister.self])

    static func table(_ services: [ServiceStatus], _ session: Session, _ calendar: Calendar) -> TextTable {
        var table = TextTable([
            .init(session.word(.service)), .init(session.word(.state)), .init("PID", .right),
            .init(session.word(.since)), .init(session.word(.restarts), .right), .init(session.word(.counters)),
        ])
        for service in services {
            var facts = service.counters.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            if !service.listeners.isEmpty { facts.insert(service.listeners.joined(separator: " "), at: 0) }
            if let reason = service.reason {
                let told = service.notes.map {
                    session.text(code: $0.code, message: $0.message, arguments: $0.arguments)
                }
                facts.insert(told.isEmpty ? reason : told.joined(separator: "; "), at: 0)
            }
            table.add(
                service.name, session.word(state: service.state), service.pid.map(String.init) ?? "",
                service.since == 0 ? "" : calendar.text(service.since), String(service.restarts),
                facts.joined(separator: " "))
        }
        return table
    }

    struct List: ControlCommand {
        static let configuration = CommandConfiguration(abstract: "List the services.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var reading: ReadingOptions

        func execute(_ session: Session) throws {
            let found = try session.call(ServicesInterface.List.self)
            if reading.json { return session.show(json: found) }
            session.show(table(found.services, session, try session.calendar()))
        }
    }

    struct Start: ControlCommand {
        static let configuration = CommandConfiguration(abstract: "Start a service.")
        @OptionGroup var global: GlobalOptions
        @Argument(help: "epstrs or epstds") var names: [String]
        func execute(_ session: Session) throws { try session.act(.start, names) }
    }

    struct Stop: ControlCommand {
        static let configuration = CommandConfiguration(abstract: "Stop a service; what is under way is finished.")
        @OptionGroup var global: GlobalOptions
        @Flag(help: "Do not wait for what is under way; nothing accepted is lost.")
        var force = false
        @Argument(help: "epstrs or epstds") var names: [String]
        func execute(_ session: Session) throws { try session.act(.stop, names, force: force) }
    }

    struct Restart: ControlCommand {
        static let configuration = CommandConfiguration(abstract: "Stop a service and start it again.")
        @OptionGroup var global: GlobalOptions
        @Flag(help: "Do not wait for what is under way; nothing accepted is lost.")
        var force = false
        @Argument(help: "epstrs or epstds") var names: [String]
        func execute(_ session: Session) throws { try session.act(.restart, names, force: force) }
    }

    struct Register: ControlCommand {
        static let configuration = CommandConfiguration(
            abstract: "Register a service, so that the daemon keeps it running.")
        @OptionGroup var global: GlobalOptions
        @Argument(help: "epstrs or epstds") var names: [String]
        func execute(_ session: Session) throws { try session.act(.register, names) }
    }

    struct Unregister: ControlCommand {
        static let configuration = CommandConfiguration(abstract: "Stop a service for good; the original's Delete.")
        @OptionGroup var global: GlobalOptions
        @Argument(help: "epstrs or epstds") var names: [String]
        func execute(_ session: Session) throws { try session.act(.unregister, names) }
    }
}

extension Session {
    fileprivate func act(_ action: ServicesInterface.Act.Action, _ names: [String], force: Bool = false) throws {
        var lastError: ControlError?
        for name in names {
            do throws(ControlError) {
                let status = try call(
                    ServicesInterface.Act.self, .init(service: name.lowercased(), action: action, force: force))
                let pid = status.pid.map { " (pid \($0))" } ?? ""
                say("\(status.name): \(word(state: status.state))\(pid)")
            } catch {
                // The others are still tried; the error that ends the command is the last one.
                if let lastError { complain(lastError.detail.message) }
                lastError = error
                if error.kind == .noConnection { break }
            }
        }
        if let lastError { throw lastError }
    }

    func word(state: ServiceStatus.State) -> String {
        switch state {
        case .notRegistered: word(.stateNotRegistered)
        case .stopped: word(.stateStopped)
        case .starting: word(.stateStarting)
        case .running: word(.stateRunning)
        case .stopping: word(.stateStopping)
        case .failed: word(.stateFailed)
        }
    }
}
