/// org.epost.Services: the services of the original, one by one (R-SVC-01).
package enum ServicesInterface {
    package enum List: ControlMethod {
        package static let name = "org.epost.Services.List"
        package static let isReadOnly = true
        package typealias Input = Nothing
        package struct Output: Codable, Hashable, Sendable {
            package var services: [ServiceStatus]
            package init(services: [ServiceStatus]) { self.services = services }
        }
    }

    /// Answers when the action is done, or with `Failed` and the cause.
    package enum Act: ControlMethod {
        package static let name = "org.epost.Services.Act"
        package static let mayWait = true
        package enum Action: String, Codable, Hashable, Sendable, CaseIterable {
            case start, stop, restart, register, unregister
        }
        package struct Input: Codable, Hashable, Sendable {
            /// `epstrs`, `epstds`
            package var service: String
            package var action: Action
            /// Stop at once instead of waiting for messages under way (60 s at most).
            package var force: Bool
            package init(service: String, action: Action, force: Bool = false) {
                self.service = service
                self.action = action
                self.force = force
            }
        }
        package typealias Output = ServiceStatus
    }
}

package struct ServiceStatus: Codable, Hashable, Sendable {
    package enum State: String, Codable, Hashable, Sendable, CaseIterable {
        case notRegistered, stopped, starting, running, stopping, failed
    }
    /// `epstrs`, `epstds`
    package var name: String
    package var state: State
    package var pid: Int?
    /// Milliseconds since 1970 when it entered this state.
    package var since: Int
    /// Why it failed or waits, English.
    package var reason: String?
    /// The same as `reason`, sentence by sentence, for readers of other languages.
    package var notes: [StatusNote]
    /// Restarts since the daemon started.
    package var restarts: Int
    /// `sessions`, `sessionsLimit`, `received`, `rejected`, `authFailed`, `receivedPerMinute`, … (EPSTRS);
    /// `active`, `threads`, `delivered`, `sentRemote`, `deferred`, `failed`, `deliveredPerMinute`, … (EPSTDS).
    package var counters: [String: Int]
    /// Addresses served, `192.0.2.1:25`, `192.0.2.1:465*` (EPSTRS).
    package var listeners: [String]
    /// Received (EPSTRS) or delivered (EPSTDS) in each of the last 30 minutes, oldest first.
    package var history: [Int]
    package init(
        name: String, state: State, pid: Int? = nil, since: Int, reason: String? = nil, notes: [StatusNote] = [],
        restarts: Int = 0,
        counters: [String: Int] = [:], listeners: [String] = [], history: [Int] = []
    ) {
        self.name = name
        self.state = state
        self.pid = pid
        self.since = since
        self.reason = reason
        self.notes = notes
        self.restarts = restarts
        self.counters = counters
        self.listeners = listeners
        self.history = history
    }
}
