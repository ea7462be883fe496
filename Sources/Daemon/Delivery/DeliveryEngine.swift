import Journal
import MailModel
import Mailbox
import NIOCore
import NIOPosix
import Spool
import Threads
import Transport

/// Delivery without its process: spool, mailboxes and network in, settled recipients out. The service drives it, and so
/// do tests, with a clock of their own.
package final class DeliveryEngine: Sendable {
    package let context: DeliveryContext
    package let dispatcher: Dispatcher
    package let remote: RemoteDelivery
    package let settlement: Settlement
    private let gauge: Gauge
    private let group: MultiThreadedEventLoopGroup

    /// - Parameters:
    ///   - tls: `nil`: connections are never encrypted.
    ///   - now: milliseconds since 1970.
    ///   - settled: called after each attempt whose result is written; any thread, cheap.
    package init(
        spool: any DeliverySpool, mailboxes: any MailboxStore, journal: any EventSink, resolver: any NameResolver,
        tls: ClientTLS?, configuration: DeliveryConfiguration, now: @escaping @Sendable () -> Int64,
        settled: @escaping @Sendable () -> Void = {}
    ) {
        context = DeliveryContext(
            spool: spool, mailboxes: mailboxes, journal: journal, configuration: configuration, now: now,
            settled: settled)
        gauge = Gauge(counters: context.counters)
        settlement = Settlement(context: context, gauge: gauge)
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        remote = RemoteDelivery(
            loop: group.next(), context: context, resolver: resolver, tls: tls, settlement: settlement, gauge: gauge)
        dispatcher = Dispatcher(context: context, remote: remote, settlement: settlement, gauge: gauge)
    }

    /// Starts the dispatcher's thread.
    /// - Returns: `nil` when the system gives no thread.
    package func start() -> Thread? {
        Thread(name: "dispatch") { [self] in dispatcher.run() }
    }

    /// Other settings, from the next decision on.
    package func use(_ configuration: DeliveryConfiguration) {
        context.configuration = configuration
        _ = remote.closeIdle()
        dispatcher.wake()
    }

    /// Ends connections that stand unused.
    package func closeIdle() async { try? await remote.closeIdle().get() }

    /// Recipients under way.
    package var underWay: Int { gauge.recipients }

    /// Takes no new work and waits for what is under way; after `grace` it is cut, and what has no outcome is due again
    /// at the next start.
    package func stop(grace: Duration) async {
        gauge.stop()
        let done = remote.stop()
        let loop = remote.loop
        let cut = loop.scheduleTask(in: TimeAmount(grace)) { [remote] in _ = remote.cut() }
        try? await done.get()
        cut.cancel()
        // Mailboxes and the spool's committer finish by themselves in milliseconds.
        let end = ContinuousClock.now + min(grace, .seconds(5))
        while gauge.recipients > 0, ContinuousClock.now < end {
            settlement.writeAgain()
            try? await Task.sleep(for: .milliseconds(5))
        }
        remote.logins.close()
        try? await group.shutdownGracefully()
    }
}
