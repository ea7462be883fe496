/// What a service did within the last 24 hours, to ten minutes, over its restarts and ours. A value.
struct DayTotals: Sendable {
    /// Counters of the services that are kept, and how their totals are called beside them.
    static let names = ["received", "rejected", "authFailed", "delivered", "deferred", "failed"]
    static func totalName(_ name: String) -> String { name + "24h" }

    private static let slotMilliseconds = 600_000
    private static let slotsPerDay = 144

    /// By counter; each has a place for each slot of a day.
    private var slots: [String: [Int]] = [:]
    /// Slots since 1970 of the running one.
    private var newest = 0
    /// The counters as they last came.
    private var last: [String: Int] = [:]

    /// - Parameters:
    ///   - counters: since the service started; a smaller one than before means that it was started again.
    ///   - now: milliseconds since 1970.
    mutating func add(_ counters: [String: Int], now: Int) {
        turn(to: now)
        for name in Self.names {
            guard let count = counters[name], count >= 0 else { continue }
            let before = last[name] ?? 0
            last[name] = count
            let more = count >= before ? count - before : count
            if more > 0 { slots[name, default: Self.empty][newest % Self.slotsPerDay] += more }
        }
    }

    mutating func serviceStarted() { last = [:] }

    /// `received24h` and so on.
    func totals(now: Int) -> [String: Int] {
        var copy = self
        copy.turn(to: now)
        return Dictionary(
            copy.slots.map { (Self.totalName($0.key), $0.value.reduce(0, +)) }, uniquingKeysWith: { one, _ in one })
    }

    private static let empty = [Int](repeating: 0, count: slotsPerDay)

    /// Slots that are over are empty again. A clock that went back stays in the newest one.
    private mutating func turn(to now: Int) {
        let slot = max(0, now) / Self.slotMilliseconds
        guard slot > newest else { return }
        for passed in 0..<min(slot - newest, Self.slotsPerDay) {
            for name in slots.keys { slots[name]?[(slot - passed) % Self.slotsPerDay] = 0 }
        }
        newest = slot
    }
}

extension DayTotals {
    /// One line for each counter: name, the newest slot, all slots.
    var lines: [String] {
        slots.sorted { $0.key < $1.key }.map { name, counts in
            "\(name) \(newest) \(counts.map { String($0) }.joined(separator: ","))"
        }
    }

    /// Takes over what `lines` wrote; what is not understood is left out.
    mutating func restore(_ line: some StringProtocol) {
        let parts = line.split(separator: " ")
        guard parts.count == 3, let newest = Int(parts[1]), newest >= 0, newest < 1 << 40 else { return }
        let name = String(parts[0])
        let counts = parts[2].split(separator: ",").compactMap { Int($0) }.filter { (0..<1 << 40).contains($0) }
        guard Self.names.contains(name), counts.count == Self.slotsPerDay else { return }
        self.newest = max(self.newest, newest)
        slots[name] = counts
    }
}
