import Glibc
import Mailbox
import Store
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

    /// Mailboxes; `nil`: there is none.
    struct Users: Sendable, Hashable {
        /// Whose recipients are restricted: the authenticated account, else the envelope sender's.
        var acting: MailboxPlace?
        /// The account in the envelope sender: its hours count too.
        var sender: MailboxPlace?
    }

    private struct Entry: Sendable {
        var useTime: UseTime
        var restriction: RecipientRestriction
        /// Monotonic milliseconds.
        var readAt: Int64
    }
    private let entries = Mutex<[MailboxPlace: Entry]>([:])

    private static let lifetime: Int64 = 1_000
    private static let capacity = 2_000
    /// Octets of a file that are read.
    private static let fileLimit = 1 << 20

    /// What is known without a look at the disk; `nil`: ask `read`.
    func known(_ users: Users) -> Rules? {
        let now = SystemClock.monotonic()
        let folders = Set([users.acting, users.sender].compactMap(\.self))
        var found: [MailboxPlace: Entry] = [:]
        entries.withLock { entries in
            for folder in folders {
                if let entry = entries[folder], now - entry.readAt < Self.lifetime { found[folder] = entry }
            }
        }
        return found.count == folders.count ? Self.rules(users, found) : nil
    }

    /// Reads the files. Not on an event loop.
    func read(_ users: Users) -> Rules {
        var found: [MailboxPlace: Entry] = [:]
        for folder in Set([users.acting, users.sender].compactMap(\.self)) { found[folder] = Self.entry(folder) }
        entries.withLock { entries in
            if entries.count >= Self.capacity { entries = [:] }
            entries.merge(found) { _, new in new }
        }
        return Self.rules(users, found)
    }

    private static func rules(_ users: Users, _ found: [MailboxPlace: Entry]) -> Rules {
        let acting = users.acting.flatMap { found[$0] }
        let sender = users.sender.flatMap { found[$0] }
        let (weekday, minute) = localTime()
        let permits = [acting, sender].allSatisfy { $0?.useTime.permits(weekday: weekday, minute: minute) ?? true }
        return Rules(permits: permits, restriction: acting?.restriction ?? .none)
    }

    /// A file with faults counts as far as it can be read: its good lines restrict, none opens.
    private static func entry(_ folder: MailboxPlace) -> Entry {
        let useTime = text(folder, UseTime.fileName).map { UseTime.read($0).value } ?? .unlimited
        let restriction =
            text(folder, RecipientRestriction.fileName).map { RecipientRestriction.read($0).value } ?? .none
        return Entry(useTime: useTime, restriction: restriction, readAt: SystemClock.monotonic())
    }

    /// Names in any letter case (field notes C14); never through a link.
    private static func text(_ place: MailboxPlace, _ name: String) -> TableText? {
        guard let location = MailboxLocation(base: place.base, folders: place.folders),
            let files = try? MailboxFiles(location), let found = try? files.find([name])[name],
            let octets = try? files.read(found, limit: fileLimit)
        else { return nil }
        return TableText(octets: octets)
    }

    private static func localTime() -> (weekday: Int, minute: Int) {
        var seconds = time(nil)
        var local = tm()
        guard localtime_r(&seconds, &local) != nil else { return (0, 0) }
        return (Int(local.tm_wday), Int(local.tm_hour) * 60 + Int(local.tm_min))
    }
}
