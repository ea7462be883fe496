import Control

/// The newest lines of the log that match.
struct LogList: Hashable, Sendable {
    static let keep = 5000

    private(set) var lines: [LogLine] = []
    private(set) var isPaused = false
    /// Lines that came while paused.
    private(set) var held: [LogLine] = []
    /// How many lines have been dropped at the front: line numbers stay what they were.
    private(set) var dropped = 0
    /// When lines came, newest last; for the number per minute.
    private var arrivals: [Int] = []

    mutating func append(_ new: [LogLine], now: Int, isBacklog: Bool) {
        if !isBacklog { arrivals = arrivals.filter { now - $0 < 60_000 } + new.map { _ in now } }
        if arrivals.count > 20_000 { arrivals.removeFirst(arrivals.count - 20_000) }
        if isPaused {
            held += new
            if held.count > Self.keep { held.removeFirst(held.count - Self.keep) }
        } else {
            take(new)
        }
    }

    /// Older lines, found later.
    mutating func prepend(_ older: [LogLine]) { lines = older.suffix(max(0, Self.keep - lines.count)) + lines }

    private mutating func take(_ new: [LogLine]) {
        lines += new
        let surplus = lines.count - Self.keep
        if surplus > 0 {
            lines.removeFirst(surplus)
            dropped += surplus
        }
    }

    mutating func setPaused(_ paused: Bool) {
        isPaused = paused
        guard !paused else { return }
        let new = held
        held = []
        take(new)
    }

    mutating func clear() {
        lines = []
        held = []
        arrivals = []
        dropped = 0
    }

    func perMinute(now: Int) -> Int { arrivals.reduce(0) { $0 + (now - $1 < 60_000 ? 1 : 0) } }

    /// The filter that the typed text asks for: words, and `id:`, `from:`, `to:`, `level:` with a value.
    static func parse(_ text: String) -> LogFilter {
        var filter = LogFilter()
        var words: [Substring] = []
        for word in text.split(separator: " ") {
            if let value = word.value(after: "id:") {
                filter.queueID = value
            } else if let value = word.value(after: "from:") {
                filter.sender = value
            } else if let value = word.value(after: "to:") {
                filter.recipient = value
            } else if let value = word.value(after: "level:") {
                filter.level = value
            } else {
                words.append(word)
            }
        }
        filter.text = words.isEmpty ? nil : words.joined(separator: " ")
        return filter
    }
}

extension Substring {
    fileprivate func value(after prefix: String) -> String? {
        guard lowercased().hasPrefix(prefix), utf8.count > prefix.utf8.count else { return nil }
        return String(dropFirst(prefix.count))
    }
}
