import Control
import Mailbox
import Store
import Synchronization

/// What mailboxes hold and what their control files do, for people: counted where no file says it, remembered for a
/// moment, never for longer than two seconds at a time.
final class MailboxMeasure: Sendable {
    private struct Known {
        var usage: MailboxUsage
        var at: Int
    }
    private let known = Mutex<[String: Known]>([:])

    /// Milliseconds for which a figure is believed.
    private static let lifetime = 5_000
    /// Milliseconds that one question may take.
    private static let patience = 2_000
    /// Figures kept at most.
    private static let capacity = 10_000

    func usages(of mailboxes: [(account: String, place: MailboxPlace, limit: Int)]) -> [MailboxUsageRow] {
        let end = Clock.monotonic() + Self.patience
        return mailboxes.map { account, place, limit in
            let used = usage(of: place, limit: limit, until: end)
            return MailboxUsageRow(
                account: account, octets: used?.octets, messages: used?.messages, limit: limit,
                control: Clock.monotonic() < end ? ControlStateReader.state(of: place) : nil)
        }
    }

    /// An entry whose mailbox no file tells about, with what was counted.
    func completed(_ entry: AccountEntry, _ browser: AccountBrowser) throws(ControlError) -> AccountEntry {
        guard entry.usedOctets == nil else { return entry }
        let found = usages(of: try browser.mailboxes(of: [entry.account], in: entry.domain)).first
        var entry = entry
        entry.usedOctets = found?.octets
        entry.usedMessages = found?.messages
        return entry
    }

    private func usage(of place: MailboxPlace, limit: Int, until end: Int) -> MailboxUsage? {
        let now = Clock.monotonic()
        let path = place.path
        if let recent = known.withLock({ $0[path] }), now - recent.at < Self.lifetime { return recent.usage }
        guard now < end, let location = MailboxLocation(base: place.base, folders: place.folders),
            let used = try? MaildirStore.measure(location, limit: limit)
        else { return nil }
        known.withLock { known in
            if known.count >= Self.capacity { known.removeAll() }
            known[path] = Known(usage: used, at: now)
        }
        return used
    }
}
