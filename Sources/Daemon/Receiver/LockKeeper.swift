import MailModel
import Policy
import Settings
import Store
import Synchronization
import Tables
import Usage

/// The sentry of all sessions: what it decides is `Policy`'s, what it reads are the two tables of locks. Any thread.
final class LockKeeper: Sendable {
    private let sentry: Mutex<Sentry>
    private let directory: any Directory
    private let tell: @Sendable (NewLock) -> Void

    /// - Parameter tell: takes locks that were just made; any thread.
    init(directory: any Directory, tell: @escaping @Sendable (NewLock) -> Void) {
        sentry = Mutex(Sentry())
        self.directory = directory
        self.tell = tell
    }

    // MARK: Settings and tables

    func apply(_ settings: SettingsSnapshot) {
        let new = SentrySettings(
            addressFailures: settings[ReceiverSettings.lockAddressFailures],
            accountFailures: settings[ReceiverSettings.lockAccountFailures],
            window: settings[ReceiverSettings.lockWindow], lockTime: settings[ReceiverSettings.lockTime],
            connections: settings[ReceiverSettings.lockConnections],
            connectionWindow: settings[ReceiverSettings.lockConnectionWindow],
            delay: settings[ReceiverSettings.authFailureDelay])
        sentry.withLock { $0.settings = new }
    }

    /// - Returns: what is to be told about the tables, for the log.
    func read(_ layout: Layout) -> [String] {
        var complaints: [String] = []
        func table(_ kind: LockTable.Kind) -> LockTable? {
            switch ReceiverTables.octets(layout.conf + "/" + kind.fileName) {
            case .success(let octets):
                let reading = LockTable.read(TableText(octets: octets ?? []), kind: kind)
                complaints += reading.problems.prefix(5).map {
                    "\(kind.fileName):\($0.line): \($0.message) (the line is left out)"
                }
                return reading.value
            case .failure(let error):
                complaints.append("\(kind.fileName): \(error.text)")
                return nil
            }
        }
        if let addresses = table(.address), let accounts = table(.account) {
            sentry.withLock { $0.take(addresses: addresses, accounts: accounts) }
        }
        return complaints
    }

    func release(_ subject: String, _ kind: LockTable.Kind) { sentry.withLock { $0.release(subject, kind) } }

    /// Addresses from which accounts logged in before this start: the book of sessions remembers them, so that a lock
    /// of an account leaves its own user in after a restart too.
    func recall(_ usage: String) {
        guard let archive = try? UsageArchive(path: usage), let found = try? archive.origins(limit: Sentry.capacity)
        else { return }
        // The oldest first, as they came.
        for origin in found.reversed() {
            guard let client = IPAddress(origin.client) else { continue }
            sentry.withLock { $0.recall(client, account: origin.account, at: origin.time / 1000) }
        }
    }

    // MARK: Sessions

    /// Counts a connection. - Returns: why the client is locked out.
    func connected(_ client: IPAddress, local: IPAddress) -> LockFacts? {
        let now = Self.now
        let (lock, new) = sentry.withLock { sentry -> (LockFacts?, NewLock?) in
            if let lock = sentry.lock(of: client, local: local, now: now) { return (lock, nil) }
            let new = sentry.connected(client, local: local, now: now)
            return (new == nil ? nil : sentry.lock(of: client, local: local, now: now), new)
        }
        if let new { tell(new) }
        return lock
    }

    /// Why a client is locked out now; nothing is counted.
    func lock(of client: IPAddress, local: IPAddress) -> LockFacts? {
        let now = Self.now
        return sentry.withLock { $0.lock(of: client, local: local, now: now) }
    }

    func begin(_ client: IPAddress, local: IPAddress, account: String) -> Sentry.Start {
        let now = Self.now
        return sentry.withLock { $0.begin(client, local: local, account: account, now: now) }
    }

    /// An attempt that was begun was checked, without a result that counts.
    func ended(_ client: IPAddress) { sentry.withLock { $0.ended(client) } }

    func succeeded(_ client: IPAddress, account: String) {
        let now = Self.now
        sentry.withLock { $0.succeeded(client, account: account, now: now) }
    }

    /// - Returns: seconds to wait before the answer.
    func failed(_ client: IPAddress, local: IPAddress, account: String) -> Int {
        let now = Self.now
        let (delay, locks) = sentry.withLock { $0.failed(client, local: local, account: account, now: now) }
        for lock in locks where lock.kind == .address || exists(lock.subject) { tell(lock) }
        return delay
    }

    /// A name that nobody has is locked here, so that it answers like any other, but not written down.
    private func exists(_ account: String) -> Bool {
        guard let address = MailAddress(typed: account) else { return false }
        return (try? directory.account(address)) != nil
    }

    func permanentLock(of account: MailAddress) -> LockFacts? {
        sentry.withLock { $0.permanentLock(of: account.folded.text) }
    }

    private static var now: Int64 { ReceiverCore.now / 1000 }
}
