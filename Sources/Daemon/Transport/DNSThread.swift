import CLinux
import CUnbound
import Glibc
import Synchronization

/// The one thread that calls libunbound. Requests come in through a locked list and a wake-up pipe; libunbound's own
/// threads do the network. One context per configured server, made at its first use, so that servers are asked in the
/// order of the setting (libunbound alone would choose among its forwarders by speed).
final class DNSThread: @unchecked Sendable {
    // @unchecked: `incoming` is locked; everything else belongs to the thread, which starts after init has set it.

    struct Request: Sendable {
        var key: DNSQuery.Key
        var completion: @Sendable (Result<DNSQuery.Raw, NameFailure>) -> Void
    }
    private struct Incoming {
        var requests: [Request] = []
        var isStopped = false
    }

    private let configuration: DNSConfiguration
    private let incoming = Mutex(Incoming())
    private let wakeRead: Int32
    private let wakeWrite: Int32
    private var contexts: [OpaquePointer?]
    /// Until when a server that stayed silent is asked last.
    private var silentUntil: [UInt64]
    private var queries: [DNSQuery.Key: DNSQuery] = [:]

    /// - Returns: `nil` when there are no descriptors or threads left.
    init?(configuration: DNSConfiguration) {
        self.configuration = configuration
        let servers = max(1, configuration.servers.count)
        contexts = Array(repeating: nil, count: servers)
        silentUntil = Array(repeating: 0, count: servers)
        var ends: [Int32] = [-1, -1]
        guard pipe2(&ends, O_CLOEXEC | O_NONBLOCK) == 0 else { return nil }
        wakeRead = ends[0]
        wakeWrite = ends[1]
        var thread = pthread_t()
        let box = Unmanaged.passRetained(self)
        let made = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<DNSThread>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            }, box.toOpaque())
        guard made == 0 else {
            box.release()
            return nil
        }
        pthread_detach(thread)
    }

    deinit {
        if wakeRead >= 0 { close(wakeRead) }
        if wakeWrite >= 0 { close(wakeWrite) }
    }

    func ask(_ request: Request) {
        let accepted = incoming.withLock { incoming in
            if incoming.isStopped { return false }
            incoming.requests.append(request)
            return true
        }
        if accepted { wake() } else { request.completion(.failure(.temporary("resolver is stopped"))) }
    }

    /// Open questions are answered as failed; the thread ends.
    func stop() {
        incoming.withLock { $0.isStopped = true }
        wake()
    }

    private func wake() {
        var octet: UInt8 = 1
        _ = write(wakeWrite, &octet, 1)  // a full pipe means that the thread is awake already
    }

    // MARK: On the thread

    private func run() {
        while true {
            let (requests, stopped) = incoming.withLock { incoming in
                defer { incoming.requests = [] }
                return (incoming.requests, incoming.isStopped)
            }
            for request in requests { begin(request) }
            if stopped { break }
            wait()
            expire()
        }
        for query in queries.values { finish(query, .failure(.temporary("resolver is stopped"))) }
        for context in contexts { if let context { ub_ctx_delete(context) } }
        contexts = []
    }

    private func begin(_ request: Request) {
        if let query = queries[request.key] {
            query.completions.append(request.completion)
            return
        }
        let now = Self.now()
        let order =
            contexts.indices.filter { silentUntil[$0] <= now } + contexts.indices.filter { silentUntil[$0] > now }
        let query = DNSQuery(key: request.key, servers: order, owner: self)
        query.completions.append(request.completion)
        queries[request.key] = query
        send(query)
    }

    /// Asks the query's current server, or ends it when there is none left.
    private func send(_ query: DNSQuery) {
        guard let server = query.servers.first else {
            finish(query, .failure(query.lastFailure))
            return
        }
        guard let context = context(server) else {
            query.lastFailure = .temporary("resolver cannot be set up")
            query.servers.removeFirst()
            return send(query)
        }
        query.deadline = Self.now() + UInt64(configuration.secondsPerServer) * 1_000_000_000
        let argument = Unmanaged.passUnretained(query).toOpaque()  // kept alive by `queries` until it is finished
        let error = ub_resolve_async(
            context, query.key.name, query.key.type, 1, argument,
            { argument, error, result in
                defer { if let result { ub_resolve_free(result) } }
                guard let argument else { return }
                let query = Unmanaged<DNSQuery>.fromOpaque(argument).takeUnretainedValue()
                query.owner.answered(query, DNSThread.reading(error, result))
            }, &query.attempt)
        if error != 0 {
            query.lastFailure = .temporary(String(cString: ub_strerror(error)))
            query.servers.removeFirst()
            send(query)
        }
    }

    private func answered(_ query: DNSQuery, _ answer: Result<DNSQuery.Raw, NameFailure>) {
        switch answer {
        case .success, .failure(.notFound), .failure(.bogus): finish(query, answer)
        case .failure(let failure):
            query.lastFailure = failure
            query.servers = query.servers.dropFirst()
            send(query)
        }
    }

    private func finish(_ query: DNSQuery, _ answer: Result<DNSQuery.Raw, NameFailure>) {
        queries[query.key] = nil
        for completion in query.completions { completion(answer) }
    }

    /// Sleeps until there is something to do, and takes libunbound's answers.
    private func wait() {
        var fds = [pollfd(fd: wakeRead, events: Int16(POLLIN), revents: 0)]
        let open = contexts.compactMap { $0 }
        fds += open.map { pollfd(fd: ub_fd($0), events: Int16(POLLIN), revents: 0) }
        let earliest = queries.values.reduce(UInt64.max) { min($0, $1.deadline) }
        let now = Self.now()
        let milliseconds =
            earliest == .max ? -1 : Int32(clamping: (earliest > now ? (earliest - now) / 1_000_000 : 0) + 1)
        guard poll(&fds, nfds_t(fds.count), milliseconds) > 0 else { return }
        if fds[0].revents != 0 {
            var sink: [UInt8] = Array(repeating: 0, count: 512)
            while read(wakeRead, &sink, sink.count) > 0 {}
        }
        for (entry, context) in zip(fds.dropFirst(), open) where entry.revents != 0 { ub_process(context) }
    }

    private func expire() {
        let now = Self.now()
        for query in queries.values where query.deadline <= now {
            if let server = query.servers.first {
                if let context = contexts[server] { ub_cancel(context, query.attempt) }
                silentUntil[server] = now + UInt64(DNSConfiguration.silenceSeconds) * 1_000_000_000
            }
            query.lastFailure = .timeout
            query.servers = query.servers.dropFirst()
            send(query)
        }
    }

    private func context(_ server: Int) -> OpaquePointer? {
        if let context = contexts[server] { return context }
        guard let context = ub_ctx_create() else { return nil }
        configuration.apply(to: context, server: server)
        guard ub_ctx_async(context, 1) == 0 else {
            ub_ctx_delete(context)
            return nil
        }
        configuration.unblock(context)
        contexts[server] = context
        return context
    }

    private static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// What libunbound's answer says. `bogus` comes first: the records are filled in even then.
    private static func reading(
        _ error: Int32, _ result: UnsafeMutablePointer<ub_result>?
    ) -> Result<DNSQuery.Raw, NameFailure> {
        guard error == 0, let result else { return .failure(.temporary(String(cString: ub_strerror(error)))) }
        let answer = result.pointee
        if answer.bogus != 0 {
            return .failure(.bogus(answer.why_bogus.map { String(cString: $0) } ?? "bogus"))
        }
        switch answer.rcode {
        case 0: break
        case 3: return .failure(.notFound)
        case 2: return .failure(.temporary("SERVFAIL"))
        case 5: return .failure(.temporary("REFUSED"))
        default: return .failure(.temporary("response code \(answer.rcode)"))
        }
        if answer.nxdomain != 0 { return .failure(.notFound) }
        var records: [[UInt8]] = []
        var index = 0
        while let data = answer.data?[index], records.count < DNSConfiguration.recordLimit {
            let length = Int(answer.len[index])
            records.append(Array(UnsafeRawBufferPointer(start: data, count: max(0, length))))
            index += 1
        }
        return .success(DNSQuery.Raw(records: records, ttl: max(0, Int(answer.ttl))))
    }
}
