import Glibc

/// Computing on all cores.
package enum Parallel {
    /// Cores that this process may use.
    package static var cores: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    /// `items.map(body)`, on as many threads as there are cores. Waits for the end; the order is kept. For work that
    /// computes for milliseconds: each call starts its threads.
    package static func map<Item: Sendable, Result: Sendable>(
        _ items: [Item], _ body: @escaping @Sendable (Item) -> Result
    ) -> [Result] {
        let count = min(cores, items.count)
        guard count > 1 else { return items.map(body) }
        let done = Monitor([[Result]?](repeating: nil, count: count))
        let share: @Sendable (Int) -> Void = { number in
            // Every n-th item: costly neighbours are shared out.
            let found = stride(from: number, to: items.count, by: count).map { body(items[$0]) }
            done.withLock { $0[number] = found }
        }
        let threads = (1..<count).map { number in Thread(name: "parallel") { share(number) } }
        share(0)
        for (index, thread) in threads.enumerated() {
            // Without a thread this one does its share.
            if let thread { thread.join() } else { share(index + 1) }
        }
        let parts = done.withLock { $0.map { $0 ?? [] } }
        return items.indices.map { parts[$0 % count][$0 / count] }
    }
}
