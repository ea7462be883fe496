import Facts
import MailModel
import Mailbox
import Policy
import Synchronization
import Tables

/// The control files of mailboxes, read and kept. An account without IMS.CTL costs a look into memory per message.
///
/// What is kept counts for `lifetime`; then the stamps of the mailbox's folder and of the files tell whether anything
/// must be read again. A change of any setting, domain or account (which is what the console makes together with the
/// files) has another revision and ends it at once. So: changed by the console, in force at once; changed by hand,
/// within two seconds.
final class AccountControls: Sendable {
    /// Milliseconds.
    static let lifetime: Int64 = 2_000
    /// Accounts that are kept; then all are dropped.
    private static let limit = 20_000

    private struct Entry: Sendable {
        var control: AccountControl?
        /// Why IMS.CTL is not followed.
        var trouble: String?
        var revision: Int64
        var checkedAt: Int64
        var folder: MailboxFiles.Stamp?
        var files: [String: MailboxFiles.Stamp?]
    }
    private let entries = Mutex<[MailboxLocation: Entry]>([:])

    /// - Parameters:
    ///   - revision: of the directory.
    ///   - now: milliseconds since 1970.
    ///   - complain: called when a control file cannot be read, once for each trouble; the mail is then stored.
    /// - Returns: `nil` when the account has no IMS.CTL.
    func control(
        of mailbox: MailboxLocation, revision: Int64, now: Int64, complain: (String) -> Void
    ) -> AccountControl? {
        let known = entries.withLock { $0[mailbox] }
        // A clock that went back ends it too.
        if let known, known.revision == revision, (0..<Self.lifetime).contains(now - known.checkedAt) {
            return known.control
        }
        var fresh = Entry(revision: revision, checkedAt: now, files: [:])
        do throws(MailboxError) {
            fresh = try look(mailbox, known, revision: revision, now: now)
        } catch {
            fresh.trouble = error.detail
            if known?.trouble != error.detail {
                complain("\(mailbox.path): account control is left out: \(error.detail)")
            }
        }
        let kept = fresh
        entries.withLock { entries in
            if entries.count >= Self.limit { entries = [:] }
            entries[mailbox] = kept
        }
        return kept.control
    }

    /// The next question reads the files.
    func forget(_ mailbox: MailboxLocation) { _ = entries.withLock { $0.removeValue(forKey: mailbox) } }

    private func look(
        _ mailbox: MailboxLocation, _ known: Entry?, revision: Int64, now: Int64
    ) throws(MailboxError) -> Entry {
        // Most mailboxes have no control files, and still the folder that they had: one look tells.
        if var known, known.trouble == nil, known.files.isEmpty, let folder = known.folder,
            MailboxFiles.stamp(of: mailbox) == folder
        {
            known.revision = revision
            known.checkedAt = now
            return known
        }
        guard let files = try MailboxFiles(mailbox) else {
            return Entry(revision: revision, checkedAt: now, files: [:])
        }
        let folder = files.stamp
        if var known, known.trouble == nil, let folder, known.folder == folder,
            known.files.allSatisfy({ files.stamp($0.key) == $0.value }),
            // A list by FILE: has no stamp here.
            known.control?.settings.forwardFile == nil
        {
            known.revision = revision
            known.checkedAt = now
            return known
        }
        let names = try files.find(ControlFileNames.all)
        var entry = Entry(revision: revision, checkedAt: now, folder: folder, files: [:])
        guard let control = names[ControlFileNames.control] else { return entry }
        for name in names.values { entry.files[name] = files.stamp(name) }
        entry.control = try AccountControl(reading: files, names, control: control)
        return entry
    }
}
