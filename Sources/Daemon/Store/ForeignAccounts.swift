import DirectoryClient
import DirectoryWire
import MailModel
import Settings
import Synchronization
import Threads

extension DirectoryProfile {
    /// - Returns: `nil` when accounts are our own.
    package init?(_ settings: SettingsSnapshot) {
        self.init()
        switch settings[AccountSettings.backend] {
        case .soft: return nil
        case .system: backend = .system
        case .ldap: backend = .ldap
        }
        domain = settings[AccountSettings.foreignDomain]
        group = settings[AccountSettings.mailGroup]
        urls = settings[LDAPSettings.url].split(separator: " ").map(String.init)
        tls = settings[LDAPSettings.tls] == .off ? .off : .startTLS
        authorities = settings[LDAPSettings.authorities]
        base = settings[LDAPSettings.base]
        bindName = settings[LDAPSettings.bindName]
        passwordFile = settings[LDAPSettings.passwordFile]
        filter = settings[LDAPSettings.filter]
        accountAttribute = settings[LDAPSettings.accountAttribute]
        nameAttribute = settings[LDAPSettings.nameAttribute]
        groupName = settings[LDAPSettings.group]
        bindTemplate = settings[LDAPSettings.bindTemplate]
        timeout = settings[LDAPSettings.timeout]
    }
}

extension AccountRecord {
    /// An account of a directory, with what we keep about it ourselves: its limit, and that it is switched off here
    /// (R-ACC-34). Every mail user may authenticate (R-RCV-18).
    package init(_ account: DirectoryAccount, domain: String, own: AccountRecord?) {
        self.init(
            account: account.name, domain: domain, fullName: account.fullName, home: account.home,
            mailboxLimit: own?.mailboxLimit ?? 0, usesAuthentication: true,
            isEnabled: account.isEnabled && own?.isEnabled != false, revision: own?.revision ?? 0)
    }
}

/// What a password check by the system or a directory found.
package enum ForeignFinding: Sendable {
    case right
    /// - Parameter finding: why not, for the record.
    case wrong(String)
    case unavailable(String)
}

/// Accounts of the system or of a directory, as the services ask about them: never on the caller's time, unless it is
/// patient.
package final class ForeignAccounts: Sendable {
    private struct State {
        var profile: DirectoryProfile?
    }
    private let state = Mutex(State())
    private let client: DirectoryClient
    private let cache: DirectoryCache
    /// Whether a caller of `account` waits for an answer that is not at hand.
    private let isPatient: Bool

    package init(layout: Layout, isPatient: Bool) {
        client = DirectoryClient(sockets: layout.directorySockets)
        cache = DirectoryCache(client: client)
        self.isPatient = isPatient
    }

    func use(_ settings: SettingsSnapshot) -> Bool {
        let profile = DirectoryProfile(settings)
        state.withLock { $0.profile = profile }
        guard let profile else { return false }
        cache.use(
            profile,
            .init(
                found: settings[AccountSettings.cacheTime], missing: settings[AccountSettings.missingCacheTime]))
        return true
    }

    /// - Parameter address: folded.
    func account(_ address: MailAddress) throws(DirectoryError) -> DirectoryAccount? {
        var known = cache.atHand(address)
        if known == nil {
            let arrival = Monitor<DirectoryCache.Answer?>(nil)
            let answer = cache.find(address) { answer in
                arrival.withLock { $0 = answer }
                arrival.signal()
            }
            known = answer
            if known == nil, isPatient {
                let profile = state.withLock { $0.profile } ?? DirectoryProfile()
                known = arrival.wait(milliseconds: DirectoryCache.patience(profile) + 1000) { $0 }
            }
        }
        switch known {
        case .found(let account): return account
        case .missing: return nil
        case .unavailable(let detail): throw DirectoryError(detail)
        case nil: throw DirectoryError("the directory has not answered yet")
        }
    }

    /// - Parameters:
    ///   - addresses: folded.
    ///   - ready: called once on any thread, unless everything is at hand.
    /// - Returns: whether everything is at hand.
    func prepare(_ addresses: [MailAddress], _ ready: @escaping @Sendable () -> Void) -> Bool {
        // One more than are asked for, so that it cannot be over before all are asked.
        let missing = Monitor(addresses.count + 1)
        let arrived: @Sendable () -> Void = {
            let isLast = missing.withLock { count in
                count -= 1
                return count == 0
            }
            if isLast { ready() }
        }
        var isWaiting = false
        for address in addresses {
            if cache.find(address, completion: { _ in arrived() }) == nil {
                isWaiting = true
            } else {
                missing.withLock { $0 -= 1 }
            }
        }
        if isWaiting { arrived() }
        return !isWaiting
    }

    /// - Parameter client: address of whoever logs in, for PAM.
    func check(
        _ password: [UInt8], of address: MailAddress, client address2: String,
        completion: @escaping @Sendable (ForeignFinding) -> Void
    ) {
        guard let profile = state.withLock({ $0.profile }) else {
            return completion(.unavailable("accounts are our own"))
        }
        // An empty password would be an anonymous bind, which succeeds (RFC 4513 §5.1.2).
        guard !password.isEmpty else { return completion(.wrong("an empty password")) }
        let fields = [Array(address.localPart.utf8), Array(address.domain.utf8), password, Array(address2.utf8)]
        client.ask(.check, fields, profile, milliseconds: Self.checkPatience(profile)) { answer in
            switch answer {
            case .right: completion(.right)
            case .wrong(let finding): completion(.wrong(finding))
            case .unavailable(let detail): completion(.unavailable(detail))
            case .found, .missing, .list, .report: completion(.unavailable("an answer to another question"))
            }
        }
    }

    /// Modules of PAM may ask far away.
    private static func checkPatience(_ profile: DirectoryProfile) -> Int {
        max(20_000, DirectoryCache.patience(profile) + profile.timeout * 1000)
    }

    /// All accounts, `limit` at most. Waits: not for event loops.
    package func list(_ settings: SettingsSnapshot, limit: Int) throws(DirectoryError) -> [DirectoryAccount] {
        let fields = [Array(String(limit).utf8)]
        switch wait(.list, fields, settings, milliseconds: 120_000) {
        case .list(let accounts): return accounts
        case .unavailable(let detail): throw DirectoryError(detail)
        default: throw DirectoryError("an answer to another question")
        }
    }

    /// Tries what the settings say, which need not be in force. Waits: not for event loops.
    package func test(
        _ settings: SettingsSnapshot, _ address: MailAddress?
    ) throws(DirectoryError) -> [DirectoryStep] {
        let fields = [address?.localPart ?? "", address?.domain ?? ""].map { Array($0.utf8) }
        switch wait(.test, fields, settings, milliseconds: 120_000) {
        case .report(let steps): return steps
        case .unavailable(let detail): throw DirectoryError(detail)
        default: throw DirectoryError("an answer to another question")
        }
    }

    private func wait(
        _ kind: DirectoryFrame.Kind, _ fields: [[UInt8]], _ settings: SettingsSnapshot, milliseconds: Int
    ) -> DirectoryClient.Answer {
        guard let profile = DirectoryProfile(settings) else { return .unavailable("accounts are the server's own") }
        let arrival = Monitor<DirectoryClient.Answer?>(nil)
        client.ask(kind, fields, profile, milliseconds: milliseconds) { answer in
            arrival.withLock { $0 = answer }
            arrival.signal()
        }
        return arrival.wait { $0 }
    }
}
