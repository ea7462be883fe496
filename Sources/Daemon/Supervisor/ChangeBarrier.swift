/// Waits until every running service works by a change. Used on the supervisor's loop only.
final class ChangeBarrier {
    /// A service that hangs holds the author of a change this long, milliseconds; the change itself is written already.
    static let patience = 3_000

    /// Monotonic milliseconds.
    let deadline: Int
    private var waitingFor: Int
    private let completion: @Sendable () -> Void
    private(set) var isOver = false

    init(waitingFor count: Int, until deadline: Int, completion: @escaping @Sendable () -> Void) {
        waitingFor = count
        self.deadline = deadline
        self.completion = completion
        if count == 0 { end() }
    }

    func passed() {
        waitingFor -= 1
        if waitingFor <= 0 { end() }
    }

    func end() {
        guard !isOver else { return }
        isOver = true
        completion()
    }
}
