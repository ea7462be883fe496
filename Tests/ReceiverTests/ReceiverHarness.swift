import Crypto
import Glibc
import Journal
import MailModel
import Mailbox
import Receiver
import Service
import Settings
import Spool
import Store
import Testing

/// A receiver on free loopback ports, with everything behind it in memory.
final class ReceiverHarness: Sendable {
    let folder: String
    let layout: Layout
    let directory: MemoryDirectory
    let journal = MemoryJournal()
    let mailboxes = MemoryMailboxStore()
    /// Port of the plain listener, and of the one with TLS from the first octet.
    let port: Int
    let tlsPort: Int
    let context: ServiceContext
    private let events: ServiceEvents.Feed
    private let task: Task<Void, any Error>

    /// - Parameters:
    ///   - words: features as transcripts name them.
    ///   - change: further settings.
    static func start(
        _ words: [String] = [], spool: any Spool = MemorySpool(), effect: String? = nil,
        change: (inout SettingsSnapshot) throws -> Void = { _ in }
    ) async throws -> ReceiverHarness {
        let harness = try ReceiverHarness(words, spool: spool, effect: effect, change: change)
        try await harness.untilReady()
        return harness
    }

    private init(
        _ words: [String], spool: any Spool, effect: String?, change: (inout SettingsSnapshot) throws -> Void
    ) throws {
        folder = "/tmp/epost-receiver-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        layout = Layout(root: folder)
        for path in [folder, layout.conf, layout.tls, layout.log, layout.spool] { mkdir(path, 0o700) }
        if let effect { try Self.write(Array(effect.utf8), to: layout.path(of: .effect)) }
        var settings = SettingsSnapshot(layout: layout)
        try Self.set(&settings, words, layout)
        try change(&settings)
        directory = MemoryDirectory(
            settings: settings, domains: [DomainRecord(name: "in.example")], accounts: Self.accounts)
        let (stream, continuation) = ServiceEvents.make()
        events = continuation
        context = ServiceContext(
            name: "epstrs", layout: layout, node: "test", directory: directory, journal: journal, wake: .none,
            events: stream)
        let plain = Self.listener()
        let secure = Self.listener()
        port = plain.port
        tlsPort = secure.port
        continuation.tell(
            .listeners([
                InheritedListener(
                    address: ListenerAddress(host: .anyIPv4, port: UInt16(plain.port)), descriptor: plain.descriptor),
                InheritedListener(
                    address: ListenerAddress(host: .anyIPv4, port: UInt16(secure.port), isTLS: true),
                    descriptor: secure.descriptor),
            ]))
        let names: ClientNameLookup? =
            if words.contains("named") {
                { client, completion in completion("client.\(client).example") }
            } else {
                nil
            }
        let service = ReceiverService(mailboxes: mailboxes, names: names) { _ in spool }
        task = Task { [context] in try await service.run(context: context) }
    }

    /// The listening sockets exist already, so a client may connect at once and waits in the kernel's queue.
    private func untilReady() async throws {
        let client = try await TestClient.connect(port: port)
        _ = try? await client.line()
        await client.close()
    }

    func tell(_ event: ServiceEvent) { events.tell(event) }

    /// Orderly stop; returns when `run` has.
    func stop(grace: Duration = .seconds(5), keepsFolder: Bool = false) async throws {
        events.tell(.stop(grace: grace))
        events.finish()
        try await task.value
        if !keepsFolder { remove() }
    }

    func remove() { Self.remove(folder) }

    /// Puts more into a mailbox than `full` may hold.
    func fillMailbox(of name: String) async throws {
        let address = MailAddress(localPart: name, domain: "in.example")
        guard let account = try directory.account(address) else { throw SystemFailure(what: "no account \(name)") }
        let place = try directory.mailbox(of: account)
        guard let location = MailboxLocation(base: place.base, folders: place.folders) else {
            throw SystemFailure(what: "no mailbox of \(name)")
        }
        let delivery = MailboxDelivery(
            id: MemorySpool().makeID(), header: [], content: .octets(Array("more than ten octets".utf8)),
            targets: [.init(mailbox: location, index: 0)])
        await withCheckedContinuation { done in mailboxes.deliver(delivery) { _ in done.resume() } }
    }

    static let accounts: [AccountRecord] = {
        let hash = PasswordHash(password: "secret")?.text ?? ""
        return ["ann", "bob", "postmaster"].map { name in
            AccountRecord(
                account: name, domain: "in.example", fullName: name == "ann" ? "Ann Example" : "", passwordHash: hash)
        } + [
            AccountRecord(account: "full", domain: "in.example", mailboxLimit: 10, passwordHash: hash),
            AccountRecord(account: "silent", domain: "in.example", usesAuthentication: false, passwordHash: hash),
            AccountRecord(account: "off", domain: "in.example", isEnabled: false, passwordHash: hash),
        ]
    }()

    private static func set(_ settings: inout SettingsSnapshot, _ words: [String], _ layout: Layout) throws {
        func number(_ key: String) -> String? {
            words.first { $0.hasPrefix(key + "=") }.map { String($0.dropFirst(key.utf8.count + 1)) }
        }
        try settings.set(NetSettings.hostName, "mail.in.example")
        let authenticates = words.contains("auth") || words.contains("auth-in-clear")
        settings.set(ReceiverSettings.authMethods.key, to: authenticates ? ["PLAIN", "LOGIN"] : [])
        try settings.set(ReceiverSettings.authRequiresTLS, words.contains("auth-in-clear") ? "false" : "true")
        try settings.set(ReceiverSettings.toleratesBareLineEnds, words.contains("tolerant") ? "true" : "false")
        try settings.set(ReceiverSettings.answersVRFYAndEXPN, words.contains("no-vrfy") ? "false" : "true")
        if let size = number("size") { try settings.set(ReceiverSettings.maxMessageSize, size) }
        if let recipients = number("recipients") { try settings.set(ReceiverSettings.maxRecipients, recipients) }
        if let errors = number("errors") { try settings.set(ReceiverSettings.maxErrors, errors) }
        guard words.contains("tls") else { return }
        let pair = try Certificate.selfSigned(names: ["mail.in.example"])
        try write(pair.certificate, to: layout.tls + "/certificate.pem")
        try write(pair.key, to: layout.tls + "/key.pem")
        try settings.set(TLSSettings.certificateFile, layout.tls + "/certificate.pem")
        try settings.set(TLSSettings.privateKeyFile, layout.tls + "/key.pem")
    }

    struct SystemFailure: Error {
        let what: String
    }

    static func write(_ octets: [UInt8], to path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        guard descriptor >= 0, Glibc.write(descriptor, octets, octets.count) == octets.count else {
            throw SystemFailure(what: path)
        }
        close(descriptor)
    }

    private static func listener() -> (descriptor: Int32, port: Int) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        return withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                _ = bind(descriptor, raw, length)
                _ = listen(descriptor, 64)
                getsockname(descriptor, raw, &length)
            }
            return (descriptor, Int(UInt16(bigEndian: pointer.pointee.sin_port)))
        }
    }

    private static func remove(_ folder: String) {
        for name in ["conf/effect.dat", "conf/tls/certificate.pem", "conf/tls/key.pem", "log/explain.db"]
            + ["log/explain.db-wal", "log/explain.db-shm"]
        {
            unlink("\(folder)/\(name)")
        }
        for name in ["/conf/tls", "/conf", "/log", "/spool", ""] { rmdir(folder + name) }
    }
}

extension MemorySpool {
    /// Contents of all messages, in the order of arrival.
    func contents() throws -> [String] {
        try list(QueueQuery()).rows.map { row in
            guard case .inline(let octets) = try content(of: row.id) else { return "" }
            return String(decoding: octets, as: UTF8.self)
        }
    }
}
