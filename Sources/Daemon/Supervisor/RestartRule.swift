/// When a service that ended by itself is started again. Pure: the supervisor only obeys it.
///
/// A service that served is restarted at once: what ended it was one job. One that fails at its first job, or before,
/// has a structural fault; it waits longer each time and is shown with its reason.
struct RestartRule: Sendable, Equatable {
    /// How a run went.
    enum Run: Sendable, Equatable {
        /// At least one job was done.
        case served
        /// It reported that it is ready, and ended before its first job.
        case idle
        /// It never became ready.
        case neverReady
    }
    enum End: Sendable, Equatable {
        case exit(code: Int32)
        case signal(Int32)
    }

    static let firstPause = 1_000
    static let longestPause = 60_000
    private static let killSignal: Int32 = 9

    /// Runs in a row that ended without a job.
    private(set) var failures = 0

    /// - Returns: milliseconds to wait before the next start; 0 = at once.
    mutating func pause(after run: Run, _ end: End) -> Int {
        switch (run, end) {
        case (.served, _):
            failures = 0
            return 0
        case (.idle, .signal(Self.killSignal)):
            // Somebody (or the kernel, short of memory) killed a sound service: no fault of its own.
            failures = 0
            return 0
        case (.idle, _), (.neverReady, _):
            failures += 1
            // The first time may be chance, unless it could not even start.
            if failures == 1, run == .idle { return 0 }
            let doublings = min(failures - 1, 6)
            return min(Self.firstPause << doublings, Self.longestPause)
        }
    }

    /// An administrator starts it: the count begins anew.
    mutating func forget() { failures = 0 }
}
