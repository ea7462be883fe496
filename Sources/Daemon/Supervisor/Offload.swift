import Control
import Threads

/// Runs what waits for the disk or computes for long on threads of its own, so that handlers of the control socket,
/// which share few threads, do not hold each other up.
final class Offload: Sendable {
    private let worker = BatchWorker<@Sendable () -> Void>(name: "desk", threads: 4, limits: .init(items: 1)) { jobs in
        for job in jobs { job() }
    }

    func run<Value: Sendable>(
        _ body: @escaping @Sendable () throws(ControlError) -> Value
    ) async throws(ControlError) -> Value {
        let result: Result<Value, ControlError> = await withCheckedContinuation { continuation in
            let taken = worker.submit {
                continuation.resume(returning: Result { () throws(ControlError) in try body() })
            }
            if !taken {
                continuation.resume(
                    returning: .failure(ControlError(.failed, code: "control.ending", "the daemon is about to end")))
            }
        }
        return try result.get()
    }

    func close() { worker.close() }
}
