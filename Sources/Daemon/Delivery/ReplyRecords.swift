import MailModel
import Mailbox
import Synchronization
import Tables

/// Who got an automatic reply when. In memory from the moment a reply is planned, so that two mails at the same time get
/// one; in the mailbox once the reply is in the queue (`.answered`, REPLIED.TXT, NOREPLY.TXT).
final class ReplyRecords: Sendable {
    private struct Claim: Hashable {
        var mailbox: MailboxLocation
        var sender: String
    }
    /// Milliseconds of each claim whose record may not be on the disk yet.
    private let claims = Mutex<[Claim: Int64]>([:])
    /// Files are rewritten one at a time.
    private let writing = Mutex<Void>(())

    /// Lines of `.answered` at most; the oldest go.
    private static let lines = 10_000
    private static let limit = 100_000
    private static let octets = 4 << 20

    /// Whether this sender may be answered now; if so, it counts as answered from now on.
    /// - Parameter period: milliseconds; 0: everybody is always answered.
    func claim(_ sender: MailAddress, _ mailbox: MailboxLocation, period: Int64, now: Int64) -> Bool {
        guard period > 0 else { return true }
        if isAnswered(sender, mailbox, period: period, now: now) { return false }
        let claim = Claim(mailbox: mailbox, sender: sender.folded.text)
        return claims.withLock { claims in
            if let time = claims[claim], now - time < period { return false }
            if claims.count >= Self.limit { claims = [:] }
            claims[claim] = now
            return true
        }
    }

    /// Whether this sender was answered within the period. Reads the mailbox.
    func isAnswered(_ sender: MailAddress, _ mailbox: MailboxLocation, period: Int64, now: Int64) -> Bool {
        guard period > 0 else { return false }
        let text = sender.folded.text
        let claimed = claims.withLock { $0[Claim(mailbox: mailbox, sender: text)] }
        if let claimed, now - claimed < period { return true }
        let known = (try? MailboxFiles(mailbox)).map { Self.read($0) } ?? [:]
        return known[text].map { now - $0 < period } ?? false
    }

    /// The reply did not go out.
    func release(_ sender: MailAddress, _ mailbox: MailboxLocation) {
        _ = claims.withLock { $0.removeValue(forKey: Claim(mailbox: mailbox, sender: sender.folded.text)) }
    }

    /// Writes down that the reply is in the queue. Waits for the disk.
    func record(
        _ sender: MailAddress, _ mailbox: MailboxLocation, settings: ControlSettings, period: Int64, now: Int64
    ) throws(MailboxError) {
        let result: Result<Void, MailboxError> = writing.withLock { _ in
            do throws(MailboxError) {
                let files = try MailboxFiles.make(mailbox)
                let names = try files.find(ControlFileNames.all)
                if settings.recordsReplies { try Self.add(sender, ControlFileNames.replied, names, files) }
                if settings.repliesOnce { try Self.add(sender, ControlFileNames.unanswered, names, files) }
                guard period > 0 else { return .success(()) }
                var known = Self.read(files).filter { now - $0.value < period }
                known[sender.folded.text] = now
                let kept = known.sorted { $0.value > $1.value }.prefix(Self.lines)
                let text = kept.map { "\($0.value / 1_000) \($0.key)\n" }.joined()
                try files.write(ControlFileNames.answered, Array(text.utf8))
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    /// Each address stands there once (R-CTL-33).
    private static func add(
        _ sender: MailAddress, _ name: String, _ names: [String: String], _ files: MailboxFiles
    ) throws(MailboxError) {
        let found = names[name] ?? name
        var octets = names[name] == nil ? [] : try files.read(found, limit: Self.octets)
        let folded = sender.folded.text
        if AddressLines.entries(octets).contains(where: { $0.lowercased() == folded }) { return }
        if let last = octets.last, last != 0x0A { octets.append(0x0A) }
        octets += Array(sender.text.utf8) + [0x0A]
        guard octets.count < Self.octets else { return }
        try files.write(found, octets)
    }

    private static func read(_ files: MailboxFiles) -> [String: Int64] {
        guard let octets = try? files.read(ControlFileNames.answered, limit: Self.octets) else { return [:] }
        var out: [String: Int64] = [:]
        for line in AddressLines.entries(octets) {
            let parts = line.split(separator: " ", maxSplits: 1)
            guard parts.count == 2, let seconds = Int64(parts[0]), seconds < 1 << 40 else { continue }
            out[String(parts[1])] = seconds * 1_000
        }
        return out
    }
}
