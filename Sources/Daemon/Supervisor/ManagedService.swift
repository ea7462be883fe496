import Control
import Service

/// Everything the supervisor knows about one service. Used on the supervisor's loop only.
final class ManagedService {
    enum Kind: String, CaseIterable, Sendable {
        case receiver = "epstrs"
        case delivery = "epstds"
        /// The counter that the history shows.
        var mainCounter: String { self == .receiver ? "received" : "delivered" }
        var lastMinuteCounter: String { self == .receiver ? "receivedPerMinute" : "deliveredPerMinute" }
    }
    typealias Completion = (Result<ServiceStatus, ControlError>) -> Void

    let kind: Kind
    var isRegistered = false
    /// Whether it shall run.
    var isWanted = false
    private(set) var state = ServiceStatus.State.notRegistered
    private(set) var since = Clock.wall()
    var process: ChildProcess?
    /// What is wrong with it, by where it comes from.
    var failure: [StatusNote] = []
    var trouble: StatusNote?
    var listenerTroubles: [StatusNote] = []
    var rule = RestartRule()
    var restarts = 0
    var counters: [String: Int] = [:]
    var history = ServiceHistory()
    /// Of the last 24 hours.
    var totals = DayTotals()
    /// Monotonic milliseconds.
    var restartAt: Int?
    var killAt: Int?
    var readyBy: Int?
    /// Start again when the process has ended.
    var startsAgain = false
    /// Waiting for it to run, or to be stopped.
    var waitingForRun: [Completion] = []
    var waitingForStop: [Completion] = []
    var requests: [Int: (Result<String, ControlError>) -> Void] = [:]
    var nextRequest = 1
    var listeners: [String] = []

    init(_ kind: Kind) { self.kind = kind }

    func enter(_ new: ServiceStatus.State) {
        guard new != state else { return }
        state = new
        since = Clock.wall()
    }

    var notes: [StatusNote] {
        switch state {
        case .running, .starting: listenerTroubles + [trouble].compactMap { $0 }
        case .failed, .notRegistered, .stopped, .stopping: failure
        }
    }

    var status: ServiceStatus {
        var counters = process == nil ? [:] : counters
        counters[kind.lastMinuteCounter] = history.lastMinute
        counters.merge(totals.totals(now: Clock.wall())) { _, total in total }
        let notes = notes
        return ServiceStatus(
            name: kind.rawValue, state: state, pid: process.map { Int($0.pid) }, since: since,
            reason: notes.map(\.message).joined(separator: "; ").nilIfEmpty, notes: notes, restarts: restarts,
            counters: counters, listeners: listeners, history: history.perMinute)
    }

    // A completion may ask for more: the list is emptied before anybody is told.
    func finishRun(_ result: Result<ServiceStatus, ControlError>) {
        let completions = waitingForRun
        waitingForRun = []
        completions.forEach { $0(result) }
    }
    func finishStop(_ result: Result<ServiceStatus, ControlError>) {
        let completions = waitingForStop
        waitingForStop = []
        completions.forEach { $0(result) }
    }

    func failRequests(_ message: String) {
        let open = requests
        requests = [:]
        for (_, completion) in open {
            completion(.failure(ControlError(.failed, code: "service.gone", message)))
        }
    }
}

extension String {
    var nilIfEmpty: String? { isEmpty ? nil : self }
}
