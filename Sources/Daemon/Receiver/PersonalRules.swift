import Glibc
import Synchronization
import Tables
import Threads

/// Rules that stand in a user's mailbox folder: usetime.dat, when it may send (R-ACC-37), and sender.dat, whom it may
/// write to (R-ACC-42). Looked at again once a second at most. Any thread.
final class PersonalRules: Sendable {
    struct Rules: Sendable {
        /// Whether sending is permitted now.
        var permits = true
        var restriction = RecipientRestriction.none
    }

    /// Mailbox folders; `nil`: there is none.
    struct Users: Sendable, Hashable {
        /// Whose recipients are restricted: the authenticated account, else the envelope sender's.
        var acting: String?
        /// The account in the envelope sender: its hours count too.
        var sender: String?
    }

    private struct Entry: Sendable {
        var useTime: UseTime
        var restriction: RecipientRestriction
        /// Monotonic milliseconds.
        var readAt: Int64
    }
    private let entries = Mutex<[String: Entry]>([:])

    private static let lifetime: Int64 = 1_000
    private static let capacity = 2_000
    /// Octets of a file that are read.
    private static let fileLimit = 1 << 20

    /// What is known without a look at the disk; `nil`: ask `read`.
    func known(_ users: Users) -> Rules? {
        let now = SystemClock.monotonic()
        let folders = Set([users.acting, users.sender].compactMap(\.self))
        var found: [String: Entry] = [:]
        entries.withLock { entries in
            for folder in folders {
                if let entry = entries[folder], now - entry.readAt < Self.lifetime { found[folder] = entry }
            }
        }
        return found.count == folders.count ? Self.rules(users, found) : nil
    }

    /// Reads the files. Not on an event loop.
    func read(_ users: Users) -> Rules {
        var found: [String: Entry] = [:]
        for folder in Set([users.acting, users.sender].compactMap(\.self)) { found[folder] = Self.entry(folder) }
        entries.withLock { entries in
            if entries.count >= Self.capacity { entries = [:] }
            entries.merge(found) { _, new in new }
        }
        return Self.rules(users, found)
    }

    private static func rules(_ users: Users, _ found: [String: Entry]) -> Rules {
        let acting = users.acting.flatMap { found[$0] }
        let sender = users.sender.flatMap { found[$0] }
        let (weekday, minute) = localTime()
        let permits = [acting, sender].allSatisfy { $0?.useTime.permits(weekday: weekday, minute: minute) ?? true }
        return Rules(permits: permits, restriction: acting?.restriction ?? .none)
    }

    /// A file with faults counts as far as it can be read: its good lines restrict, none opens.
    private static func entry(_ folder: String) -> Entry {
        let useTime = text(folder, UseTime.fileName).map { UseTime.read($0).value } ?? .unlimited
        let restriction =
            text(folder, RecipientRestriction.fileName).map { RecipientRestriction.read($0).value } ?? .none
        return Entry(useTime: useTime, restriction: restriction, readAt: SystemClock.monotonic())
    }

    /// Names in capitals come from the original's system (field notes C14).
    private static func text(_ folder: String, _ name: String) -> TableText? {
        for candidate in [name, name.uppercased()] {
            let descriptor = open("\(folder)/\(candidate)", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
            guard descriptor >= 0 else { continue }
            defer { close(descriptor) }
            var status = stat()
            guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
            var octets = [UInt8](repeating: 0, count: min(Int(status.st_size), fileLimit))
            var count = 0
            while count < octets.count {
                let got = octets[count...].withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
                if got <= 0 { break }
                count += got
            }
            return TableText(octets: octets.prefix(count))
        }
        return nil
    }

    private static func localTime() -> (weekday: Int, minute: Int) {
        var seconds = time(nil)
        var local = tm()
        guard localtime_r(&seconds, &local) != nil else { return (0, 0) }
        return (Int(local.tm_wday), Int(local.tm_hour) * 60 + Int(local.tm_min))
    }
}
