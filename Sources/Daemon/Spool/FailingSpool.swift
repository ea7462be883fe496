import MailModel

/// A spool whose every operation fails with one error, for the tests of 451 and 452 replies and of deferred work.
package struct FailingSpool: DeliverySpool, QueueOperations {
    package let error: SpoolError

    package init(_ kind: SpoolError.Kind = .diskFull) {
        error = SpoolError(kind, "failing spool")
    }

    package func makeID() -> QueueID {
        var generator = QueueIDGenerator(node: 0)
        return generator.next(now: 1)
    }
    package func availableOctets() -> Int? { nil }
    package func beginLarge(_ id: QueueID) throws(SpoolError) -> any LargeContent { throw error }
    package func add(_ message: NewMessage, completion: @escaping @Sendable (Result<Void, SpoolError>) -> Void) {
        completion(.failure(error))
    }
    package func claim(limit: Int, now: Int64) throws(SpoolError) -> Claim { throw error }
    package func content(of message: MessageKey) throws(SpoolError) -> StoredContent { throw error }
    package func apply(
        _ change: DeliveryChange, completion: @escaping @Sendable (Result<Void, SpoolError>) -> Void
    ) {
        completion(.failure(error))
    }
    package func list(_ query: QueueQuery) throws(SpoolError) -> QueueWindow { throw error }
    package func show(_ id: QueueID) throws(SpoolError) -> QueuedMessage { throw error }
    package func counts() throws(SpoolError) -> QueueCounts { throw error }
    package func content(of id: QueueID) throws(SpoolError) -> StoredContent { throw error }
    package func act(_ action: QueueAction, on ids: [QueueID], now: Int64) throws(SpoolError) -> [QueueID] {
        throw error
    }
}
