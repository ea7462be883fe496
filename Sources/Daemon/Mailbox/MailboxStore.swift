import MailModel

/// Where local mail goes. `MaildirStore` is the one for work, `MemoryMailboxStore` serves tests.
package protocol MailboxStore: Sendable {
    /// Stores one message for one or more mailboxes durably. Returns at once; concurrent deliveries share their syncs,
    /// so keep many under way (a hundred or more) instead of one after the other.
    /// - Parameter completion: called once with one result per target, in their order, on a thread of the store; must
    ///   not block.
    func deliver(
        _ delivery: MailboxDelivery, completion: @escaping @Sendable ([Result<MailboxOutcome, MailboxError>]) -> Void)

    /// What a mailbox holds by its `maildirsize`; counts the files when that is missing or stale. Waits for the disk.
    /// - Returns: zero for a mailbox that does not exist yet (it is made at the first delivery).
    func usage(of mailbox: MailboxLocation, limit: Int) throws(MailboxError) -> MailboxUsage
}

/// Names a mailbox: a trusted base folder, and folder names below it that may come from addresses.
package struct MailboxLocation: Hashable, Sendable {
    /// Absolute path from the settings, such as `/var/lib/epost/mail`. Links in it are followed; its last folder is made
    /// when missing.
    package let base: String
    /// Folder names below it, made when missing, such as `["example.jp", "taro"]`. No link is followed here.
    package let folders: [String]

    /// - Returns: `nil` unless the base is absolute and each folder is one plain name: not empty, at most 255 octets,
    ///   no `/`, no NUL, not `.` or `..`.
    package init?(base: String, folders: [String]) {
        guard base.utf8.first == UInt8(ascii: "/"), !folders.isEmpty, folders.allSatisfy(Self.isPlainName) else {
            return nil
        }
        self.base = base
        self.folders = folders
    }

    static func isPlainName(_ name: String) -> Bool {
        (1...255).contains(name.utf8.count) && name != "." && name != ".."
            && !name.utf8.contains { $0 == 0 || $0 == UInt8(ascii: "/") }
    }

    /// For logs.
    package var path: String { ([base] + folders).joined(separator: "/") }
}

package struct MailboxDelivery: Sendable {
    package enum Content: Sendable {
        case octets([UInt8])
        /// The first `size` octets of an open file, read by position. `owner` keeps the descriptor open.
        case file(descriptor: Int32, size: Int, owner: any AnyObject & Sendable)

        package var size: Int {
            switch self {
            case .octets(let octets): octets.count
            case .file(_, let size, _): size
            }
        }
    }
    package struct Target: Hashable, Sendable {
        package var mailbox: MailboxLocation
        /// Position of the recipient in the message; with the queue id it makes the file's name, so that a repetition
        /// after a crash finds the first delivery.
        package var index: Int
        /// Octets that the mailbox may hold; 0 = no limit.
        package var limit: Int
        /// The limit does not hold for this message: it was made by the server itself.
        package var ignoresLimit: Bool

        package init(mailbox: MailboxLocation, index: Int, limit: Int = 0, ignoresLimit: Bool = false) {
            self.mailbox = mailbox
            self.index = index
            self.limit = limit
            self.ignoresLimit = ignoresLimit
        }
    }
    package var id: QueueID
    /// Put in front of the content: `Return-Path: <…>\n` (RFC 5321 §4.4), `Delivered-To:` and the like; LF line ends.
    package var header: [UInt8]
    package var content: Content
    /// Mailboxes that get these same octets; written once, linked for the others.
    package var targets: [Target]

    package init(id: QueueID, header: [UInt8], content: Content, targets: [Target]) {
        self.id = id
        self.header = header
        self.content = content
        self.targets = targets
    }
}

package enum MailboxOutcome: Hashable, Sendable {
    case stored
    /// An earlier attempt had stored it already.
    case alreadyThere
}

package struct MailboxUsage: Hashable, Sendable {
    package var octets: Int
    package var messages: Int
    package init(octets: Int = 0, messages: Int = 0) {
        self.octets = octets
        self.messages = messages
    }
}

/// Why a message could not be stored in a mailbox.
package struct MailboxError: Error, Equatable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// It would exceed the mailbox's limit (5.2.2 or 4.2.2).
        case full
        /// The device is full, or over a quota of the file system (4.3.1).
        case diskFull
        /// Permission, a read-only file system, or a link or other foreign object in the mailbox's path (4.2.0).
        case notWritable
        /// Reading, writing or syncing failed (4.3.0).
        case io
    }
    /// Callers switch on this.
    package let kind: Kind
    /// For the log only.
    package let detail: String

    package init(_ kind: Kind, _ detail: String) {
        self.kind = kind
        self.detail = detail
    }
}
