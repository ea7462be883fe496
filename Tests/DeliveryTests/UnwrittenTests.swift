import MailModel
import Settings
import Spool
import Synchronization
import Testing

@testable import Delivery

/// Keeps results back until they are let through, one by one.
private final class SlowSpool: DeliverySpool {
    private let inner: MemorySpool
    private let waiting = Mutex<[@Sendable () -> Void]>([])
    let written = Atomic<Int>(0)

    init(_ inner: MemorySpool) { self.inner = inner }

    func makeID() -> QueueID { inner.makeID() }
    func availableOctets() -> Int? { nil }
    func beginLarge(_ id: QueueID) throws(SpoolError) -> any LargeContent { try inner.beginLarge(id) }
    func add(_ message: NewMessage, completion: @escaping @Sendable (Result<Void, SpoolError>) -> Void) {
        inner.add(message, completion: completion)
    }
    func claim(limit: Int, now: Int64) throws(SpoolError) -> Claim { try inner.claim(limit: limit, now: now) }
    func content(of message: MessageKey) throws(SpoolError) -> StoredContent { try inner.content(of: message) }
    func apply(_ change: DeliveryChange, completion: @escaping @Sendable (Result<Void, SpoolError>) -> Void) {
        waiting.withLock { waiting in
            waiting.append { [self] in
                self.inner.apply(change) { result in
                    self.written.add()
                    completion(result)
                }
            }
        }
    }

    /// - Returns: whether there was one.
    func letOneThrough() -> Bool {
        guard let first = waiting.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) else { return false }
        first()
        return true
    }
}

@Suite("What may come twice after a crash") struct UnwrittenTests {
    /// However slowly the queue writes, no more is sent ahead of it than twice the threads: transactions that are under
    /// way, and such whose end is not written down.
    @Test func isBounded() async throws {
        let sink = try await SinkServer.start()
        let inner = MemorySpool()
        let spool = SlowSpool(inner)
        let threads = 3
        let bench = try DeliveryBench(
            spool: spool, settings: { try $0.set(DeliverySettings.port, String(sink.port)) },
            configuration: { $0.threads = threads })
        bench.route("far.example", to: "127.0.0.1")
        for number in 0..<40 {
            let id = inner.makeID()
            let envelope = Envelope(
                sender: .address(MailAddress(localPart: "a", domain: "client.example")),
                recipients: [Recipient(address: MailAddress(localPart: "u\(number)", domain: "far.example"))])
            inner.add(
                NewMessage(
                    id: id, envelope: envelope, content: .inline(Array("Subject: x\n\nx\n".utf8)), receivedAt: bench.now
                )
            ) { _ in }
        }
        while try !bench.engine.dispatcher.step().messages.isEmpty {}
        var most = 0
        let end = ContinuousClock.now + .seconds(20)
        while spool.written.load(ordering: .relaxed) < 40, ContinuousClock.now < end {
            // As many as come of themselves, then one more at a time.
            let written = spool.written.load(ordering: .relaxed)
            if sink.messages.count < min(40, written + threads) || !spool.letOneThrough() {
                try await Task.sleep(for: .milliseconds(1))
            } else {
                most = max(most, sink.messages.count - written)
            }
        }
        #expect(most <= 2 * threads, "\(most) transactions ahead of the queue")
        #expect(Set(sink.messages.flatMap(\.recipients)).count == 40 && sink.messages.count == 40)
        await bench.stop()
        await sink.stop()
    }
}
