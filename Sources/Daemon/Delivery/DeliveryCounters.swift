import Synchronization

/// Totals since the service started, for the status screen. Any thread.
package final class DeliveryCounters: Sendable {
    /// Recipients.
    let stored = Atomic<Int>(0)
    let relayed = Atomic<Int>(0)
    let deferred = Atomic<Int>(0)
    let failed = Atomic<Int>(0)
    /// Reports to senders and administrators.
    let reports = Atomic<Int>(0)
    /// Connections opened to remote servers.
    let connections = Atomic<Int>(0)
    /// Remote transactions and connections being made, now.
    let active = Atomic<Int>(0)
    /// Recipients under way, now.
    let underWay = Atomic<Int>(0)

    package init() {}

    package func snapshot(threads: Int) -> [String: Int] {
        let stored = stored.load(ordering: .relaxed)
        let relayed = relayed.load(ordering: .relaxed)
        return [
            "active": active.load(ordering: .relaxed), "threads": threads,
            "underWay": underWay.load(ordering: .relaxed), "delivered": stored + relayed, "storedLocal": stored,
            "sentRemote": relayed, "deferred": deferred.load(ordering: .relaxed),
            "failed": failed.load(ordering: .relaxed), "reports": reports.load(ordering: .relaxed),
            "connections": connections.load(ordering: .relaxed),
        ]
    }
}

extension Atomic where Value == Int {
    func add(_ number: Int = 1) { wrappingAdd(number, ordering: .relaxed) }
    func subtract(_ number: Int = 1) { wrappingSubtract(number, ordering: .relaxed) }
}
