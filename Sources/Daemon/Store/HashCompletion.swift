import Control
import Crypto
import Database
import Glibc
import MailModel
import Settings
import Threads

extension StoreWriter {
    /// Makes whole some of the password hashes of which a mass import made the first step only, in the accounts and in
    /// the history. No revision: the passwords are the same. Computes outside the lock.
    ///
    /// The administrator's comes first, then those of accounts that are in use.
    /// - Parameters:
    ///   - limit: hashes at most; each takes some 40 ms of a core.
    ///   - workers: threads that compute: this one, and others in time that nobody else wants.
    /// - Returns: how many were made whole; 0 when none is left.
    package func completeHashes(limit: Int, workers: Int = 1) throws(ControlError) -> Int {
        let first = Self.firstStep
        let administrator = MailAddress(typed: try snapshot()[AdminSettings.account])?.folded
        var found = try locked { connection, _ in
            try connection.rows(
                """
                SELECT domain, folded, password FROM accounts WHERE password GLOB '\(first)*'
                ORDER BY domain=?2 AND folded=?3 DESC, enabled DESC LIMIT ?1
                """,
                DatabaseValue(limit), .text(administrator?.domain ?? ""), .text(administrator?.localPart ?? "")
            ) { (path: "account/\(MailAddress(localPart: $0.text(1), domain: $0.text(0)).text)", hash: $0.text(2)) }
        }
        if found.isEmpty { found = try firstStepsInHistory(limit: limit) }
        let ready = Self.made(of: found, workers: workers)
        guard !ready.isEmpty else { return 0 }
        try locked { connection, _ in
            try connection.transaction {
                for (path, old, new) in ready { try Self.replace(old, by: new, path, connection) }
            }
        }
        return ready.count
    }

    private typealias Made = (path: String, old: String, new: String)

    /// SCHED_IDLE (sched(7)): computes while nobody else wants the core. Only for threads that hold no lock.
    private static let idleScheduling: Int32 = 5

    /// Threads that compute in idle time, those included that an earlier call did not wait for.
    private static let helpers = Monitor(0)

    private static func made(of found: [(path: String, hash: String)], workers: Int) -> [Made] {
        let shared = Monitor((next: 0, results: [String?](repeating: nil, count: found.count)))
        let compute: @Sendable (Int) -> Void = { index in
            let new = PasswordHash(text: found[index].hash)?.completed()?.text
            shared.withLock { $0.results[index] = new }
        }
        let work: @Sendable () -> Void = {
            while let index = shared.withLock({ state -> Int? in
                guard state.next < found.count else { return nil }
                state.next += 1
                return state.next - 1
            }) { compute(index) }
        }
        for _ in 1..<max(1, min(workers, found.count)) { help(workers - 1, work) }
        // Whatever else the machine has to do, this one goes on, and waits for none of the others: what they have begun
        // and not ended by now is made here.
        work()
        for index in found.indices where shared.withLock({ $0.results[index] == nil }) { compute(index) }
        let results = shared.withLock { $0.results }
        return zip(found, results).compactMap { item, new in new.map { (item.path, item.hash, $0) } }
    }

    /// Has a thread do the same in time that nobody else wants, unless `limit` are at it already.
    private static func help(_ limit: Int, _ work: @escaping @Sendable () -> Void) {
        let isWelcome = helpers.withLock { count in
            guard count < limit else { return false }
            count += 1
            return true
        }
        guard isWelcome else { return }
        let thread = Thread(name: "hash") {
            var parameters = sched_param()
            sched_setscheduler(0, idleScheduling, &parameters)
            work()
            helpers.withLock { $0 -= 1 }
        }
        if thread == nil { helpers.withLock { $0 -= 1 } }
        thread?.detach()
    }

    /// Accounts whose hash is not whole yet.
    package func incompleteHashes() throws(ControlError) -> Int {
        try locked { connection, _ in
            try connection.first("SELECT count(*) FROM accounts WHERE password GLOB '\(Self.firstStep)*'") { $0.int(0) }
                ?? 0
        }
    }

    private static let firstStep = "$pbkdf2-sha256$"

    private static func replace(_ old: String, by new: String, _ path: String, _ connection: Connection) throws {
        try connection.run(
            "UPDATE accounts SET password=?1 WHERE password=?2 AND domain=?3 AND folded=?4", values(path, new, old))
        let rows = try connection.rows(
            "SELECT revision, position, old, new FROM changes WHERE path=?", .text(path)
        ) { ($0.integer(0), $0.integer(1), $0.optionalText(2), $0.optionalText(3)) }
        func replaced(_ text: String?) -> String? {
            text.flatMap(Texts.decode).map { $0.map { $0 == "password=\(old)" ? "password=\(new)" : $0 } }
                .map(Texts.encode)
        }
        for (revision, position, before, after) in rows {
            let texts = (replaced(before), replaced(after))
            guard texts != (before, after) else { continue }
            try connection.run(
                "UPDATE changes SET old=?, new=? WHERE revision=? AND position=?", DatabaseValue(texts.0),
                DatabaseValue(texts.1), .integer(revision), .integer(position))
        }
    }

    private static func values(_ path: String, _ new: String, _ old: String) -> [DatabaseValue] {
        let address = MailAddress(typed: String(path.dropFirst("account/".count)))?.folded
        return [.text(new), .text(old), .text(address?.domain ?? ""), .text(address?.localPart ?? "")]
    }

    /// Of accounts that were removed or changed before their turn came.
    private func firstStepsInHistory(limit: Int) throws(ControlError) -> [(path: String, hash: String)] {
        let rows = try locked { connection, _ in
            try connection.rows(
                "SELECT path, old, new FROM changes WHERE instr(old, ?1) > 0 OR instr(new, ?1) > 0 LIMIT ?2",
                .text("password=\(Self.firstStep)"), DatabaseValue(limit)
            ) { ($0.text(0), [$0.optionalText(1), $0.optionalText(2)]) }
        }
        var seen: Set<String> = []
        return rows.flatMap { path, texts in
            texts.compactMap { $0.flatMap(Texts.decode) }.joined().compactMap { text in
                guard text.hasPrefix("password=\(Self.firstStep)"), seen.insert(text).inserted else { return nil }
                return (path, String(text.dropFirst("password=".count)))
            }
        }
    }
}
