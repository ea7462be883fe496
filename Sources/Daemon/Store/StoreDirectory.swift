import Database
import DirectoryWire
import MailModel
import Settings
import Synchronization
import Tables
import Threads

/// The directory that services use: reads `store.db`, never writes it. Settings and domains are kept in memory until
/// SQLite tells that another process committed; accounts are looked up by index.
package final class StoreDirectory: Directory, @unchecked Sendable {
    // Sendable by hand: connection and cache are used inside `lock` only.
    private let lock = Mutex<Void>(())
    private let connection: Connection
    private let reader: StoreReader
    private var version: Int64 = -1
    private var snapshot: SettingsSnapshot
    private var known: [DomainRecord] = []
    private var positions: [String: Int] = [:]
    /// Accounts asked for since the last change. Only what exists: a missing one is always looked for anew.
    private var accountsAtHand: [MailAddress: AccountRecord] = [:]
    /// Rules of aliases asked for since the last change; an empty list for names that are none.
    private var aliasesAtHand: [MailAddress: [AliasRule]] = [:]
    private var hasAliases = false
    private let foreign: ForeignAccounts
    private var isForeign = false
    /// Monotonic milliseconds of the last look at `data_version`.
    private var lookedAt: Int64 = -1

    /// So long an answer may lag behind the store where nothing is refused for it, milliseconds.
    private static let lag: Int64 = 5
    private static let accountLimit = 10_000

    /// - Parameter isPatient: whether callers wait for accounts of the system or of a directory that are not at hand;
    ///   else they are refused an answer, and make sure of it by `prepare`.
    /// - Throws: when the store is missing, of another version or damaged.
    package init(layout: Layout, isPatient: Bool = true) throws(DirectoryError) {
        foreign = ForeignAccounts(layout: layout, isPatient: isPatient)
        snapshot = SettingsSnapshot(layout: layout)
        do {
            let options = Connection.Options(busyTimeout: 2_000, cacheSize: 1 << 20)
            connection = try Connection(path: layout.store, mode: .readOnly, options: options)
            let found = try connection.first("PRAGMA user_version") { $0.integer(0) } ?? 0
            guard found == Schema.version else {
                throw DatabaseError(.other, "\(layout.store) has schema version \(found), not \(Schema.version)")
            }
        } catch let error as DatabaseError {
            throw DirectoryError(error.detail)
        } catch {
            throw DirectoryError("\(error)")
        }
        reader = StoreReader(connection: connection, layout: layout)
        _ = try settings()
    }

    /// - Parameter isExact: nothing committed before the call may be missed.
    private func ask<Value: Sendable>(
        isExact: Bool = true, _ question: (StoreDirectory) throws(DatabaseError) -> Value
    ) throws(DirectoryError) -> Value {
        let answer: Result<Value, DatabaseError> = lock.withLock { _ in
            do throws(DatabaseError) {
                try refresh(isExact: isExact)
                return .success(try question(self))
            } catch {
                return .failure(error)
            }
        }
        switch answer {
        case .success(let value): return value
        case .failure(let error): throw DirectoryError(error.detail)
        }
    }

    /// `data_version` changes when another connection has committed: one read of shared memory, no disk.
    private func refresh(isExact: Bool) throws(DatabaseError) {
        let now = SystemClock.monotonic()
        if !isExact, now - lookedAt < Self.lag { return }
        lookedAt = now
        let current = try connection.first("PRAGMA data_version") { $0.integer(0) } ?? 0
        guard current != version else { return }
        // The version was read first: a commit in between is seen again at the next question.
        snapshot = try reader.snapshot()
        isForeign = foreign.use(snapshot)
        known = try reader.domains()
        positions = Dictionary(known.enumerated().map { ($0.element.name, $0.offset) }) { first, _ in first }
        accountsAtHand = [:]
        aliasesAtHand = [:]
        hasAliases = try reader.hasAliases()
        version = current
    }

    package func settings() throws(DirectoryError) -> SettingsSnapshot { try ask { $0.snapshot } }
    package func settingsAtHand() throws(DirectoryError) -> SettingsSnapshot { try ask(isExact: false) { $0.snapshot } }
    package func revision() throws(DirectoryError) -> Int64 { try ask { $0.snapshot.revision } }
    package func domains() throws(DirectoryError) -> [DomainRecord] { try ask { $0.known } }

    package func domain(named name: String) throws(DirectoryError) -> DomainRecord? {
        let folded = name.lowercased()
        return try ask(isExact: false) { directory throws(DatabaseError) in
            if let position = directory.positions[folded] { return directory.known[position] }
            try directory.refresh(isExact: true)
            return directory.positions[folded].map { directory.known[$0] }
        }
    }

    package func account(_ address: MailAddress) throws(DirectoryError) -> AccountRecord? {
        let folded = address.folded
        let (own, domain) = try ask(isExact: false) { directory throws(DatabaseError) in try directory.own(folded) }
        guard let domain else { return own }
        guard let found = try foreign.account(folded) else { return nil }
        if found.name == folded.localPart { return AccountRecord(found, domain: domain, own: own) }
        // Another name of the account: what we keep stands under its own.
        let (kept, _) = try ask(isExact: false) { directory throws(DatabaseError) in
            try directory.own(MailAddress(localPart: found.name, domain: domain))
        }
        return AccountRecord(found, domain: domain, own: kept)
    }

    /// What the store has of an account.
    /// - Returns: with the domain's name when the account itself is the system's or a directory's.
    private func own(_ folded: MailAddress) throws(DatabaseError) -> (record: AccountRecord?, foreign: String?) {
        if let found = accountsAtHand[folded] { return (found, isForeign ? folded.domain : nil) }
        try refresh(isExact: true)
        guard positions[folded.domain] != nil else { return (nil, nil) }
        let found = try reader.account(folded)
        if accountsAtHand.count >= Self.accountLimit { accountsAtHand = [:] }
        accountsAtHand[folded] = found
        return (found, isForeign ? folded.domain : nil)
    }

    package var asksElsewhere: Bool { (try? ask(isExact: false) { $0.isForeign }) ?? false }

    package func prepare(_ addresses: [MailAddress], _ ready: @escaping @Sendable () -> Void) -> Bool {
        let folded = addresses.map(\.folded)
        let asked = try? ask(isExact: false) { directory in
            directory.isForeign ? folded.filter { directory.positions[$0.domain] != nil } : []
        }
        guard let asked, !asked.isEmpty else { return true }
        return foreign.prepare(asked, ready)
    }

    package func check(
        _ password: [UInt8], of address: MailAddress, client: String,
        completion: @escaping @Sendable (ForeignFinding) -> Void
    ) { foreign.check(password, of: address.folded, client: client, completion: completion) }

    package func secrets(of address: MailAddress) throws(DirectoryError) -> [AccountSecret] {
        try ask { directory throws(DatabaseError) in try directory.reader.secrets(of: address) }
    }

    /// All accounts of the system or of the directory, `limit` at most. Waits: not for event loops.
    package func listForeign(limit: Int) throws(DirectoryError) -> [DirectoryAccount] {
        try foreign.list(try settings(), limit: limit)
    }

    /// Tries what `settings` say, which need not be in force. Waits: not for event loops.
    package func testForeign(
        _ settings: SettingsSnapshot, _ address: MailAddress?
    ) throws(DirectoryError) -> [DirectoryStep] { try foreign.test(settings, address) }

    package func accounts(named localPart: String) throws(DirectoryError) -> [AccountRecord] {
        let folded = localPart.lowercased()
        if asksElsewhere {
            // Whoever is there is so in every domain.
            guard let first = try domains().first else { return [] }
            return try account(MailAddress(localPart: folded, domain: first.name)).map { [$0] } ?? []
        }
        return try ask { directory throws(DatabaseError) in
            let found = try directory.reader.accounts(named: folded)
            return found.filter { directory.positions[$0.domain] != nil }
                .sorted { directory.positions[$0.domain, default: 0] < directory.positions[$1.domain, default: 0] }
        }
    }

    package func aliases(of address: MailAddress) throws(DirectoryError) -> [AliasRule] {
        let folded = address.folded
        return try ask(isExact: false) { directory throws(DatabaseError) in
            if !directory.hasAliases { return [] }
            if let found = directory.aliasesAtHand[folded] { return found }
            let found = try directory.reader.aliases(folded)
            if directory.aliasesAtHand.count >= Self.accountLimit { directory.aliasesAtHand = [:] }
            directory.aliasesAtHand[folded] = found
            return found
        }
    }
}
