import Glibc
import Store
import Threads

/// Makes the password hashes of mass imports whole, in the background: on one core at the lowest priority, and on the
/// others in time that nobody else wants.
final class HashCompleter: Sendable {
    /// Hashes of one transaction and core: their commits are felt by nobody.
    private static let batch = 25
    /// Each computes in 16 MiB of its own.
    private static let workers = min(8, max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    /// Between two looks when there was nothing to do, milliseconds.
    private static let pause = 60_000

    private struct State {
        var isWanted = true
        var isEnding = false
    }
    private let state = Monitor(State())
    private let store: StoreWriter
    private let progress: @Sendable (Int) -> Void
    private let report: @Sendable (String) -> Void

    /// - Parameters:
    ///   - progress: told how many are left, again and again.
    ///   - report: told the beginning and the end of the work, and trouble, for the log.
    init(
        store: StoreWriter, progress: @escaping @Sendable (Int) -> Void, report: @escaping @Sendable (String) -> Void
    ) {
        self.store = store
        self.progress = progress
        self.report = report
    }

    func start() { _ = Thread(name: "hashes") { [self] in run() } }

    /// There may be something to do.
    func wake() {
        state.withLock { $0.isWanted = true }
        state.signal()
    }

    func end() {
        state.withLock { $0.isEnding = true }
        state.signal()
    }

    private func run() {
        // Of this thread alone, as Linux has it.
        setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 19)
        while !state.withLock({ $0.isEnding }) {
            state.withLock { $0.isWanted = false }
            work()
            _ = state.wait(milliseconds: Self.pause) { $0.isWanted || $0.isEnding ? true : nil }
        }
    }

    private func work() {
        do {
            let open = try store.incompleteHashes()
            progress(open)
            if open > 0 { report("\(open) password hashes of an import are being completed") }
            var done = 0
            while !state.withLock({ $0.isEnding }) {
                let count = try store.completeHashes(limit: Self.batch * Self.workers, workers: Self.workers)
                if count == 0 { break }
                done += count
                progress(try store.incompleteHashes())
            }
            if done > 0, !state.withLock({ $0.isEnding }) { report("\(done) password hashes were completed") }
        } catch {
            report("password hashes cannot be completed: \(error.detail.message)")
        }
    }
}
