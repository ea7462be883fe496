import Control
import ControlServer
import Facts
import MailModel
import MessageFormat
import Policy
import Settings
import Store
import Tables

/// org.epost.Policy: the record behind a reference, and the receiver's own decision functions with made-up facts.
struct PolicyDesk: Sendable {
    private let directory: any Directory
    private let find: @Sendable (DecisionReference) throws -> DecisionRecord?
    /// The effect.dat and the hiddensmtpip.dat in force.
    private let rules: @Sendable () -> EffectTable
    private let hidden: @Sendable () -> IPPatternList
    /// Asks the receiver; `nil`: it does not run.
    private let look: @Sendable (ReceiverLook.Input) async throws(ControlError) -> ReceiverLook.Output?

    init(
        directory: any Directory, find: @escaping @Sendable (DecisionReference) throws -> DecisionRecord?,
        rules: @escaping @Sendable () -> EffectTable, hidden: @escaping @Sendable () -> IPPatternList,
        look: @escaping @Sendable (ReceiverLook.Input) async throws(ControlError) -> ReceiverLook.Output?
    ) {
        self.directory = directory
        self.find = find
        self.rules = rules
        self.hidden = hidden
        self.look = look
    }

    func register(on server: ControlServer) {
        server.on(PolicyInterface.Explain.self) { input, _ throws(ControlError) in try await explain(input) }
        server.on(PolicyInterface.Evaluate.self) { input, _ throws(ControlError) in
            // An account of a directory may take its time, and handlers share few threads.
            await directory.prepared(
                [input.sender, input.recipient, input.authenticatedID ?? ""].compactMap(Self.address))
            return try await evaluate(input)
        }
    }

    private func explain(_ input: PolicyInterface.Explain.Input) async throws(ControlError) -> Explanation {
        guard let reference = DecisionReference(input.reference) else {
            let shown = DisplayText.clean(input.reference, limit: 40)
            throw ControlError(
                .refused, code: "explain.bad-reference",
                "\(shown) is not a reference; one looks like 7K2Q-93HD and stands at the end of a refusal.",
                arguments: [shown])
        }
        var record = try look(for: reference)
        // The refusal is sent before its record is on the disk: one asked for at once may still be on its way.
        for _ in 0..<Self.patience where record == nil {
            try? await Task.sleep(for: .milliseconds(50))
            record = try look(for: reference)
        }
        guard let record else {
            throw ControlError(
                .notFound, code: "explain.not-found",
                "There is no record \(reference). Records are kept explain.keep_days days.",
                arguments: [reference.description])
        }
        return Self.explanation(record)
    }

    /// Looks, 50 ms apart, before a reference counts as unknown.
    private static let patience = 40

    private func look(for reference: DecisionReference) throws(ControlError) -> DecisionRecord? {
        do {
            return try find(reference)
        } catch {
            throw ControlError(
                .failed, code: "explain.failed", "The records cannot be read: \(error)", arguments: ["\(error)"])
        }
    }

    static func explanation(_ record: DecisionRecord) -> Explanation {
        Explanation(
            reference: record.reference.description, time: Int(record.time), client: record.client,
            listener: record.listener, hello: record.hello.map { DisplayText.clean($0, limit: 255) },
            isTLS: record.isTLS,
            authenticatedID: record.authenticatedID.map { DisplayText.clean($0, limit: 320) },
            sender: record.sender.map { DisplayText.clean($0, limit: 320) },
            recipient: record.recipient.map { DisplayText.clean($0, limit: 320) }, moment: record.moment,
            reason: record.verdict.reason.rawValue, isAccepted: record.verdict.isAccepted, reply: record.reply.text,
            steps: record.verdict.trail.map(step), remedy: record.verdict.remedy,
            settingsRevision: Int(record.settingsRevision))
    }

    private static func step(_ step: TrailStep) -> Explanation.Step {
        .init(
            check: step.check, finding: DisplayText.clean(step.finding, limit: 1000), source: step.source?.text ?? "",
            decided: step.decided)
    }

    private func evaluate(_ input: PolicyInterface.Evaluate.Input) async throws(ControlError) -> Explanation {
        let client = try Self.ip(input.client, "client")
        let local = try input.local.map { text throws(ControlError) in try Self.ip(text, "local") }
        let sender = try senderPath(input.sender)
        guard let recipient = Self.recipient(input.recipient) else {
            throw Self.refused("to", input.recipient, "an address such as taro@example.jp")
        }
        let table = try rules(trying: input.effect)
        do {
            let settings = try directory.settings()
            let acceptance = AcceptanceSettings(settings)
            let authentication = try authentication(input.authenticatedID, at: local)
            let session = SessionFacts(client: client, isTLS: input.isTLS, authentication: authentication)
            let live = try await look(
                .init(
                    client: client, local: local, account: authentication.account, sender: sender, recipient: recipient,
                    zones: SenderPolicy.blocklists(for: sender, in: session, rules: table, settings: acceptance),
                    asks: input.asksLists ?? true))
            let limits = ConnectionSettings(
                maxSessions: settings[ReceiverSettings.maxSessions],
                maxSessionsPerClient: settings[ReceiverSettings.maxSessionsPerClient],
                hidden: local == nil ? .empty : hidden())
            let size = input.size.map { Int64(max(0, $0)) }
            let simulation = Simulation(
                connection: live?.connection, limits: limits,
                sender: SenderFacts(
                    path: sender, directory: try directory.facts(about: sender), announcedSize: size,
                    // A client with such an address asks for SMTPUTF8; that it might not is no news.
                    asksSMTPUTF8: sender.address?.isASCII == false || !recipient.isASCII,
                    isOutsideHours: live?.isOutsideHours ?? false, blocklists: live?.lists ?? [],
                    lock: live?.senderLock, isOwn: live?.isSenderOwn),
                recipient: RecipientFacts(
                    address: live?.recipient ?? recipient,
                    directory: try live?.directory ?? directory.facts(about: recipient), announcedSize: size,
                    asksSMTPUTF8: true, restriction: live?.restriction ?? .none),
                in: session, rules: table, settings: acceptance)
            return explanation(
                simulation, input, sender, recipient, revision: Int(settings.revision), isLive: live != nil)
        } catch let error as ControlError {
            throw error
        } catch let error as DirectoryError {
            throw ControlError(
                .failed, code: "store.failed", "The directory cannot be read: \(error.detail)",
                arguments: [error.detail])
        } catch {
            throw ControlError(.failed, code: "store.failed", "\(error)", arguments: ["\(error)"])
        }
    }

    private func explanation(
        _ simulation: Simulation, _ input: PolicyInterface.Evaluate.Input, _ sender: ReversePath,
        _ recipient: MailAddress, revision: Int, isLive: Bool
    ) -> Explanation {
        var steps = simulation.verdict.trail
        if !isLive {
            let finding =
                "the receiver does not run: sessions, locks, lists, mailboxes and users' rules are left out"
            steps.insert(TrailStep(check: "connect.receiver", finding: finding), at: 0)
        }
        let reason = simulation.verdict.reason
        return Explanation(
            reference: nil, time: nil, client: input.client, listener: input.local,
            hello: input.hello.map { DisplayText.clean($0, limit: 255) }, isTLS: input.isTLS,
            authenticatedID: input.authenticatedID, sender: DisplayText.clean(sender.text, limit: 320),
            recipient: DisplayText.clean(recipient.text, limit: 320), moment: simulation.moment,
            reason: simulation.isSilent ? "connect.hidden" : reason.rawValue,
            isAccepted: simulation.verdict.isAccepted,
            reply: simulation.isSilent ? "" : simulation.verdict.reply(reference: nil).text,
            steps: steps.map(Self.step), remedy: simulation.verdict.remedy, settingsRevision: revision)
    }

    private static func ip(_ text: String, _ place: String) throws(ControlError) -> IPAddress {
        guard let address = IPAddress(text) else { throw refused(place, text, "an IPv4 or IPv6 address") }
        return address
    }

    private func rules(trying text: String?) throws(ControlError) -> EffectTable {
        guard let text else { return rules() }
        let reading = EffectTable.read(text)
        guard !reading.hasFaults else {
            throw ControlError(
                .refused, code: "table.faulty", "The effect.dat to be tried has faults.",
                arguments: [EffectTable.fileName],
                problems: TableProblems.translated(reading.problems, file: EffectTable.fileName))
        }
        return reading.value
    }

    private func senderPath(_ text: String) throws(ControlError) -> ReversePath {
        if text == "<>" { return .null }
        if text.isEmpty { return .blank }
        guard let address = Self.address(text) else {
            throw Self.refused("from", text, "an address, or <> for a report")
        }
        return .address(address)
    }

    /// Split at the last `@`, as a session would after its grammar; the parts are not checked further, so that odd
    /// addresses can be tried.
    static func address(_ text: String) -> MailAddress? {
        var text = text[...]
        if text.hasPrefix("<"), text.hasSuffix(">") { text = text.dropFirst().dropLast() }
        guard text.utf8.count <= 320, let at = text.lastIndex(of: "@") else { return nil }
        let domain = String(text[text.index(after: at)...])
        let local = String(text[..<at])
        guard !local.isEmpty, MailAddress.isPlainDomain(domain) || domain.hasPrefix("[") else { return nil }
        return MailAddress(localPart: local, domain: domain)
    }

    /// Postmaster alone needs no domain (RFC 5321 §4.1.1.3).
    private static func recipient(_ text: String) -> MailAddress? {
        let name = text.hasPrefix("<") && text.hasSuffix(">") ? String(text.dropFirst().dropLast()) : text
        return address(text) ?? (name.lowercased() == "postmaster" ? MailAddress(localPart: name, domain: "") : nil)
    }

    private func authentication(_ id: String?, at local: IPAddress?) throws -> Authentication {
        guard let id else { return .none }
        guard let account = try directory.login(id, at: local) else {
            throw Self.refused("auth", id, "the id of an account")
        }
        return .account(account.address)
    }

    static func refused(_ place: String, _ value: String, _ right: String) -> ControlError {
        let shown = DisplayText.clean(value, limit: 80)
        return ControlError(
            .refused, code: "explain.bad-\(place)", "\(place): \(shown) is not \(right).", arguments: [shown])
    }
}
