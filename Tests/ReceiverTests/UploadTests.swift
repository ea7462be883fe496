import MailModel
import Spool
import Synchronization
import Testing
import Threads

@testable import Receiver

/// Content on its way to a slow, a full and a closed disk.
@Suite struct UploadTests {
    /// Collects in memory; each piece waits for a permit.
    private final class SlowContent: LargeContent {
        let octets = Mutex<[UInt8]>([])
        let permits: Monitor<Int>
        let isDiscarded = Mutex(false)
        init(permits: Monitor<Int>) { self.permits = permits }
        var size: Int { octets.withLock { $0.count } }
        func append(_ new: UnsafeRawBufferPointer) throws(SpoolError) {
            permits.wait { count -> Void? in
                guard count > 0 else { return nil }
                count -= 1
                return ()
            }
            let copy = [UInt8](new)
            octets.withLock { $0 += copy }
        }
        func finish() throws(SpoolError) {}
        func discard() { isDiscarded.withLock { $0 = true } }
    }

    private struct SlowSpool: Spool {
        let content: SlowContent
        func makeID() -> QueueID { MemorySpool().makeID() }
        func availableOctets() -> Int? { nil }
        func beginLarge(_ id: QueueID) throws(SpoolError) -> any LargeContent { content }
        func add(_ message: NewMessage, completion: @escaping @Sendable (Result<Void, SpoolError>) -> Void) {}
    }

    private func worker() -> BatchWorker<@Sendable () -> Void> {
        BatchWorker(name: "test", threads: 1, limits: .init(items: 1)) { work in work.forEach { $0() } }
    }

    @Test func aSlowDiskHoldsTheSessionBack() async throws {
        let permits = Monitor(0)
        let content = SlowContent(permits: permits)
        let worker = worker()
        let (stream, relief) = AsyncStream<Void>.makeStream()
        let upload = LargeUpload(
            id: MemorySpool().makeID(), spool: SlowSpool(content: content), worker: worker,
            relieved: { relief.yield() })
        let piece = [UInt8](repeating: 65, count: 70_000)
        #expect(!upload.append(piece))
        #expect(upload.append(piece), "two pieces are more than may wait")
        permits.withLock { $0 = 2 }
        permits.signalAll()
        var iterator = stream.makeAsyncIterator()
        _ = await iterator.next()
        permits.withLock { $0 = 1 }
        permits.signalAll()
        #expect(!upload.append([66]))
        let size = await withCheckedContinuation { done in
            upload.finish { done.resume(returning: (try? $0.get())?.size) }
        }
        #expect(size == 140_001)
        worker.close()
    }

    @Test func whatIsDiscardedInMidWriteGoes() {
        let permits = Monitor(0)
        let content = SlowContent(permits: permits)
        let worker = worker()
        let upload = LargeUpload(
            id: MemorySpool().makeID(), spool: SlowSpool(content: content), worker: worker, relieved: {})
        _ = upload.append([65])
        upload.discard()
        permits.withLock { $0 = 10 }
        permits.signalAll()
        worker.close()
        // Either it was never begun or it was discarded; nothing is left of it.
        #expect(content.isDiscarded.withLock { $0 } || content.size == 0)
        #expect(!upload.append([66]))
    }

    @Test func aClosedWorkerIsAFailure() async {
        let worker = worker()
        worker.close()
        let upload = LargeUpload(
            id: MemorySpool().makeID(), spool: MemorySpool(), worker: worker, relieved: {})
        _ = upload.append([65])
        let failure = await withCheckedContinuation { done in
            upload.finish { result in
                guard case .failure(let error) = result else { return done.resume(returning: SpoolError?.none) }
                done.resume(returning: error)
            }
        }
        #expect(failure?.kind == .closed)
    }

    struct Room: Sendable {
        let expected: Int?
        let limit: Int
        let free: Int
        let hasRoom: Bool
    }
    private static let megabyte = 1 << 20
    static let rooms: [Room] = [
        Room(expected: nil, limit: 0, free: 16 * megabyte, hasRoom: true),
        Room(expected: nil, limit: 0, free: 16 * megabyte - 1, hasRoom: false),
        Room(expected: 100 * megabyte, limit: 0, free: 150 * megabyte, hasRoom: true),
        Room(expected: 100 * megabyte, limit: 0, free: 150 * megabyte - 1, hasRoom: false),
        Room(expected: nil, limit: 100 * megabyte, free: 149 * megabyte, hasRoom: false),
        Room(expected: 1, limit: 100 * megabyte, free: 16 * megabyte, hasRoom: true),
        Room(expected: .max, limit: 0, free: .max, hasRoom: false),
    ]

    /// 1.5 times what is announced, or what the limit allows; never less than the reserve.
    @Test(arguments: rooms)
    func room(_ test: Room) {
        let disk = DiskSpace(available: { test.free })
        #expect(disk.hasRoom(expected: test.expected, limit: test.limit) == test.hasRoom)
    }

    @Test func unknownRoomIsRoom() {
        #expect(DiskSpace(available: { nil }).hasRoom(expected: 1 << 40, limit: 0))
    }
}
