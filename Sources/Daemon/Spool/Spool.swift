import MailModel

/// What the receiver needs of the spool: the duty for a message begins when `add` completes, and not before.
///
/// `DiskSpool` is the one for work, `MemorySpool` and `FailingSpool` serve tests.
package protocol Spool: Sendable {
    /// A new queue id, never given before on this node. Any thread; does no I/O.
    func makeID() -> QueueID

    /// Starts content of more than `SpoolLimits.inlineContent` octets, which goes to disk while it arrives.
    /// Any thread; opens a file.
    func beginLarge(_ id: QueueID) throws(SpoolError) -> any LargeContent

    /// Octets that may still be written to the spool's file system; `nil` when unknown. A system call, no waiting.
    func availableOctets() -> Int?

    /// Stores a message with its recipients durably: when `completion` gets success, it survives kill -9 and a power
    /// cut. Returns at once; messages of many sessions share one commit.
    /// - Parameter completion: called once, on a thread of the spool; must not block. After a failure nothing of the
    ///   message is left, large content included.
    func add(_ message: NewMessage, completion: @escaping @Sendable (Result<Void, SpoolError>) -> Void)
}

/// What delivery needs beside `Spool`: it takes what is due, and writes down what became of it.
package protocol DeliverySpool: Spool {
    /// Takes recipients that are due, in the order of arrival, then of due time. They are *active* until a change
    /// names them, and are not given out again before; activity is not stored, so a crash makes them due again.
    /// One thread at a time; reads the database.
    /// - Parameters:
    ///   - limit: recipients at most.
    ///   - now: milliseconds since 1970.
    func claim(limit: Int, now: Int64) throws(SpoolError) -> Claim

    /// The content as it was added: trace fields on top, LF line ends. Any thread; reads the disk.
    /// - Throws: `notFound` when the message was removed meanwhile.
    func content(of message: MessageKey) throws(SpoolError) -> StoredContent

    /// Writes down what became of recipients of one message and adds its children, all of it or nothing. The message
    /// goes with its last recipient. When none of the recipients that a change finishes or defers is there any more
    /// (removed by an administrator, or written down before), its children are dropped: nobody gets a report twice.
    /// - Parameter completion: called once, on a thread of the spool; must not block. On failure the recipients stay
    ///   active: the caller tries again.
    func apply(_ change: DeliveryChange, completion: @escaping @Sendable (Result<Void, SpoolError>) -> Void)
}

/// What the administrator sees and does (section 7 of the architecture: list, show, and actions on the queue).
package protocol QueueOperations: Sendable {
    /// A window of the queue; one row is one message. Any thread; reads the database.
    func list(_ query: QueueQuery) throws(SpoolError) -> QueueWindow
    /// One message with all its recipients.
    /// - Throws: `notFound`.
    func show(_ id: QueueID) throws(SpoolError) -> QueuedMessage
    func counts() throws(SpoolError) -> QueueCounts
    /// The content of a message, for showing it.
    func content(of id: QueueID) throws(SpoolError) -> StoredContent
    /// Acts on messages, all in one transaction; blocks until it is durable.
    /// - Returns: those of `ids` that were there, in that order.
    func act(_ action: QueueAction, on ids: [QueueID], now: Int64) throws(SpoolError) -> [QueueID]
}

package enum SpoolLimits {
    /// Octets of content that are kept in the database row; longer content is a file of its own. It is also what a
    /// session holds in memory (architecture, section 4).
    package static let inlineContent = 64 << 10
    /// Recipients of one entry. The key of a recipient is 20 bits below its message's.
    package static let recipients = 1 << 20
}

/// Content that goes to disk while it arrives. One thread at a time. When the last reference goes before the message
/// was added, the file goes too.
package protocol LargeContent: AnyObject, Sendable {
    /// Octets so far.
    var size: Int { get }
    /// Writes behind what is there. After an error the content can only be discarded.
    func append(_ octets: UnsafeRawBufferPointer) throws(SpoolError)
    /// Syncs file and folder; waits for the disk. `add` does it on a thread of its own when the caller did not.
    func finish() throws(SpoolError)
    /// Removes it. Nothing happens after the message was added.
    func discard()
}

extension LargeContent {
    package func append(_ octets: [UInt8]) throws(SpoolError) {
        let result = octets.withUnsafeBytes { buffer in
            Result { () throws(SpoolError) in try append(buffer) }
        }
        try result.get()
    }
}
