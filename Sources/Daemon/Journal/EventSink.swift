import MailModel
import Synchronization

/// Takes what happens. `Journal` writes it down, `MemoryJournal` keeps it for tests.
package protocol EventSink: Sendable {
    /// Any thread; a few microseconds; never waits for the disk and never fails.
    func record(_ event: LogEvent)
}

/// Keeps the newest events in memory, oldest first.
package final class MemoryJournal: EventSink {
    private let kept = Mutex<[LogEvent]>([])
    private let limit: Int

    /// - Parameter limit: events kept at most.
    package init(limit: Int = 10_000) { self.limit = max(1, limit) }

    package var events: [LogEvent] { kept.withLock { $0 } }

    package func record(_ event: LogEvent) {
        kept.withLock { events in
            if events.count >= limit { events.removeFirst(events.count - limit + 1) }
            events.append(event)
        }
    }
}
