import MailModel
import NIOCore
import SMTP
import Spool
import Synchronization
import Transport

/// Makes the TLS handler for a connection to a host of this name.
package typealias ClientTLS = @Sendable (_ serverName: String, _ trust: TLSTrust) throws -> any ChannelHandler

/// Mail on its way to other servers: slots, destinations, connections. Everything happens on one event loop.
package final class RemoteDelivery: @unchecked Sendable {
    // @unchecked: confined to `loop`; the package's calls hop onto it.

    /// Sessions with different hosts in which one attempt begins a transaction; more would only multiply time-outs.
    static let sessionsPerAttempt = 3
    /// Recipients of one transaction (R-DLV-14; RFC 5321 §4.5.3.1.8 asks servers for 100, and the reply 452 is understood).
    static let recipientsPerTransaction = 1_000

    let loop: any EventLoop
    let context: DeliveryContext
    let finder: HostFinder
    let tls: ClientTLS?
    let settlement: Settlement
    let gauge: Gauge
    private(set) var book = DestinationBook()
    var destinations: [NextHop: RemoteDestination] = [:]
    let schedule = Schedule()
    let logins = LoginSource()
    var links: [ObjectIdentifier: RemoteLink] = [:]
    var isStopping = false
    var isCutting = false
    var onIdle: [EventLoopPromise<Void>] = []
    let unwritten: UnwrittenSuccesses

    package init(
        loop: any EventLoop, context: DeliveryContext, resolver: any NameResolver, tls: ClientTLS?,
        settlement: Settlement, gauge: Gauge
    ) {
        self.loop = loop
        self.context = context
        self.tls = tls
        self.settlement = settlement
        self.gauge = gauge
        finder = HostFinder(loop: loop, context: context, resolver: resolver)
        unwritten = UnwrittenSuccesses(loop: loop)
    }

    // MARK: From other threads

    package func submit(_ jobs: [RemoteJob]) {
        guard !jobs.isEmpty else { return }
        loop.execute {
            for job in jobs { self.add(job) }
            self.pump()
        }
    }

    /// Settings changed: another resolver, other limits.
    package func use(_ resolver: any NameResolver) { loop.execute { self.finder.resolver = resolver } }

    /// Connections that stand unused are ended: how they were made may not be wanted any more.
    package func closeIdle() -> EventLoopFuture<Void> {
        loop.submit {
            for destination in Array(self.destinations.values) {
                let idle = destination.idle
                destination.idle = []
                for link in idle { link.connection?.quit() }
                self.forget(destination)
            }
        }
    }

    /// Nothing new; what runs is finished. The future is done when no transaction is under way.
    package func stop() -> EventLoopFuture<Void> {
        loop.flatSubmit {
            self.isStopping = true
            for destination in self.destinations.values {
                for job in self.schedule.takeAll(from: destination) { self.giveBack(job) }
                for link in destination.idle { link.connection?.quit() }
            }
            let promise = self.loop.makePromise(of: Void.self)
            if self.schedule.active == 0 { promise.succeed() } else { self.onIdle.append(promise) }
            return promise.futureResult
        }
    }

    /// The time is over: what runs is cut. Messages whose fate is not known are due again.
    package func cut() -> EventLoopFuture<Void> {
        loop.submit {
            self.isCutting = true
            for (job, destination) in self.unwritten.takeSlots() { self.release(job, destination) }
            for link in Array(self.links.values) { link.connection?.quit() }
        }
    }

    /// Memory is full of work that does not get on: of the broadest destination or sender a part goes back into the queue
    /// for a while, so that other mail gets through.
    package func shed() {
        loop.execute {
            let now = self.context.now()
            for (job, until) in self.schedule.shed(among: self.destinations.values, now: now) {
                self.settleAll(job, RecipientResult(.postponed(until: until), route: job.hop.text))
            }
        }
    }

    /// Gives back what waits of these messages: an administrator changed them.
    package func withdraw(_ ids: Set<QueueID>) {
        loop.execute {
            for destination in self.destinations.values {
                let taken = self.schedule.takeAll(from: destination) { ids.contains($0.message.id) }
                for job in taken { self.giveBack(job) }
            }
        }
    }

    package func mxCache() -> EventLoopFuture<String?> {
        loop.submit {
            guard self.finder.cache.isDirty else { return nil }
            self.finder.cache.isDirty = false
            return self.finder.cache.text
        }
    }

    package func readMXCache(_ text: String) { loop.execute { self.finder.cache = MXCache(text: text) } }

    /// What is known of destinations, for the next run; `nil` when it is as it was.
    package func destinationBook() -> EventLoopFuture<String?> {
        loop.submit {
            guard self.book.isDirty else { return nil }
            self.book.isDirty = false
            return self.book.text
        }
    }

    /// Before the first job.
    package func readDestinationBook(_ text: String) {
        loop.execute { if self.destinations.isEmpty { self.book = DestinationBook(text: text) } }
    }

    // MARK: Slots

    func add(_ job: RemoteJob) {
        if isStopping { return giveBack(job) }
        let now = context.now()
        let destination = destinations[job.hop] ?? RemoteDestination(book.record(of: job.hop, now: now), now: now)
        destinations[job.hop] = destination
        if let until = schedule.place(job, at: destination, now: now) {
            settleAll(job, RecipientResult(.postponed(until: until), route: job.hop.text))
            return forget(destination)
        }
        destination.record.bound(to: context.configuration.perDestination)
        schedule.add(job, to: destination, now: now)
    }

    /// Once more, before the sender's others: nothing was said about it.
    func restart(_ job: RemoteJob, _ destination: RemoteDestination) {
        schedule.addFirst(job, to: destination, now: context.now())
        release(job, destination)
    }

    /// Gives free slots out.
    func pump() {
        let threads = context.configuration.threads
        while let (job, destination) = schedule.next(threads: threads) {
            context.counters.active.store(schedule.active, ordering: .relaxed)
            start(job, destination)
        }
    }

    func start(_ job: RemoteJob, _ destination: RemoteDestination) {
        // With the MX cache off every message asks again, and its answer decides; else a connection that stands is one.
        let mayReuse = destination.hop.isGateway || context.configuration.mxCacheTTL > 0
        while mayReuse, let link = destination.idle.popLast() {
            guard link.isUsable else { continue }
            link.job = job
            job.candidates = [link.host]
            begin(link)
            return
        }
        find(job, destination, refresh: false)
    }

    func find(_ job: RemoteJob, _ destination: RemoteDestination, refresh: Bool) {
        finder.find(destination.hop, refresh: refresh) { [self] found in
            switch found {
            case .hosts(let hosts, let fromCache):
                job.candidates = hosts[...]
                job.mayAskAgain = fromCache
                connect(job, destination)
            case .failed(let reply):
                finish(job, destination, with: RecipientResult(.failed(reply), route: destination.hop.text))
            case .deferred(let reply):
                let result = RecipientResult(.deferred(reply, .unreachable), route: destination.hop.text)
                failWaiting(destination, result)
                finish(job, destination, with: result)
            }
        }
    }

    func forget(_ destination: RemoteDestination) {
        if destination.isEmpty, destinations[destination.hop] === destination { destinations[destination.hop] = nil }
    }

    /// A slot is free again.
    func release(_ job: RemoteJob, _ destination: RemoteDestination) {
        schedule.release(job, of: destination)
        context.counters.active.store(schedule.active, ordering: .relaxed)
        forget(destination)
        if schedule.active == 0 {
            for promise in onIdle { promise.succeed() }
            onIdle = []
        }
        pump()
    }

    // MARK: Connections

    /// Connects to the first candidate, or ends the attempt when there is none.
    func connect(_ job: RemoteJob, _ destination: RemoteDestination) {
        if isCutting { return finish(job, destination, with: RecipientResult(.untried, route: destination.hop.text)) }
        guard let host = job.candidates.first else { return exhausted(job, destination) }
        if destination.hop.isImplicitTLS, tls == nil {
            // A port for TLS never hears plain text, whatever the reason that there is no TLS here.
            let reply = DeliveryTrouble.tlsFailed.reply("TLS is not available on this server")
            return finish(
                job, destination, with: RecipientResult(.deferred(reply, .local), route: destination.hop.text))
        }
        let configuration = context.configuration
        let hop = destination.hop
        guard hop.login != nil || (hop.isGateway && configuration.login != nil) else {
            return connect(job, destination, to: host, as: nil)
        }
        let bound = NIOLoopBound((job, destination), eventLoop: loop)
        logins.find(hop.login, or: configuration.login, folder: configuration.credentialFolder) { [self] found in
            loop.execute {
                let (job, destination) = bound.value
                switch found {
                case .success(let login): self.connect(job, destination, to: host, as: login)
                case .failure(let trouble):
                    self.finish(
                        job, destination, with: RecipientResult(.deferred(trouble.reply, .local), route: hop.text))
                }
            }
        }
    }

    private func connect(
        _ job: RemoteJob, _ destination: RemoteDestination, to host: HostAddress,
        as login: LoginSource.Answer?
    ) {
        if isCutting { return finish(job, destination, with: RecipientResult(.untried, route: destination.hop.text)) }
        let configuration = context.configuration
        let hasFailed = login == nil && destination.withoutTLS.contains(host)
        let usesTLS = configuration.tls != .off && tls != nil && !hasFailed
        let link = RemoteLink(destination: destination, host: host, usesTLS: usesTLS, job: job, owner: self)
        link.isTrusted = configuration.trust != .anybody
        link.login = login
        let settings = clientSettings(link, configuration, login?.credentials)
        let makeTLS =
            usesTLS || destination.hop.isImplicitTLS ? handlerFactory(for: host, configuration.trust) : nil
        context.counters.connections.add()
        destination.record.connections += 1
        links[ObjectIdentifier(link)] = link
        let timeouts = configuration.timeouts
        ClientConnector.connect(
            to: host.address, port: host.port, loop: loop, limit: timeouts.connect,
            handler: { link.makeConnection(settings: settings, timeouts: timeouts, makeTLS: makeTLS) },
            implicitTLS: destination.hop.isImplicitTLS ? makeTLS : nil,
            completion: { [self] result in
                if case .failure(let failure) = result { notConnected(link, failure.reply) }
            })
    }

    func handlerFactory(
        for host: HostAddress, _ trust: TLSTrust
    ) -> (@Sendable () throws -> any ChannelHandler)? {
        guard let tls else { return nil }
        return { try tls(host.name, trust) }
    }

    func notConnected(_ link: RemoteLink, _ reply: Reply) {
        links[ObjectIdentifier(link)] = nil
        guard let job = link.job else { return }
        link.job = nil
        context.trace(job.message.id, reply, of: link)
        let result = RecipientResult(
            .deferred(reply, .unreachable), route: link.route, address: link.host.address.description,
            host: link.host.name)
        hostFailed(job, link.destination, result)
    }

    func clientSettings(
        _ link: RemoteLink, _ configuration: DeliveryConfiguration, _ credentials: ClientSettings.Credentials?
    ) -> ClientSettings {
        var credentials = credentials
        credentials?.allowedInClear = configuration.authenticatesInClear || link.host.address.isLoopback
        var mode: ClientSettings.TLS =
            link.destination.hop.isImplicitTLS ? .implicit : link.usesTLS ? configuration.tls : .off
        // Who takes the offer of TLS away must not get the password, nor the mail instead.
        if mode == .opportunistic, let credentials, !credentials.allowedInClear { mode = .required }
        return ClientSettings(
            hello: link.host.address.isIPv4 ? configuration.helloIPv4 : configuration.helloIPv6, tls: mode,
            credentials: credentials)
    }

    /// This host did not take the job: the next one, or the end of the attempt.
    func hostFailed(_ job: RemoteJob, _ destination: RemoteDestination, _ result: RecipientResult) {
        job.lastFailure = RecipientResult.softer(job.lastFailure, result)
        job.candidates = job.candidates.dropFirst()
        connect(job, destination)
    }

    func exhausted(_ job: RemoteJob, _ destination: RemoteDestination) {
        let route = destination.hop.text
        let result =
            job.lastFailure
            ?? RecipientResult(.deferred(DeliveryTrouble.connectFailed.reply(), .unreachable), route: route)
        if job.mayAskAgain {
            // R-DLV-17: the hosts came from the cache and none answered: the name servers may know others.
            job.mayAskAgain = false
            return find(job, destination, refresh: true)
        }
        if job.sessions == 0, destination.active > 1 || !destination.idle.isEmpty {
            // Other connections of the destination work: it only wants fewer of them.
            destination.record.bounded(by: destination.active - 1)
            return restart(job, destination)
        }
        if job.sessions == 0 { failWaiting(destination, result) }
        finish(job, destination, with: result)
    }

    // MARK: Ends

    /// The whole destination is out of reach: what waits for it shares the fate of the one that tried.
    func failWaiting(_ destination: RemoteDestination, _ result: RecipientResult) {
        guard destination.active <= 1, destination.idle.isEmpty else { return }
        destination.record.unreachable()
        for job in schedule.takeAll(from: destination) { settleAll(job, result) }
    }

    func finish(_ job: RemoteJob, _ destination: RemoteDestination, with result: RecipientResult) {
        for recipient in job.recipients {
            job.settled.append((recipient, job.lastFailures[recipient.index] ?? result))
        }
        job.recipients = []
        conclude(job)
        releaseWhenWritten(job, destination)
    }

    func giveBack(_ job: RemoteJob) { settleAll(job, RecipientResult(.untried, route: job.hop.text)) }

    func settleAll(_ job: RemoteJob, _ result: RecipientResult) {
        job.settled += job.recipients.map { ($0, result) }
        job.recipients = []
        conclude(job)
    }

    func conclude(_ job: RemoteJob) {
        let now = context.now()
        book.note(job.settled, of: book.record(of: job.hop, now: now), now: now)
        schedule.settled(job.settled.count, of: job.message.sender, at: destinations[job.hop])
        settle(job.message, job.settled)
        job.settled = []
    }

    /// The others of a message go on: what was delivered is written down, so that a crash does not send it again. What is
    /// to be reported waits for the end: one report tells it all.
    func concludeDelivered(_ job: RemoteJob) {
        let delivered = job.settled.filter { recipient, result in
            result.isRelayed && !recipient.recipient.notify.contains(.success)
        }
        guard !delivered.isEmpty else { return }
        let others = job.settled.filter { recipient, _ in !delivered.contains { $0.0.index == recipient.index } }
        job.settled = delivered
        conclude(job)
        job.settled = others
    }

    private func settle(_ message: ClaimedMessage, _ settled: [(ClaimedRecipient, RecipientResult)]) {
        var ended: (@Sendable () -> Void)?
        if settled.contains(where: \.1.isRelayed) {
            ended = unwritten.begin { [self] held in
                switch held {
                case .slot(let job, let destination): release(job, destination)
                case .session(let link): begin(link)
                }
            }
        }
        settlement.settle(message, settled.map(\.0), settled.map(\.1), ended: ended)
    }

    /// A slot is free again, unless too much was sent of which nothing is written down.
    func releaseWhenWritten(_ job: RemoteJob, _ destination: RemoteDestination) {
        if isCutting || !unwritten.hold(.slot(job, destination), limit: context.configuration.threads) {
            release(job, destination)
        }
    }
}

extension ClientContent {
    init(_ content: StoredContent) {
        switch content {
        case .inline(let octets): self = .octets(octets)
        case .file(let file): self = .pieces(size: file.size) { try file.read(at: $0, count: $1) }
        }
    }
}
