import Control
import ControlServer
import Crypto
import MailModel
import Settings
import Store
import Synchronization

/// Operation passwords of domains (R-ACC-11): who has not opened a protected domain can neither see nor change what
/// belongs to it. A connection opens a domain by its password, or by a key that such an opening gave to the same user;
/// the system management password opens every domain.
final class DomainGate: Sendable {
    /// Keys at most, and how long one opens, milliseconds.
    private static let keyLimit = 1_000
    private static let keyLife: Int64 = 12 * 3_600_000
    /// Longest pause before a try, milliseconds; a further one is refused.
    private static let longestWait: Int64 = 60_000

    private struct Key {
        let userID: UInt32
        let door: String
        let until: Int64
    }
    private let keys = Mutex<[String: Key]>([:])
    private let tries = TrySlots()
    private let browser: AccountBrowser
    private let offload: Offload

    init(browser: AccountBrowser, offload: Offload) {
        self.browser = browser
        self.offload = offload
    }

    // MARK: Doors

    /// A door is named by the password that opens it, so that a new password shuts it.
    private static func systemDoor(_ hash: String) -> String { "*\(hash)" }

    private func isOpen(_ hash: String, _ system: String, _ caller: Caller) -> Bool {
        hash.isEmpty || caller.hasOpened(hash) || (!system.isEmpty && caller.hasOpened(Self.systemDoor(system)))
    }

    /// - Parameter domains: any letter case; such as are not operated here are nobody's.
    /// - Throws: `notPermitted` with the code `domain.locked` and the domain as argument.
    func need(_ domains: some Sequence<String>, _ caller: Caller) throws(ControlError) {
        let (hashes, system) = try browser.operationHashes()
        guard !hashes.isEmpty else { return }
        for domain in domains {
            guard let hash = hashes[domain.lowercased()], !isOpen(hash, system, caller) else { continue }
            throw ControlError(
                .notPermitted, code: "domain.locked",
                "\(domain.lowercased()) is protected by an operation password; open it first",
                arguments: [domain.lowercased()])
        }
    }

    func need(address: String, _ caller: Caller) throws(ControlError) {
        guard let at = address.lastIndex(of: "@") else { return }
        try need([String(address[address.index(after: at)...])], caller)
    }

    /// The protected domains that the caller has not opened.
    func shut(_ caller: Caller) throws(ControlError) -> Set<String> {
        let (hashes, system) = try browser.operationHashes()
        return Set(hashes.filter { !isOpen($0.value, system, caller) }.keys)
    }

    /// What of the history a caller may see: of protected domains that are not open, only that something was changed.
    /// - Parameter shut: of this caller.
    static func visible(_ changes: [ChangeRecord], shut: Set<String>) -> [ChangeRecord] {
        guard !shut.isEmpty else { return changes }
        var named: Set<String> = []
        return changes.compactMap { change in
            guard let domain = domain(ofPath: change.path), shut.contains(domain) else { return change }
            return named.insert(domain).inserted ? ChangeRecord(path: "domain/\(domain)", old: nil, new: nil) : nil
        }
    }

    /// - Returns: folded; `nil` when the path belongs to no domain.
    static func domain(ofPath path: String) -> String? {
        let parts = path.split(separator: "/", maxSplits: 2).map(String.init)
        guard parts.count > 1 else { return nil }
        if parts[0] == "domain" { return parts[1].lowercased() }
        guard ["account", "alias", "file", "mailbox"].contains(parts[0]), let at = parts[1].lastIndex(of: "@") else {
            return nil
        }
        return String(parts[1][parts[1].index(after: at)...]).lowercased()
    }

    /// The domains behind paths of the history; for the system management password, which opens all: whoever sets it
    /// must know the present one, or have opened every protected domain.
    func need(paths: some Sequence<String>, _ caller: Caller) throws(ControlError) {
        var domains: Set<String> = []
        for path in paths {
            if let domain = Self.domain(ofPath: path) {
                domains.insert(domain)
            } else if path == AdminSettings.passwordHash.key {
                try needSystem(caller)
            }
        }
        try need(domains, caller)
    }

    private func needSystem(_ caller: Caller) throws(ControlError) {
        let (hashes, system) = try browser.operationHashes()
        guard !hashes.isEmpty else { return }
        if system.isEmpty { return try need(hashes.keys, caller) }
        guard !caller.hasOpened(Self.systemDoor(system)) else { return }
        throw ControlError(
            .notPermitted, code: "domain.system-locked",
            "domains are protected: the system management password can be changed by who knows it")
    }

    // MARK: Opening

    /// - Parameter domain: empty: the system management password is asked for.
    /// - Returns: a key that opens the same for this user on other connections.
    func open(_ domain: String, password: String, _ caller: Caller) async throws(ControlError) -> String {
        let (hashes, system) = try browser.operationHashes()
        let hash = hashes[domain.lowercased()] ?? ""
        guard !(hash.isEmpty && (system.isEmpty || !domain.isEmpty)) else {
            throw ControlError(
                .refused, code: "domain.not-protected", "\(domain) has no operation password", arguments: [domain])
        }
        let wait = tries.begin(caller.userID, longest: Self.longestWait)
        guard let wait else {
            throw ControlError(
                .notPermitted, code: "domain.too-many-tries", "too many wrong passwords; wait a minute")
        }
        if wait > 0 { try? await Task.sleep(for: .milliseconds(wait)) }
        let octets = Array(password.utf8)
        let door = try await offload.run { () throws(ControlError) -> String? in
            if !hash.isEmpty, PasswordHash(text: hash)?.matches(octets) == true { return hash }
            if !system.isEmpty, PasswordHash(text: system)?.matches(octets) == true { return Self.systemDoor(system) }
            return nil
        }
        guard let door else {
            throw ControlError(
                .notPermitted, code: "domain.wrong-password",
                "this is neither the operation password of \(domain) nor the system management password",
                arguments: [domain])
        }
        tries.succeeded(caller.userID)
        caller.open(door)
        guard let name = Random.octets(24).map({ $0.map { String($0, radix: 36) }.joined() }) else {
            throw ControlError(.failed, code: "store.no-hash", "no entropy")
        }
        let now = Int64(Clock.monotonic())
        keys.withLock { keys in
            keys = keys.filter { $0.value.until > now }
            if keys.count >= Self.keyLimit, let any = keys.keys.first { keys[any] = nil }
            keys[name] = Key(userID: caller.userID, door: door, until: now + Self.keyLife)
        }
        return name
    }

    /// Keys that came with the greeting of a further connection.
    func present(_ names: [String], _ caller: Caller) {
        let now = Int64(Clock.monotonic())
        for name in names.prefix(Self.keyLimit) {
            guard let key = keys.withLock({ $0[name] }), key.userID == caller.userID, key.until > now else { continue }
            caller.open(key.door)
        }
    }
}

/// When the next try of a password may be: each wrong one doubles the pause, and tries that come at once, on any number
/// of connections, stand in a line.
final class TrySlots: Sendable {
    private struct Line {
        var failures = 0
        var next: Int64 = 0
    }
    private let lines = Mutex<[UInt32: Line]>([:])
    private let clock: @Sendable () -> Int64

    init(clock: @escaping @Sendable () -> Int64 = { Int64(Clock.monotonic()) }) { self.clock = clock }

    /// - Returns: milliseconds to wait first; `nil`: more than `longest`, not now.
    func begin(_ user: UInt32, longest: Int64) -> Int64? {
        let now = clock()
        return lines.withLock { lines in
            var line = lines[user] ?? Line()
            let wait = max(0, line.next - now)
            guard wait <= longest else { return nil }
            // Counted as wrong until it proves right: a crowd of first tries gets no further than one.
            line.failures += 1
            line.next = max(now, line.next) + (500 << Int64(min(line.failures - 1, 6)))
            lines[user] = line
            return wait
        }
    }

    func succeeded(_ user: UInt32) { lines.withLock { $0[user] = nil } }
}
