import ArgumentParser
import Control

/// The wizard without questions (R-WIZ-01 to R-WIZ-17).
struct SetupCommand: ControlCommand {
    static let configuration = CommandConfiguration(
        commandName: "setup", abstract: "Set the server up: the wizard without questions.")

    @OptionGroup var global: GlobalOptions

    @Option(help: "Domain to operate; up to three, each with its --address.")
    var domain: [String]
    @Option(help: ArgumentHelp("Address to which clients of the domain connect.", valueName: "ip"))
    var address: [String]
    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("DNS servers to use, one to three.", valueName: "ip[@port]"))
    var dns: [String]
    @Option(help: ArgumentHelp("Complete mail address of the administrator.", valueName: "address"))
    var administrator: String
    @Option(help: "How accounts are managed: soft, system or ldap.")
    var backend = "soft"
    @Option(
        name: .customLong("set"),
        help: ArgumentHelp(
            "A setting of the way to the accounts, such as ldap.base=dc=example,dc=jp; may be given several times.",
            valueName: "key=value"))
    var accountSettings: [String] = []
    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Networks that may relay, such as 192.0.2.0/24.", valueName: "network"))
    var relayNetwork: [String] = []
    @Option(help: ArgumentHelp("Folder of the queue.", valueName: "dir"))
    var workFolder: String?
    @Option(help: ArgumentHelp("Mailbox folder, with %USERNAME% or %HOME%.", valueName: "pattern"))
    var mailboxFolder: String?
    @Option(help: ArgumentHelp("Folder of the accounts.", valueName: "dir"))
    var accountFolder: String?
    @Flag(help: "Do not register and start the services.")
    var noServices = false
    @Flag(help: "Change a server that is set up already.")
    var change = false

    func validate() throws {
        guard domain.count == address.count else {
            throw ValidationError(
                "Each --domain needs one --address: \(domain.count) domains, \(address.count) addresses.")
        }
        if let bad = accountSettings.first(where: { Self.change($0) == nil }) {
            throw ValidationError("--set takes KEY=VALUE, not \(bad).")
        }
    }

    /// `key=value`; without a value the default.
    private static func change(_ text: String) -> SettingChange? {
        guard let sign = text.firstIndex(of: "="), sign > text.startIndex else { return nil }
        let value = String(text[text.index(after: sign)...])
        return SettingChange(key: String(text[..<sign]), values: value.isEmpty ? nil : [value])
    }

    func execute(_ session: Session) throws {
        let input = ServerInterface.Setup.Input(
            backend: backend, dnsServers: dns,
            domains: zip(domain, address).map { .init(name: $0, address: $1) }, administrator: administrator,
            workFolder: workFolder, mailboxFolder: mailboxFolder, accountFolder: accountFolder,
            relayNetworks: relayNetwork, registerServices: !noServices, change: change,
            accountSettings: accountSettings.isEmpty ? nil : accountSettings.compactMap(Self.change))
        var failed = false
        do throws(ControlError) {
            try session.stream(ServerInterface.Setup.self, input) { output in
                for step in output.steps {
                    show(step, session)
                    if step.state == .failed { failed = true }
                }
                return true
            }
        } catch {
            if error.kind == .alreadyConfigured { throw CommandFailure.failed(session.word(.alreadySetUp)) }
            throw error
        }
        if failed { throw CommandFailure.said }
        session.say(session.word(.setUp))
    }

    private func show(_ step: SetupStep, _ session: Session) {
        let message = session.text(code: step.code, message: step.message, arguments: step.arguments)
        let text = message.isEmpty ? "" : ": \(message)"
        switch step.state {
        case .done: session.say("  \(session.word(.stepDone))  \(step.step)\(text)")
        case .skipped: session.say("  \(session.word(.stepSkipped))  \(step.step)\(text)")
        case .failed: session.complain("\(session.word(.stepFailed)) \(step.step)\(text)")
        }
    }
}
