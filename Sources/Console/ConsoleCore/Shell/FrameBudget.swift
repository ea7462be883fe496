/// How much may be written for frames that nobody typed for: on a slow line pushes wait and merge, so that typing stays
/// ahead of the screen. A token bucket in octets.
package struct FrameBudget: Sendable {
    /// Frames closer than this are one, milliseconds.
    package static let frameTime = 16
    /// A frame this soon after a key was asked for by it (its data comes with it), milliseconds.
    package static let promptedTime = 1_000

    /// Octets a second.
    package let rate: Int
    private let capacity: Int
    private var tokens: Int
    private var filledAt: Moment = 0

    package init(isSlow: Bool) {
        rate = isSlow ? 200 : 600
        capacity = isSlow ? 1_000 : 3_000
        tokens = capacity
    }

    /// Milliseconds to wait before a frame of `octets` may be written; 0 = now.
    package mutating func wait(for octets: Int, at now: Moment) -> Int {
        fill(at: now)
        let missing = min(octets, capacity) - tokens
        return missing <= 0 ? 0 : (missing * 1_000 + rate - 1) / rate
    }

    package mutating func spend(_ octets: Int, at now: Moment) {
        fill(at: now)
        tokens = max(0, tokens - octets)
    }

    private mutating func fill(at now: Moment) {
        let elapsed = min(max(0, now - filledAt), 60_000)
        let gained = elapsed * rate / 1_000
        guard gained > 0 else { return }
        tokens = min(capacity, tokens + gained)
        filledAt = now
    }
}
