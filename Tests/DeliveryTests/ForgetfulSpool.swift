import MailModel
import Spool
import Synchronization

/// Passes everything on to another spool, except results while it forgets: they fail as on a full disk.
final class ForgetfulSpool: DeliverySpool {
    let inner = Mutex<MemorySpool?>(nil)
    let isForgetting = Atomic<Bool>(true)

    private var spool: MemorySpool { inner.withLock { $0 } ?? MemorySpool() }

    func makeID() -> QueueID { spool.makeID() }
    func availableOctets() -> Int? { nil }
    func beginLarge(_ id: QueueID) throws(SpoolError) -> any LargeContent { try spool.beginLarge(id) }
    func add(_ message: NewMessage, completion: @escaping @Sendable (Result<Void, SpoolError>) -> Void) {
        spool.add(message, completion: completion)
    }
    func claim(limit: Int, now: Int64) throws(SpoolError) -> Claim { try spool.claim(limit: limit, now: now) }
    func content(of message: MessageKey) throws(SpoolError) -> StoredContent { try spool.content(of: message) }
    func apply(_ change: DeliveryChange, completion: @escaping @Sendable (Result<Void, SpoolError>) -> Void) {
        if isForgetting.load(ordering: .relaxed) { return completion(.failure(SpoolError(.diskFull, "test"))) }
        spool.apply(change, completion: completion)
    }
}
