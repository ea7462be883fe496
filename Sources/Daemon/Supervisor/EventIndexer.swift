import Glibc
import Journal
import Threads

/// The thread that keeps the index of the log up to date, and counts who sends most. It yields to everything else on the machine; what it has not
/// reached yet, a search reads itself.
enum EventIndexer {
    /// Milliseconds between two looks at a log that is indexed.
    private static let pause: UInt32 = 500

    /// Runs until the process ends.
    static func start(folder: String) -> (index: EventIndex, senders: BusySenders) {
        let index = EventIndex(folder: folder)
        let senders = BusySenders(folder: folder)
        _ = Thread(name: "index", stack: 512 << 10) {
            // On Linux this is the calling thread's own.
            setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 15)
            while true {
                let isBehind = index.advance()
                if !senders.advance(now: Int64(Clock.wall())), !isBehind { usleep(Self.pause * 1_000) }
            }
        }
        return (index, senders)
    }
}
