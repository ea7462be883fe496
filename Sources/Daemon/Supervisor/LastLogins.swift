import Control
import MailModel
import Synchronization
import Usage

/// When accounts last logged in, as the receiver noted it. Any thread.
final class LastLogins: Sendable {
    private struct Reading {
        var archive: UsageArchive?
    }
    private let path: String
    private let reading = Mutex(Reading())

    init(path: String) { self.path = path }

    /// The entries with their last log-ins; as they are when these cannot be read: a list is worth more than that.
    func completed(_ entries: [AccountEntry]) -> [AccountEntry] {
        reading.withLock { reading in
            // Made by the first log-in of all.
            if reading.archive == nil { reading.archive = (try? UsageArchive(path: path)) ?? nil }
            guard let archive = reading.archive else { return entries }
            return entries.map { entry in
                let account = MailAddress(localPart: entry.account, domain: entry.domain).folded.text
                do {
                    guard let login = try archive.lastLogin(of: account) else { return entry }
                    var entry = entry
                    (entry.lastLogin, entry.lastClient) = (Int(login.time), login.client)
                    return entry
                } catch {
                    reading.archive = nil
                    return entry
                }
            }
        }
    }
}
