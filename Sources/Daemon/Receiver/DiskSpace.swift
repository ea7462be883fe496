import Glibc
import Synchronization
import Threads

/// Free space below the spool, looked at once a second at most.
final class DiskSpace: Sendable {
    private struct State {
        var checked = -1
        var free = Int.max
    }
    private let available: @Sendable () -> Int?
    private let state = Mutex(State())

    /// Kept free in any case, octets: delivery needs room for its own notes to make room again.
    static let reserve = 16 << 20

    /// - Parameter available: octets; `nil`: nobody knows, and the write that follows will tell.
    init(available: @escaping @Sendable () -> Int?) { self.available = available }

    /// Whether a message of this size may come in: 1.5 times its size must be there (database pages, log).
    /// - Parameters:
    ///   - expected: SIZE of MAIL.
    ///   - limit: the size limit, which counts when nothing was announced; 0: none.
    func hasRoom(expected: Int?, limit: Int) -> Bool {
        let size = expected ?? limit
        let needed = size.addingReportingOverflow(size / 2)
        guard !needed.overflow else { return false }
        return free >= max(Self.reserve, needed.partialValue)
    }

    private var free: Int {
        let second = SystemClock.coarseSeconds()
        return state.withLock { state in
            guard state.checked != second else { return state.free }
            state.checked = second
            state.free = available() ?? .max
            return state.free
        }
    }
}
