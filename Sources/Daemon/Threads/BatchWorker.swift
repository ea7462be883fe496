/// Threads that work off a queue in batches: what arrives while one batch is worked on makes the next one. This is the
/// whole of group commit: no timer, and alone an item is a batch of one.
package final class BatchWorker<Item: Sendable>: Sendable {
    package struct Limits: Sendable {
        /// Items of one batch at most.
        package var items: Int
        /// Weight of one batch at most; a single heavier item still goes.
        package var weight: Int
        /// Milliseconds to wait for company after the first item; 0 = none.
        package var linger: Int
        /// Items waiting at which lingering ends, and at which `submit(orDrop:)` drops.
        package var waiting: Int

        package init(items: Int, weight: Int = .max, linger: Int = 0, waiting: Int = .max) {
            self.items = max(1, items)
            self.weight = weight
            self.linger = linger
            self.waiting = waiting
        }
    }

    private struct Queue {
        var items: [(item: Item, weight: Int)] = []
        var head = 0
        var idleThreads = 0
        var isClosed = false
        var threads: [Thread] = []
        var waiting: Int { items.count - head }

        /// The next batch; `nil` when nothing waits.
        mutating func take(_ limits: Limits) -> [Item]? {
            guard waiting > 0 else { return nil }
            var batch: [Item] = []
            var weight = 0
            while head < items.count, batch.count < limits.items {
                let next = items[head]
                if !batch.isEmpty, weight + next.weight > limits.weight { break }
                weight += next.weight
                batch.append(next.item)
                head += 1
            }
            if head == items.count {
                items.removeAll(keepingCapacity: items.count <= 1024)
                head = 0
            } else if head > 4096 {
                items.removeFirst(head)
                head = 0
            }
            return batch
        }
    }

    private let name: String
    private let threadLimit: Int
    private let limits: Limits
    private let work: @Sendable ([Item]) -> Void
    private let queue = Monitor(Queue())

    /// - Parameters:
    ///   - threads: threads at most; each is started when there is work and no other is idle.
    ///   - work: called on a thread of the worker with one batch.
    package init(name: String, threads: Int = 1, limits: Limits, work: @escaping @Sendable ([Item]) -> Void) {
        self.name = name
        threadLimit = max(1, threads)
        self.limits = limits
        self.work = work
    }

    /// Queues an item. Any thread.
    /// - Returns: `false` when the worker is closed (or no thread could be started): the item is not taken.
    package func submit(_ item: Item, weight: Int = 1) -> Bool {
        enqueue(item, weight: weight, dropsWhenFull: false)
    }

    /// Queues an item unless `Limits.waiting` items wait already.
    package func submit(orDrop item: Item) -> Bool { enqueue(item, weight: 1, dropsWhenFull: true) }

    private func enqueue(_ item: Item, weight: Int, dropsWhenFull: Bool) -> Bool {
        let (isTaken, wakes) = queue.withLock { queue -> (Bool, Bool) in
            if queue.isClosed || dropsWhenFull && queue.waiting >= limits.waiting { return (false, false) }
            let needsThread = queue.waiting >= queue.idleThreads && queue.threads.count < threadLimit
            if needsThread, !startThread(&queue), queue.threads.isEmpty { return (false, false) }
            queue.items.append((item, weight))
            // A lingering thread is idle too; it needs no wake before its batch is full.
            let isFirst = queue.waiting == 1 || limits.linger == 0
            return (true, queue.idleThreads > 0 && (isFirst || queue.waiting == limits.waiting / 2))
        }
        if wakes { queue.signal() }
        return isTaken
    }

    private func startThread(_ queue: inout Queue) -> Bool {
        guard let thread = Thread(name: name, { [self] in run() }) else { return false }
        queue.threads.append(thread)
        return true
    }

    private func run() {
        while let batch = nextBatch() { work(batch) }
    }

    private func nextBatch() -> [Item]? {
        queue.withLock { $0.idleThreads += 1 }
        defer { queue.withLock { $0.idleThreads -= 1 } }
        if limits.linger > 0 {
            let isOpen = queue.wait { $0.isClosed ? false : $0.waiting > 0 ? true : nil }
            if isOpen {
                _ = queue.wait(milliseconds: limits.linger) {
                    $0.isClosed || $0.waiting >= limits.waiting / 2 ? true : nil
                }
            }
        }
        return queue.wait { queue -> [Item]?? in
            if let batch = queue.take(limits) { return .some(batch) }
            return queue.isClosed ? .some(nil) : nil
        }
    }

    /// Takes no further items, works off what waits, and waits for the end of its threads. Called on one of them, it
    /// does not wait for that one.
    package func close() {
        let threads = queue.withLock { queue in
            queue.isClosed = true
            defer { queue.threads = [] }
            return queue.threads
        }
        queue.signalAll()
        for thread in threads { thread.join() }
    }
}
