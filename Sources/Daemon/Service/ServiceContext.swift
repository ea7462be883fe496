import Journal
import MailModel
import Settings
import Store
import Synchronization

/// What a service has of the world around it.
package final class ServiceContext: Sendable {
    /// `epstrs`, `epstds`
    package let name: String
    package let layout: Layout
    /// Name of this machine; names the folder of its queue and logs.
    package let node: String
    package let directory: any Directory
    package let journal: any EventSink
    /// Wakes EPSTDS (used by EPSTRS), or EPSTRS.
    package let wake: WakeLine
    /// Ends after `stop`.
    package let events: ServiceEvents

    private let report: @Sendable (ServiceReport) -> Void
    private let hasServed = Atomic<Bool>(false)
    private let provider = Mutex<(@Sendable () -> [String: Int])?>(nil)

    /// - Parameter report: takes what the service tells; any thread.
    package init(
        name: String, layout: Layout, node: String, directory: any Directory, journal: any EventSink, wake: WakeLine,
        events: ServiceEvents, report: @escaping @Sendable (ServiceReport) -> Void = { _ in }
    ) {
        self.name = name
        self.layout = layout
        self.node = node
        self.directory = directory
        self.journal = journal
        self.wake = wake
        self.events = events
        self.report = report
    }

    /// Everything is open, work begins.
    package func ready() { report(.ready) }

    /// Call after each finished job; all but the first call cost one atomic read.
    package func served() {
        if hasServed.load(ordering: .relaxed) { return }
        if hasServed.exchange(true, ordering: .relaxed) == false { report(.served) }
    }

    /// Asked once a second for totals since the start: see `ServiceStatus.counters` for the names. Any thread.
    package func counters(_ provider: @escaping @Sendable () -> [String: Int]) {
        self.provider.withLock { $0 = provider }
    }
    package var currentCounters: [String: Int] {
        let provider = provider.withLock { $0 }
        return provider?() ?? [:]
    }

    /// Gives the supervisor a secret to keep. Any thread.
    package func keep(_ secret: AccountSecret, of account: MailAddress) {
        report(
            .secret(
                account: account.text, kind: secret.kind.rawValue, generation: secret.generation, sealed: secret.sealed)
        )
    }

    /// A lock that was just made, to be written down and told: see `ServiceReport.locked`. Any thread.
    package func locked(kind: String, subject: String, since: Int64, cause: String, count: Int) {
        report(.locked(kind: kind, subject: subject, since: since, cause: cause, count: count))
    }

    /// Shows administrators something at once, English. Any thread.
    package func alert(_ text: String) { report(.alert(text)) }

    /// Trouble that lasts and that people should see beside the service's state, English; `nil` when it is over.
    package func trouble(_ text: String?) { report(.trouble(text)) }
}
