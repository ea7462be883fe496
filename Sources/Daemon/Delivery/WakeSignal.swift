import Threads

/// Lets one thread sleep until a time or a call. A call while nobody sleeps is kept, so none is lost.
struct WakeSignal: Sendable {
    private let isSet = Monitor(false)

    func set() {
        let wasSet = isSet.withLock { isSet in
            defer { isSet = true }
            return isSet
        }
        if !wasSet { isSet.signal() }
    }

    /// Returns when `set` was called, or after `milliseconds`.
    func wait(milliseconds: Int) {
        _ = isSet.wait(milliseconds: milliseconds) { isSet -> Void? in
            guard isSet else { return nil }
            isSet = false
            return ()
        }
    }
}
