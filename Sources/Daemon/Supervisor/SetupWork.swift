import Control
import ControlServer
import Crypto
import Glibc
import MailModel
import Service
import Settings
import Store
import Synchronization
import Tables

/// The wizard's work (spec file 01): everything is looked at first, then written, then the services are registered and
/// started one by one.
struct SetupWork: Sendable {
    typealias Input = ServerInterface.Setup.Input
    typealias Output = ServerInterface.Setup.Output
    let desk: Desk

    // MARK: Checking

    func check(_ input: Input) -> ServerInterface.CheckSetup.Output {
        let addresses = Machine.addresses()
        let plan = SetupPlan(input, localAddresses: addresses.map(\.address))
        var problems = plan.problems
        if let settings = try? desk.store.snapshot() { problems += plan.accountProblems(over: settings) }
        if !desk.board.isConfigured {
            problems += listeners(plan).compactMap(ListenerSockets.probe).map {
                Problem(path: "receiver.listen", code: "setup.port", message: $0.message, isWarning: true)
            }
        }
        return .init(
            problems: problems, localAddresses: addresses.map { "\($0.address) (\($0.interface))" },
            systemDNSServers: Machine.dnsServers(), serviceUser: Privileges.ownName)
    }

    /// Submission and the port between servers; unprivileged ones below a root folder, where several installations may
    /// stand side by side: the first group of ports that is free counts.
    private func listeners(_ plan: SetupPlan) -> [ListenerAddress] {
        var hosts = [ListenerAddress.Host.anyIPv4]
        if plan.domains.contains(where: { !$0.address.isIPv4 }), let any = IPAddress("::") {
            hosts.append(.address(any))
        }
        func group(_ ports: [(UInt16, Bool)]) -> [ListenerAddress] {
            hosts.flatMap { host in ports.map { ListenerAddress(host: host, port: $0.0, isTLS: $0.1) } }
        }
        if desk.layout.root == nil { return group([(25, false), (587, false), (465, true)]) }
        let groups = stride(from: UInt16(0), to: 1000, by: 10).lazy.map { shift in
            group([(2525 + shift, false), (2587 + shift, false), (2465 + shift, true)])
        }
        return groups.first { $0.allSatisfy { ListenerSockets.probe($0) == nil } }
            ?? group([(2525, false), (2587, false), (2465, true)])
    }

    // MARK: Doing

    func run(_ input: Input, _ caller: Caller, _ replies: Replies<Output>) async throws(ControlError) {
        if desk.board.isConfigured, !input.change {
            throw ControlError(
                .alreadyConfigured, code: "setup.configured",
                "this installation is configured already; ask for a change to go over it again")
        }
        let plan = SetupPlan(input, localAddresses: [])
        let faults = (plan.problems + plan.accountProblems(over: try desk.store.snapshot())).filter { !$0.isWarning }
        if let first = faults.first {
            throw ControlError(
                .refused, code: first.code, first.message, arguments: first.arguments, problems: faults)
        }
        try desk.gate.need(plan.domains.map { $0.0 }, caller)
        let steps = Steps(replies)
        let applied = try await desk.offload.run { () throws(ControlError) in
            try write(plan, caller, steps)
        }
        _ = desk.published(applied, by: caller)
        await services(input, steps)
        steps.end()
    }

    /// Folders, certificate and tables first, settings last: with them the installation counts as configured. What
    /// fails before leaves files that the next try finds and uses.
    private func write(_ plan: SetupPlan, _ caller: Caller, _ steps: Steps) throws(ControlError) -> Applied {
        let settings = try desk.store.snapshot()
        var setup = FirstSetup(settings: plan.settings, domains: [], tables: [])
        try makeFolders(plan)
        steps.done("folders")
        if let files = try makeCertificate(plan, settings) {
            setup.settings += [
                (TLSSettings.certificateFile.key, [files.certificate]), (TLSSettings.privateKeyFile.key, [files.key]),
            ]
            steps.done("certificate", files.certificate)
        } else {
            steps.skipped("certificate", "the one that is set is kept", code: "setup.step.kept")
        }
        setup.tables = try writeTables(plan)
        steps.done("tables")
        if settings.isDefault(ReceiverSettings.listen.key), settings.isDefault(ReceiverSettings.listenMode.key) {
            let listeners = listeners(plan)
            setup.settings.append((ReceiverSettings.listen.key, listeners.map(\.text)))
            setup.settings.append((ReceiverSettings.listenMode.key, [ListenMode.list.rawValue]))
            if listeners.contains(where: \.isIPv6), settings.isDefault(NetSettings.ipVersion.key),
                ListenerSockets.hasIPv6
            {
                setup.settings.append((NetSettings.ipVersion.key, [IPVersion.dual.rawValue]))
            }
        }
        let known = try desk.store.domains()
        setup.domains = plan.domains.map { name, address in
            // A domain that is there keeps what was set in its details; its address is the wizard's.
            if var old = known.first(where: { $0.name == name }) {
                if !old.smtpAddresses.contains(address) { old.smtpAddresses.insert(address, at: 0) }
                return old
            }
            return DomainRecord(name: name, mailboxMode: .separate, smtpAddresses: [address], folder: name)
        }
        let applied = try desk.store.configure(setup, note: "setup", by: Desk.author(caller))
        desk.board.update(isConfigured: true, revision: applied.revision)
        steps.done("settings")
        return applied
    }

    private func makeFolders(_ plan: SetupPlan) throws(ControlError) {
        func value(_ setting: Setting<String>) -> String {
            plan.settings.first { $0.key == setting.key }?.texts.first
                ?? setting.definition.defaultValues(desk.layout).first ?? ""
        }
        let mailboxes = value(ServerSettings.mailboxFolder).split(separator: "/").prefix { !$0.contains("%") }
        let folders: [(String, mode_t)] = [
            (desk.layout.conf, 0o750), (desk.layout.tls, 0o750), (desk.layout.log, 0o750),
            (value(ServerSettings.workFolder), 0o700), ("/" + mailboxes.joined(separator: "/"), 0o700),
        ]
        for (path, mode) in folders {
            let failure = SmallFile.makeFolders(path, mode: mode) ?? (access(path, W_OK) == 0 ? nil : errno)
            if let failure {
                throw ControlError(
                    .failed, code: "setup.folder",
                    "the folder \(path) cannot be made or written: \(SmallFile.errorText(failure))", arguments: [path])
            }
        }
    }

    /// - Returns: `nil` when a certificate is set already.
    private func makeCertificate(
        _ plan: SetupPlan, _ settings: SettingsSnapshot
    ) throws(ControlError) -> (certificate: String, key: String)? {
        if settings.hasCertificate { return nil }
        let files = (certificate: desk.layout.tls + "/certificate.pem", key: desk.layout.tls + "/key.pem")
        let subject = OwnCertificate(
            settings, domains: plan.domains.map(\.name), addresses: plan.domains.map(\.address))
        try subject.write(certificate: files.certificate, key: files.key)
        return files
    }

    private func writeTables(_ plan: SetupPlan) throws(ControlError) -> [(name: String, old: [String]?, new: [String])]
    {
        var written: [(name: String, old: [String]?, new: [String])] = []
        for (table, make) in [
            (Layout.Table.effect, { plan.effectTable($0) }),
            (.header, { $0 ?? TableText(HeaderTemplate.delivered).lines }),
        ] as [(Layout.Table, ([String]?) -> [String])] {
            let path = desk.layout.path(of: table)
            let old = SmallFile.read(path, limit: TableText.maximumOctets).map { TableText(octets: $0).lines }
            let new = make(old)
            guard old != new else { continue }
            if let failure = SmallFile.replace(path, with: Array(TableText(lines: new).text.utf8), mode: 0o640) {
                throw ControlError(
                    .failed, code: "setup.table", "\(path) cannot be written: \(SmallFile.errorText(failure))",
                    arguments: [path])
            }
            written.append((table.rawValue, old, new))
        }
        return written
    }

    /// A failure is told with its cause, and the others are tried (R-WIZ-17).
    private func services(_ input: Input, _ steps: Steps) async {
        for kind in ManagedService.Kind.allCases {
            guard input.registerServices else {
                steps.skipped("register.\(kind.rawValue)", "")
                continue
            }
            await step("register.\(kind.rawValue)", steps) { () throws(ControlError) in
                _ = try await desk.act(kind, .register)
            }
            await step("start.\(kind.rawValue)", steps) { () throws(ControlError) in
                _ = try await desk.act(kind, .start)
            }
        }
    }

    private func step(
        _ name: String, _ steps: Steps, _ body: () async throws(ControlError) -> Void
    ) async {
        do throws(ControlError) {
            try await body()
            steps.done(name)
        } catch {
            steps.failed(name, error)
        }
    }
}

/// Tells each step as it happens to a caller that asked for that, all at the end to others.
private final class Steps: Sendable {
    private let replies: Replies<ServerInterface.Setup.Output>
    private let state = Mutex<[SetupStep]>([])

    init(_ replies: Replies<ServerInterface.Setup.Output>) { self.replies = replies }

    func done(_ step: String, _ message: String = "") { add(SetupStep(step: step, state: .done, message: message)) }
    func skipped(_ step: String, _ message: String, code: String = "") {
        add(SetupStep(step: step, state: .skipped, message: message, code: code))
    }
    /// The first problem says more than "it failed".
    func failed(_ step: String, _ error: ControlError) {
        let first = error.detail.problems?.first
        add(
            SetupStep(
                step: step, state: .failed, message: error.detail.message, code: first?.code ?? error.detail.code,
                arguments: first?.arguments ?? error.detail.arguments ?? []))
    }

    /// The newest step is held back: it is the last reply when nothing follows.
    private func add(_ step: SetupStep) {
        let earlier = state.withLock { steps in
            defer { steps.append(step) }
            return steps.last
        }
        if let earlier, replies.wantsMore { replies.send(.init(steps: [earlier])) }
    }

    func end() {
        let steps = state.withLock { $0 }
        replies.send(.init(steps: replies.wantsMore ? Array(steps.suffix(1)) : steps), isLast: true)
    }
}
