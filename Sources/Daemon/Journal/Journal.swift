import CLinux
import Glibc
import MailModel
import MessageFormat
import Synchronization
import Threads

/// Which logs are written; changes take effect with the next event (R-LOG-01).
package struct JournalSettings: Hashable, Sendable {
    /// The original's logs that are on. `session` and `system` have none.
    package var textLogs: Set<LogEvent.Kind>
    /// Files older than this many days are deleted (`log.keep_days`).
    package var keepDays: Int
    /// A failed write is a warning in syslog (R-LOG-12).
    package var warnsOnWriteFailure: Bool

    package init(
        textLogs: Set<LogEvent.Kind> = [.receive, .send, .local, .accept, .fail], keepDays: Int = 90,
        warnsOnWriteFailure: Bool = true
    ) {
        self.textLogs = textLogs
        self.keepDays = keepDays
        self.warnsOnWriteFailure = warnsOnWriteFailure
    }
}

/// Writes events: the structured log `events/YYYYMMDD.log`, one JSON object a line, and the text logs of the original,
/// `inlog/<host>/YYYYMMDD.log` and so on (spec file 12). Several processes may write below one folder.
///
/// `record` puts the event into a queue; a thread of its own renders and writes, 50 ms later at most. Mail handling
/// never waits for it: when the disk cannot follow, events are dropped, and their number is written down.
package final class Journal: EventSink {
    private struct State {
        var settings: JournalSettings
        var dropped = 0
    }
    private let state: Mutex<State>
    private let worker: BatchWorker<LogEvent>
    private let writer: JournalWriter

    /// Events that may wait before more are dropped.
    package static let waitingLimit = 100_000

    /// - Parameters:
    ///   - folder: `log/`.
    ///   - host: name of this machine.
    ///   - clock: milliseconds since 1970 and seconds east of UTC, for retention.
    ///   - warn: takes what belongs into syslog.
    package init(
        folder: String, host: String, settings: JournalSettings = .init(),
        clock: @escaping @Sendable () -> (time: Int64, utcOffset: Int) = Journal.systemClock,
        warn: @escaping @Sendable (String) -> Void = { clinux_syslog(LOG_MAIL | LOG_WARNING, $0) }
    ) {
        state = Mutex(State(settings: settings))
        let writer = JournalWriter(folder: folder, host: host, clock: clock, warn: warn)
        self.writer = writer
        worker = BatchWorker(name: "journal", limits: .init(items: 4096, linger: 50, waiting: Self.waitingLimit)) {
            writer.write($0)
        }
        writer.settings = { [weak self] in self?.state.withLock { $0.settings } ?? settings }
        writer.takeDropped = { [weak self] in
            self?.state.withLock { state in
                defer { state.dropped = 0 }
                return state.dropped
            } ?? 0
        }
    }

    package func record(_ event: LogEvent) {
        if !worker.submit(orDrop: event) { state.withLock { $0.dropped += 1 } }
    }

    package func apply(_ settings: JournalSettings) { state.withLock { $0.settings = settings } }

    /// Writes what waits, then ends.
    package func close() { worker.close() }

    package static let systemClock: @Sendable () -> (time: Int64, utcOffset: Int) = {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        var parts = tm()
        var seconds = now.tv_sec
        localtime_r(&seconds, &parts)
        return (Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000, parts.tm_gmtoff)
    }
}
