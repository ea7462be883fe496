import Synchronization
import Testing

@testable import Threads

/// Collects batches; its gate holds the worker inside the first one.
private final class Batches: Sendable {
    let all = Mutex<[[Int]]>([])
    private let gate = Monitor((isOpen: false, hasStarted: false))

    func work(_ batch: [Int]) {
        all.withLock { $0.append(batch) }
        gate.withLock { $0.hasStarted = true }
        gate.signalAll()
        _ = gate.wait { $0.isOpen ? true : nil }
    }
    func waitForFirst() {
        _ = gate.wait { $0.hasStarted ? true : nil }
    }
    func open() {
        gate.withLock { $0.isOpen = true }
        gate.signalAll()
    }
    var items: [Int] { all.withLock { $0.flatMap(\.self) } }
}

struct BatchWorkerTests {
    @Test func whatArrivesMeanwhileIsTheNextBatch() {
        let batches = Batches()
        let worker = BatchWorker<Int>(name: "test", limits: .init(items: 100)) { batches.work($0) }
        #expect(worker.submit(0))
        batches.waitForFirst()
        for item in 1...10 { #expect(worker.submit(item)) }
        batches.open()
        worker.close()
        #expect(batches.all.withLock { $0 } == [[0], Array(1...10)])
    }

    @Test func batchesAreCappedByNumberAndWeight() {
        let batches = Batches()
        let worker = BatchWorker<Int>(name: "test", limits: .init(items: 3, weight: 10)) { batches.work($0) }
        #expect(worker.submit(0, weight: 1))
        batches.waitForFirst()
        for (item, weight) in [(1, 4), (2, 6), (3, 1), (4, 50), (5, 1), (6, 1), (7, 1), (8, 1)] {
            #expect(worker.submit(item, weight: weight))
        }
        batches.open()
        worker.close()
        #expect(batches.all.withLock { $0 } == [[0], [1, 2], [3], [4], [5, 6, 7], [8]])
    }

    @Test func closingWorksOffWhatWaitsAndRefusesMore() {
        let seen = Mutex<[Int]>([])
        let worker = BatchWorker<Int>(name: "test", threads: 3, limits: .init(items: 1)) { batch in
            seen.withLock { $0 += batch }
        }
        for item in 0..<500 { #expect(worker.submit(item)) }
        worker.close()
        #expect(seen.withLock { $0.sorted() } == Array(0..<500))
        #expect(!worker.submit(1))
    }

    @Test func aFullQueueDrops() {
        let batches = Batches()
        let worker = BatchWorker<Int>(name: "test", limits: .init(items: 100, waiting: 4)) { batches.work($0) }
        #expect(worker.submit(orDrop: 0))
        batches.waitForFirst()
        let taken = (1...6).map { worker.submit(orDrop: $0) }
        #expect(taken == [true, true, true, true, false, false])
        batches.open()
        worker.close()
        #expect(batches.items == [0, 1, 2, 3, 4])
    }

    @Test func lingeringGathersCompany() {
        let all = Mutex<[[Int]]>([])
        // A minute: only closing or company ends the wait in this test.
        let worker = BatchWorker<Int>(name: "test", limits: .init(items: 100, linger: 60_000, waiting: 20)) { batch in
            all.withLock { $0.append(batch) }
        }
        for item in 0..<5 { #expect(worker.submit(orDrop: item)) }
        worker.close()
        #expect(all.withLock { $0 } == [[0, 1, 2, 3, 4]])
    }

    @Test func manyProducersLoseNothing() async {
        let sum = Mutex(0)
        let worker = BatchWorker<Int>(name: "test", limits: .init(items: 64)) { batch in
            sum.withLock { $0 += batch.reduce(0, +) }
        }
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 { group.addTask { for item in 1...2_000 { _ = worker.submit(item) } } }
        }
        worker.close()
        #expect(sum.withLock { $0 } == 8 * 2_001_000)
    }
}
