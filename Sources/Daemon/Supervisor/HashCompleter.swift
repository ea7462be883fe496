import Glibc
import Store
import Threads

/// Makes the password hashes of mass imports whole, in the background and on one core that nobody else wants.
final class HashCompleter: Sendable {
    /// Hashes of one transaction: their commits are felt by nobody.
    private static let batch = 25
    /// Between two looks when there was nothing to do, milliseconds.
    private static let pause = 60_000

    private struct State {
        var isWanted = true
        var isEnding = false
    }
    private let state = Monitor(State())
    private let store: StoreWriter
    private let report: @Sendable (String) -> Void

    /// - Parameter report: told the beginning and the end of the work, and trouble, for the log.
    init(store: StoreWriter, report: @escaping @Sendable (String) -> Void) {
        self.store = store
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
            if open > 0 { report("\(open) password hashes of an import are being completed") }
            var done = 0
            while !state.withLock({ $0.isEnding }) {
                let count = try store.completeHashes(limit: Self.batch)
                if count == 0 { break }
                done += count
            }
            if done > 0, !state.withLock({ $0.isEnding }) { report("\(done) password hashes were completed") }
        } catch {
            report("password hashes cannot be completed: \(error.detail.message)")
        }
    }
}
