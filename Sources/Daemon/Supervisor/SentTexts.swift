import Control
import ControlServer
import Crypto
import Synchronization
import Tables
import Threads

/// Texts that come in several calls, by a name that only their sender knows.
final class SentTexts: Sendable {
    /// Texts at most, all users together, and how long one waits for its next part, milliseconds.
    private static let limit = 8
    private static let idle: Int64 = 600_000

    private struct Sent {
        let userID: UInt32
        var text: String
        var lastUsed: Int64
    }
    private let open = Mutex<[String: Sent]>([:])

    /// - Returns: the name of the text.
    func add(_ part: String, to name: String?, _ caller: Caller) throws(ControlError) -> String {
        guard let fresh = Random.octets(16).map({ $0.map { String($0, radix: 36) }.joined() }) else {
            throw ControlError(.failed, code: "store.no-hash", "no entropy")
        }
        let now = SystemClock.monotonic()
        let result: Result<String, ControlError> = open.withLock { open in
            open = open.filter { now - $0.value.lastUsed < Self.idle }
            guard let name else {
                guard open.count < Self.limit else { return .failure(Self.tooMuch) }
                open[fresh] = Sent(userID: caller.userID, text: part, lastUsed: now)
                return .success(fresh)
            }
            guard var sent = open[name], sent.userID == caller.userID else { return .failure(Self.unknown) }
            guard sent.text.utf8.count + part.utf8.count <= TableText.maximumOctets else {
                open[name] = nil
                return .failure(Self.tooMuch)
            }
            sent.text += part
            sent.lastUsed = now
            open[name] = sent
            return .success(name)
        }
        return try result.get()
    }

    /// The text, once.
    func take(_ name: String, _ caller: Caller) throws(ControlError) -> String {
        let found = open.withLock { open -> String? in
            guard let sent = open[name], sent.userID == caller.userID else { return nil }
            open[name] = nil
            return sent.text
        }
        guard let found else { throw Self.unknown }
        return found
    }

    private static let unknown = ControlError(
        .notFound, code: "control.no-text", "this text is not there (any more); send it anew")
    private static let tooMuch = ControlError(
        .refused, code: "control.too-much-text", "too much is being sent; at most 16 MB")
}
