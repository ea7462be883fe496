import MailModel
import Tables

/// When guessing leads to a lock, and how slow it is.
package struct SentrySettings: Hashable, Sendable {
    /// Failed authentications of one address within `window` that lock it; 0 = never.
    package var addressFailures: Int
    /// The same of one account, from wherever.
    package var accountFailures: Int
    /// Seconds.
    package var window: Int
    /// Seconds that a lock lasts; 0 = until it is released.
    package var lockTime: Int
    /// Connections of one address within `connectionWindow` that lock it; 0 = never.
    package var connections: Int
    /// Seconds.
    package var connectionWindow: Int
    /// Seconds that each failure but the first of an address makes the next answer wait.
    package var delay: Int

    package init(
        addressFailures: Int = 10, accountFailures: Int = 20, window: Int = 600, lockTime: Int = 1800,
        connections: Int = 0, connectionWindow: Int = 60, delay: Int = 1
    ) {
        self.addressFailures = addressFailures
        self.accountFailures = accountFailures
        self.window = window
        self.lockTime = lockTime
        self.connections = connections
        self.connectionWindow = connectionWindow
        self.delay = delay
    }
}

/// Why somebody is locked out.
package struct LockFacts: Hashable, Sendable, Codable {
    package enum Cause: String, Hashable, Sendable, Codable { case failures, connections, manual }
    package var cause: Cause
    /// Seconds since 1970 when it ends; `nil`: by hand only.
    package var until: Int64?
    /// The line of its table; `nil`: not written yet.
    package var source: RuleSource?

    package init(cause: Cause, until: Int64?, source: RuleSource? = nil) {
        self.cause = cause
        self.until = until
        self.source = source
    }
}

/// A lock that was just made, to be written down and told.
package struct NewLock: Hashable, Sendable {
    package let kind: LockTable.Kind
    package let subject: String
    /// Seconds since 1970.
    package let since: Int64
    package let cause: LockFacts.Cause
    /// What was counted.
    package let count: Int
}

/// Counts failures and connections, and knows who is locked. Time is a parameter, seconds since 1970. Bounded: what a
/// flood of addresses brings is forgotten again, those that failed most last.
package struct Sentry: Sendable {
    private struct Tally {
        var first: Int64
        var count: Int
    }
    private struct Pair: Hashable {
        var account: String
        var address: IPAddress
    }

    package var settings: SentrySettings
    private var failures: [IPAddress: Tally] = [:]
    private var accountFailures: [String: Tally] = [:]
    private var connections: [IPAddress: Tally] = [:]
    /// Attempts that wait for their answer: many at once must not be many guesses.
    private var underWay: [IPAddress: Int] = [:]
    /// Locks that no table shows yet.
    private var fresh: [IPAddress: NewLock] = [:]
    private var freshAccounts: [String: NewLock] = [:]
    /// Where accounts logged in before, and when: a lock of the account does not shut its user out.
    private var familiar: [Pair: Int64] = [:]
    private var addresses = LockTable(kind: .address)
    private var accounts = LockTable(kind: .account)

    /// Subjects of one kind that are remembered at most.
    package static let capacity = 20_000
    /// Seconds that an address stays familiar.
    package static let familiarity: Int64 = 30 * 86_400
    /// Longest wait for an answer, seconds.
    package static let longestDelay = 10

    package init(settings: SentrySettings = SentrySettings()) { self.settings = settings }

    /// Tables as they stand in their files. What they show need not be remembered here.
    package mutating func take(addresses: LockTable, accounts: LockTable) {
        self.addresses = addresses
        self.accounts = accounts
        for address in fresh.keys where !addresses.entries(for: address).isEmpty { fresh[address] = nil }
        for account in freshAccounts.keys where !accounts.entries(for: account).isEmpty { freshAccounts[account] = nil }
    }

    /// Everything counted about a subject is forgotten; the table's line goes elsewhere.
    package mutating func release(_ subject: String, _ kind: LockTable.Kind) {
        switch kind {
        case .account:
            accountFailures[subject] = nil
            freshAccounts[subject] = nil
        case .address:
            guard let pattern = IPPattern(subject) else { return }
            for address in fresh.keys where pattern.contains(address) { fresh[address] = nil }
            for address in failures.keys where pattern.contains(address) { failures[address] = nil }
            for address in connections.keys where pattern.contains(address) { connections[address] = nil }
        }
    }

    // MARK: Addresses

    /// One IPv6 subscriber has a network of 64 bits and may take any address of it.
    static func key(_ address: IPAddress) -> IPAddress { address.isIPv4 ? address : address.masked(to: 64) }

    /// This machine and what the table allows are never locked.
    private func isExempt(_ client: IPAddress, _ local: IPAddress) -> Bool {
        client == local || client == IPAddress("127.0.0.1") || client == IPAddress("::1")
            || addresses.entries(for: client).contains { $0.word == .allow }
    }

    package func lock(of client: IPAddress, local: IPAddress, now: Int64) -> LockFacts? {
        if isExempt(client, local) { return nil }
        let entry =
            addresses.entries(for: client).first { !isOver($0, now) }
            ?? addresses.entries(for: Self.key(client)).first { !isOver($0, now) }
        if let entry { return facts(entry, .address) }
        return fresh[Self.key(client)].flatMap { facts($0, now) }
    }

    private func isOver(_ entry: LockTable.Entry, _ now: Int64) -> Bool {
        LockTable.isOver(entry, now: now, lockTime: settings.lockTime)
    }

    private func facts(_ entry: LockTable.Entry, _ kind: LockTable.Kind) -> LockFacts {
        let cause: LockFacts.Cause =
            entry.word == .iplock ? .connections : entry.since == nil ? .manual : .failures
        return LockFacts(
            cause: cause, until: entry.since.flatMap(end), source: .table(file: kind.fileName, line: entry.line))
    }

    /// - Returns: `nil` when it is over.
    private func facts(_ lock: NewLock, _ now: Int64) -> LockFacts? {
        let until = end(lock.since)
        if let until, now >= until { return nil }
        return LockFacts(cause: lock.cause, until: until)
    }

    private func end(_ since: Int64) -> Int64? { settings.lockTime > 0 ? since + Int64(settings.lockTime) : nil }

    /// Counts a connection. - Returns: the lock that it leads to.
    package mutating func connected(_ client: IPAddress, local: IPAddress, now: Int64) -> NewLock? {
        guard settings.connections > 0, !isExempt(client, local) else { return nil }
        let key = Self.key(client)
        let count = Self.count(key, in: &connections, within: settings.connectionWindow, now: now)
        guard count >= settings.connections, fresh[key].flatMap({ facts($0, now) }) == nil else { return nil }
        connections[key] = nil
        return remember(key, .connections, count, now)
    }

    // MARK: Authentication

    package enum Start: Hashable, Sendable {
        /// - Parameter isAccountLocked: check all the same, and say no.
        case check(isAccountLocked: Bool)
        case addressLocked(LockFacts)
        /// As many attempts of this address wait for their answers as it may fail.
        case tooMany
    }

    /// An attempt begins; `ended` must follow when it is checked.
    package mutating func begin(_ client: IPAddress, local: IPAddress, account: String, now: Int64) -> Start {
        if let lock = lock(of: client, local: local, now: now) { return .addressLocked(lock) }
        let key = Self.key(client)
        if settings.addressFailures > 0, !isExempt(client, local) {
            let failed = Self.current(failures[key], within: settings.window, now: now)
            if failed + underWay[key, default: 0] >= settings.addressFailures { return .tooMany }
        }
        underWay[key, default: 0] += 1
        return .check(isAccountLocked: isLocked(account, from: client, now: now))
    }

    package mutating func ended(_ client: IPAddress) {
        let key = Self.key(client)
        let left = underWay[key, default: 1] - 1
        underWay[key] = left > 0 ? left : nil
    }

    /// The lock that an administrator put on an account: it may not send at all.
    package func permanentLock(of account: String) -> LockFacts? {
        accounts.entries(for: account).first { $0.since == nil && $0.word != .allow }.map { facts($0, .account) }
    }

    private func isLocked(_ account: String, from client: IPAddress, now: Int64) -> Bool {
        let entries = accounts.entries(for: account)
        if entries.contains(where: { $0.word == .allow }) { return false }
        if entries.contains(where: { $0.since == nil }) { return true }
        let isLocked =
            entries.contains { !isOver($0, now) } || freshAccounts[account].flatMap { facts($0, now) } != nil
        guard isLocked else { return false }
        guard let last = familiar[Pair(account: account, address: Self.key(client))] else { return true }
        return now - last > Self.familiarity
    }

    package mutating func succeeded(_ client: IPAddress, account: String, now: Int64) {
        let pair = Pair(account: account, address: Self.key(client))
        if familiar.count >= Self.capacity, familiar[pair] == nil {
            familiar = familiar.filter { now - $0.value <= Self.familiarity / 30 }
            if familiar.count >= Self.capacity { return }
        }
        familiar[pair] = now
    }

    /// A login of before this start; one that came since counts more.
    package mutating func recall(_ client: IPAddress, account: String, at time: Int64) {
        let pair = Pair(account: account, address: Self.key(client))
        if let known = familiar[pair], known >= time { return }
        if familiar.count < Self.capacity || familiar[pair] != nil { familiar[pair] = time }
    }

    /// Counts a failure.
    /// - Returns: seconds to wait before the answer, and the locks that it leads to.
    package mutating func failed(
        _ client: IPAddress, local: IPAddress, account: String, now: Int64
    ) -> (delay: Int, locks: [NewLock]) {
        var locks: [NewLock] = []
        let ofAccount = Self.count(account, in: &accountFailures, within: settings.window, now: now)
        if settings.accountFailures > 0, ofAccount >= settings.accountFailures {
            accountFailures[account] = nil
            let lock = NewLock(kind: .account, subject: account, since: now, cause: .failures, count: ofAccount)
            Self.store(lock, account, in: &freshAccounts, now: now, lockTime: settings.lockTime)
            locks.append(lock)
        }
        guard !isExempt(client, local) else { return (0, locks) }
        let key = Self.key(client)
        let count = Self.count(key, in: &failures, within: settings.window, now: now)
        if settings.addressFailures > 0, count >= settings.addressFailures {
            failures[key] = nil
            locks.append(remember(key, .failures, count, now))
        }
        return (min(Self.longestDelay, settings.delay * (count - 1)), locks)
    }

    private mutating func remember(
        _ key: IPAddress, _ cause: LockFacts.Cause, _ count: Int, _ now: Int64
    ) -> NewLock {
        let lock = NewLock(
            kind: .address, subject: key.isIPv4 ? key.description : "\(key)/64", since: now, cause: cause,
            count: count)
        Self.store(lock, key, in: &fresh, now: now, lockTime: settings.lockTime)
        return lock
    }

    // MARK: Counting

    private static func current(_ tally: Tally?, within window: Int, now: Int64) -> Int {
        guard let tally, now >= tally.first, now - tally.first < Int64(window) else { return 0 }
        return tally.count
    }

    private static func count<Key>(
        _ key: Key, in tallies: inout [Key: Tally], within window: Int, now: Int64
    ) -> Int {
        let before = current(tallies[key], within: window, now: now)
        if tallies[key] == nil, tallies.count >= capacity {
            tallies = tallies.filter { current($0.value, within: window, now: now) > 1 }
            if tallies.count >= capacity { return 1 }
        }
        tallies[key] =
            before == 0 ? Tally(first: now, count: 1) : Tally(first: tallies[key]?.first ?? now, count: before + 1)
        return before + 1
    }

    private static func store<Key>(
        _ lock: NewLock, _ key: Key, in locks: inout [Key: NewLock], now: Int64, lockTime: Int
    ) {
        if locks.count >= capacity, lockTime > 0 {
            locks = locks.filter { now < $0.value.since + Int64(lockTime) }
        }
        if locks.count < capacity || locks[key] != nil { locks[key] = lock }
    }
}
