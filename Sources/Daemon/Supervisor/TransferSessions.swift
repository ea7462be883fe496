import Control
import ControlServer
import Crypto
import Store
import Synchronization
import Threads

/// Transfers of accounts that are under way: lines that came so far, by a name that only their sender knows.
final class TransferSessions: Sendable {
    /// Open transfers at most, all users together, and how long one waits for its next call, milliseconds.
    private static let limit = 8
    private static let idle: Int64 = 600_000
    /// Lines of one transfer.
    static let lineLimit = 1_000_000
    /// Clear passwords of a transfer that are hashed whole at once.
    static let wholeHashes = 50
    /// Problems that are kept to be told.
    static let toldProblems = 1_000

    struct State: Sendable {
        let userID: UInt32
        let options: TransferOptions
        /// Lower case; `nil`: the domain of each line.
        let domain: String?
        var rows: [AccountImport] = []
        var problems: [Problem] = []
        var faults = 0
        var lines = 0
        var complete = TransferSessions.wholeHashes
        /// What the last finish did or would do.
        var plan: TransferPlan?
        var isDone = false
        var lastUsed: Int64
    }
    private let open = Mutex<[String: State]>([:])

    func begin(_ caller: Caller, _ options: TransferOptions, domain: String?) throws(ControlError) -> String {
        guard let name = Random.octets(16).map({ $0.map { String($0, radix: 36) }.joined() }) else {
            throw ControlError(.failed, code: "store.no-hash", "no entropy")
        }
        let state = State(
            userID: caller.userID, options: options, domain: domain, lastUsed: SystemClock.monotonic())
        let isTaken = open.withLock { open in
            open = open.filter { SystemClock.monotonic() - $0.value.lastUsed < Self.idle }
            guard open.count < Self.limit else { return false }
            open[name] = state
            return true
        }
        guard isTaken else {
            throw ControlError(
                .refused, code: "account.too-many-transfers", "too many transfers of accounts are under way")
        }
        return name
    }

    /// The state, which is away until it is put back: two calls never work on one transfer.
    func take(_ name: String, _ caller: Caller) throws(ControlError) -> State {
        let found = open.withLock { open -> State? in
            guard let state = open[name], state.userID == caller.userID else { return nil }
            open[name] = nil
            return state
        }
        guard let found else {
            throw ControlError(
                .notFound, code: "account.no-transfer", "this transfer of accounts is not open (any more); begin anew")
        }
        return found
    }

    func put(_ state: State, _ name: String) {
        var state = state
        state.lastUsed = SystemClock.monotonic()
        open.withLock { [state] in $0[name] = state }
    }

    func end(_ name: String, _ caller: Caller) {
        open.withLock { open in if open[name]?.userID == caller.userID { open[name] = nil } }
    }
}
