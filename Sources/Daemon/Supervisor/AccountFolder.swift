import Control
import MailModel
import Mailbox
import MessageFormat
import Store
import Synchronization
import Tables

/// A control file of an account, in the words of the control socket.
enum AccountFile: String, CaseIterable {
    case control, permitfrom, reply, noreply, replied, filter, hours, recipients

    /// Its name in the mailbox.
    var name: String {
        switch self {
        case .control: ControlFileNames.control
        case .permitfrom: ControlFileNames.permitted
        case .reply: ControlFileNames.replyText
        case .noreply: ControlFileNames.unanswered
        case .replied: ControlFileNames.replied
        case .filter: ControlFileNames.filter
        case .hours: ControlFileNames.hours
        case .recipients: ControlFileNames.restriction
        }
    }

    init(word: String) throws(ControlError) {
        guard let file = AccountFile(rawValue: word) else {
            let known = Self.allCases.map(\.rawValue).sorted().joined(separator: ", ")
            let shown = DisplayText.clean(word, limit: 40)
            throw ControlError(
                .refused, code: "account.bad-file", "\(shown) is none of: \(known).", arguments: [shown, known])
        }
        self = file
    }

    init?(name: String) {
        guard let file = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = file
    }

    func problems(_ text: String, of account: MailAddress) -> [Problem] {
        func table(_ found: [TableProblem]) -> [Problem] {
            found.map {
                Problem(
                    path: "line/\($0.line)", code: $0.code, message: $0.message, arguments: $0.arguments,
                    isWarning: $0.isWarning)
            }
        }
        switch self {
        case .control:
            return ControlSettings(ControlFile(octets: Array(text.utf8))).faults(of: account).map {
                Problem(path: "control/\($0.field)", code: $0.code, message: $0.message)
            }
        case .hours: return table(UseTime.read(TableText(text)).problems)
        case .recipients: return table(RecipientRestriction.read(TableText(text)).problems)
        case .permitfrom, .noreply: return Self.doubts(about: text)
        case .reply, .replied, .filter: return []
        }
    }

    /// A line without `@` and `*` is the pattern of no address.
    private static func doubts(about text: String) -> [Problem] {
        TableText(text).lines.enumerated().compactMap { index, line in
            guard let entry = AddressLines.entries(Array(line.utf8)).first, !entry.contains("@"), !entry.contains("*")
            else { return nil }
            return Problem(
                path: "line/\(index + 1)", code: "account.no-pattern",
                message:
                    "\"\(DisplayText.clean(entry, limit: 80))\" matches no address; name@domain is one, * stands for any text.",
                arguments: [DisplayText.clean(entry, limit: 80)], isWarning: true)
        }
    }
}

/// The control files of one account: found, read, and written when nobody else wrote them meanwhile. Waits for the disk.
struct AccountFolder {
    let account: AccountRecord
    private let location: MailboxLocation

    /// Octets of a file: as many as delivery lets REPLIED.TXT and NOREPLY.TXT grow to.
    static let maximumOctets = 4 << 20
    /// Octets of a file whose text is shown: a frame is 1 MiB, and JSON may write an octet as six.
    static let shownOctets = 150_000
    /// Between a look at a file and its writing nobody else of this daemon writes.
    private static let writing = Mutex<Void>(())

    init(_ address: String, _ directory: any Directory) throws(ControlError) {
        let found = try Self.asking { () throws(DirectoryError) -> (AccountRecord, MailboxPlace)? in
            _ = try directory.revision()
            guard let parsed = MailAddress(typed: address), let account = try directory.account(parsed) else {
                return nil
            }
            return (account, try directory.mailbox(of: account))
        }
        guard let (account, place) = found, let location = MailboxLocation(base: place.base, folders: place.folders)
        else {
            let shown = DisplayText.clean(address, limit: 80)
            throw ControlError(
                .notFound, code: "account.unknown", "There is no account \(shown).", arguments: [shown])
        }
        self.account = account
        self.location = location
    }

    struct Found {
        /// Letter case as found; the usual name when there is no file.
        var name: String
        /// `nil`: there is no file.
        var octets: [UInt8]?

        var text: String { TableText(octets: octets ?? []).text }
        var charset: Charset { Charset.guess(octets ?? []).charset }
        var lines: [String]? { octets.map { TableText(octets: $0).lines } }
        var etag: String { TablesDesk.etag(octets) }
    }

    func read(_ file: AccountFile) throws(ControlError) -> Found {
        try Self.disk { () throws(MailboxError) in
            guard let files = try MailboxFiles(location) else { return Found(name: file.name) }
            return try Self.read(file, files)
        }
    }

    private static func read(_ file: AccountFile, _ files: MailboxFiles) throws(MailboxError) -> Found {
        let names = try files.find([file.name, ControlFileNames.replyTextOther])
        let other = file == .reply ? names[ControlFileNames.replyTextOther] : nil
        guard let found = names[file.name] ?? other else { return Found(name: file.name) }
        let octets = try files.read(found, limit: maximumOctets + 1)
        // What is read in part must not be written back.
        guard octets.count <= maximumOctets else {
            throw MailboxError(.notWritable, "\(found) is larger than \(maximumOctets) octets")
        }
        return Found(name: found, octets: octets)
    }

    struct Change {
        var file: AccountFile
        /// What the file was when the edit began; `nil` = anything.
        var baseEtag: String?
        /// The new content of the file, from the present one; empty = no file.
        var octets: ([UInt8]) -> [UInt8]
    }
    struct Written {
        var name: String
        var old: [String]?
        var new: [String]?
    }

    /// Writes all of them, or none when one was changed since the edit of it began.
    /// - Returns: those that are others now.
    func write(_ changes: [Change]) throws(ControlError) -> [Written] {
        let result: Result<[Written], ControlError> = Self.writing.withLock { _ in
            Result { () throws(ControlError) in try write(locked: changes) }
        }
        return try result.get()
    }

    private func write(locked changes: [Change]) throws(ControlError) -> [Written] {
        let files = try Self.disk { () throws(MailboxError) in try MailboxFiles.make(location) }
        var plan: [(change: Change, found: Found)] = []
        for change in changes {
            let found = try Self.disk { () throws(MailboxError) in try Self.read(change.file, files) }
            if let base = change.baseEtag, base != found.etag { throw Self.changed(found.name) }
            plan.append((change, found))
        }
        var written: [Written] = []
        for (change, found) in plan {
            let octets = change.octets(found.octets ?? [])
            guard octets != found.octets ?? [] else { continue }
            guard octets.count <= Self.maximumOctets else { throw Self.tooLarge(found.name, Self.maximumOctets) }
            try Self.disk { () throws(MailboxError) in
                if octets.isEmpty { try files.remove(found.name) } else { try files.write(found.name, octets) }
            }
            written.append(
                Written(
                    name: change.file.name, old: found.lines,
                    new: octets.isEmpty ? nil : TableText(octets: octets).lines))
        }
        return written
    }

    static func tooLarge(_ name: String, _ limit: Int) -> ControlError {
        ControlError(
            .refused, code: "account.file-large",
            "\(name) is larger than \(limit) octets; edit it in the mailbox folder.", arguments: [name, String(limit)])
    }

    static func changed(_ name: String) -> ControlError {
        ControlError(
            .conflict, code: "account.file-changed",
            "\(name) was changed meanwhile; nothing was written. Look at it again.", arguments: [name])
    }

    // MARK: Faults

    static func asking<Value>(_ body: () throws(DirectoryError) -> Value) throws(ControlError) -> Value {
        do throws(DirectoryError) {
            return try body()
        } catch {
            throw ControlError(
                .failed, code: "store.failed", "The directory cannot be read: \(error.detail)",
                arguments: [error.detail])
        }
    }

    private static func disk<Value>(_ body: () throws(MailboxError) -> Value) throws(ControlError) -> Value {
        do throws(MailboxError) {
            return try body()
        } catch {
            throw ControlError(
                .failed, code: "account.file-failed", "The mailbox cannot be read or written: \(error.detail)",
                arguments: [error.detail])
        }
    }
}
