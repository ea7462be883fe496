import Crypto
import Glibc
import MailModel
import NIOCore
import SMTP
import Settings
import Spool
import Synchronization
import Testing
import Transport

@testable import Delivery

/// Every fault at every stage, over real connections: one server that misbehaves by the address at which it is asked,
/// one message for each cell of the table, and a clock of its own for the days.
@Suite("A server that misbehaves in every way")
struct FaultTests {
    /// Everything around one run.
    private final class Table: Sendable {
        let cells: [FaultCell]
        let sink: SinkServer
        let bench: DeliveryBench
        let isWell: Flag

        final class Flag: Sendable {
            private let value = Atomic(false)
            func set() { value.store(true, ordering: .relaxed) }
            var isSet: Bool { value.load(ordering: .relaxed) }
        }

        /// - Parameter limit: how long a server may think; what is silent has to be waited for.
        init(_ cells: [FaultCell], mode: String, limit: Duration) async throws {
            self.cells = cells
            let isWell = Flag()
            self.isWell = isWell
            let byAddress = Dictionary(uniqueKeysWithValues: cells.map { ($0.address, $0) })
            let server = try FaultTests.certified()
            sink = try await SinkServer.start(
                on: "0.0.0.0", tls: { try TLSHandler(server, scope: "sink") },
                places: { address in
                    byAddress[address].map { cell in
                        SinkServer.Place(
                            answer: { isWell.isSet ? nil : cell.answer(at: $0) }, offersTLS: cell.hasTLS,
                            offersLogin: cell.stage == .auth)
                    }
                })
            let port = sink.port
            let contexts = ClientTLSContexts()
            bench = try DeliveryBench(
                tls: { name, trust in try TLSHandler(contexts.context(for: trust), serverName: name) },
                settings: {
                    try $0.set(DeliverySettings.port, String(port))
                    try $0.set(DeliverySettings.threads, "200")
                    try $0.set(DeliverySettings.tls, mode)
                    try $0.set(DeliverySettings.retryFixed, "true")
                    try $0.set(DeliverySettings.retryMaxRefusals, "1")
                    try $0.set(DeliverySettings.retryHoursLine, "1")
                    try $0.set(DeliverySettings.retryHoursUnreachable, "2")
                },
                configuration: {
                    $0.timeouts = ClientTimeouts(
                        connect: .seconds(20), command: limit, dataStart: limit, dataBlock: limit, dataEnd: limit,
                        idle: .seconds(60))
                    $0.router = LoginRouter(usual: $0.router, port: port)
                    $0.login = .init(
                        mechanism: .plain, credentials: .init(user: "relay", password: "Sesame"))
                })
            for cell in cells {
                if cell.stage != .auth { bench.route(cell.domain, to: cell.address) }
                bench.add(from: "taro@local.example", to: ["x@\(cell.domain)"])
            }
        }

        func stop() async {
            await bench.stop()
            await sink.stop()
        }
    }

    /// Servers where we log in are gateways (R-DLV-23); their domains name the cell.
    private struct LoginRouter: DeliveryRouter {
        let usual: any DeliveryRouter
        let port: Int
        func route(_ recipient: Recipient, sender: ReversePath) -> DeliveryRoute {
            let domain = recipient.address.domain
            guard let cell = FaultCell.all.first(where: { $0.stage == .auth && $0.domain == domain }) else {
                return usual.route(recipient, sender: sender)
            }
            return .remote(NextHop(.gateway(cell.address), port: port))
        }
    }

    static func certified() throws -> TLSContext {
        let folder = "/tmp/epost-sink-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        mkdir(folder, 0o700)
        let pair = try Certificate.selfSigned(names: ["sink.example"])
        let (certificate, key) = (folder + "/certificate.pem", folder + "/key.pem")
        defer {
            unlink(certificate)
            unlink(key)
            rmdir(folder)
        }
        for (octets, path) in [(pair.certificate, certificate), (pair.key, key)] {
            let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
            defer { close(descriptor) }
            try #require(Glibc.write(descriptor, octets, octets.count) == octets.count)
        }
        return try TLSContext(certificateFile: certificate, privateKeyFile: key)
    }

    private static let quick = FaultCell.all.filter { !$0.isSlow }
    private static let slow = FaultCell.all.filter(\.isSlow)
    private static let tlsOnly = FaultCell.all.filter(\.hasTLS)

    // MARK: Tests

    @Test("class and words are the same in queue, log and report; refusals end by number, the rest by hours (R-DLV-20)")
    func quick() async throws { try await follow(Self.quick, mode: "opportunistic", limit: .seconds(60)) }

    @Test("silence, and octets that never become an answer, end with the time limit")
    func slow() async throws { try await follow(Self.slow, mode: "opportunistic", limit: .seconds(2), heals: true) }

    @Test("TLS that fails where it is required: nothing is sent", arguments: [false, true])
    func required(_ isSlow: Bool) async throws {
        try await follow(
            Self.tlsOnly.filter { $0.isSlow == isSlow }, mode: "required", limit: .seconds(isSlow ? 2 : 60),
            heals: isSlow)
    }

    @Test("no connection: refused and unanswered are one class, with hours of its own")
    func unreachable() async throws {
        let closed = try Deaf(listens: false)
        let full = try Deaf(listens: true)
        let bench = try DeliveryBench(
            settings: {
                try $0.set(DeliverySettings.retryHoursLine, "1")
                try $0.set(DeliverySettings.retryHoursUnreachable, "2")
            },
            configuration: {
                $0.timeouts.connect = .milliseconds(300)
                $0.router = PortRouter(
                    usual: $0.router, ports: ["closed.example": closed.port, "full.example": full.port])
            })
        bench.add(from: "taro@local.example", to: ["x@closed.example", "x@full.example"])
        try await bench.run()
        let id = try #require(try bench.queued().first?.id)
        for (hours, waits) in [(1, true), (1, false)] {
            let waiting = waits ? try bench.spool.show(id).recipients : []
            for recipient in waiting { #expect(recipient.history.failure == .unreachable) }
            #expect(
                !waits
                    || Set(waiting.compactMap(\.history.reply)) == [
                        "451 4.4.1 connection refused", "451 4.4.1 connection timed out",
                    ])
            bench.advance(seconds: hours * 3_600)
            try await bench.run()
        }
        #expect(try bench.queued().isEmpty)
        #expect(
            Set(bench.events(.fail).compactMap(\.reply)) == [
                "451 4.4.1 connection refused", "451 4.4.1 connection timed out",
            ])
        let report = Self.unfolded(bench.mailbox("taro").joined())
        for words in ["connection refused", "connection timed out"] {
            #expect(report.contains("Diagnostic-Code: smtp; 451 4.4.1 \(words)\n"))
        }
        await bench.stop()
    }

    private struct PortRouter: DeliveryRouter {
        let usual: any DeliveryRouter
        let ports: [String: Int]
        func route(_ recipient: Recipient, sender: ReversePath) -> DeliveryRoute {
            guard let port = ports[recipient.address.domain] else { return usual.route(recipient, sender: sender) }
            return .remote(NextHop(.gateway("127.0.0.1"), port: port))
        }
    }

    /// A port that refuses connections, or whose queue of connections is full so that none more is answered.
    private final class Deaf {
        let port: Int
        private var sockets: [Int32] = []

        init(listens: Bool) throws {
            func make(_ flags: Int32) throws -> Int32 {
                let made = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | flags, 0)
                try #require(made >= 0)
                return made
            }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            func calling(_ body: (UnsafeMutablePointer<sockaddr>) -> Int32) -> Int32 {
                withUnsafeMutablePointer(to: &address) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0) }
                }
            }
            let listener = try make(0)
            sockets = [listener]
            try #require(calling { bind(listener, $0, length) } == 0)
            try #require(calling { getsockname(listener, $0, &length) } == 0)
            port = Int(UInt16(bigEndian: address.sin_port))
            guard listens else { return }
            try #require(listen(listener, 0) == 0)
            for _ in 0..<8 {
                let client = try make(Int32(SOCK_NONBLOCK.rawValue))
                sockets.append(client)
                _ = calling { connect(client, $0, length) }
            }
        }

        deinit { for descriptor in sockets { close(descriptor) } }
    }

    @Test("a server that is well again gets each message once")
    func healing() async throws {
        let table = try await Table(Self.quick, mode: "opportunistic", limit: .seconds(60))
        try await table.bench.run()
        table.isWell.set()
        table.bench.advance(seconds: 121)
        try await table.bench.run()
        #expect(try table.bench.queued().isEmpty)
        let got = table.sink.messages.flatMap(\.recipients)
        #expect(Set(got) == Set(Self.quick.map { "x@\($0.domain)" }))
        #expect(got.count == Self.quick.count)
        #expect(table.bench.mailbox("taro").isEmpty)
        await table.stop()
    }

    // MARK: The course of things

    /// - Parameter heals: the server comes to its senses; else the story goes on to the reports.
    private func follow(
        _ cells: [FaultCell], mode: String, limit: Duration, heals: Bool = false
    ) async throws {
        let isRequired = mode == "required"
        let table = try await Table(cells, mode: mode, limit: limit)
        let bench = table.bench
        try await bench.run()
        var waiting: [String: (cell: FaultCell, kind: FailureClass, words: String)] = [:]
        let queued = try bench.queued()
        for cell in cells {
            let row = queued.first { $0.recipient.domain == cell.domain }
            switch cell.fate(whereTLSIsRequired: isRequired) {
            case .delivered(let isSecured):
                #expect(row == nil, "\(cell) waits: \(row?.reply ?? "")")
                let sent = bench.events(.send).filter { $0.recipient == "x@\(cell.domain)" }
                #expect(sent.map { $0.tls != nil } == [isSecured], "\(cell)")
                let taken = table.sink.messages.filter { $0.recipients == ["x@\(cell.domain)"] }
                #expect(taken.count == 1, "\(cell)")
            case .waits(let kind, let words):
                guard let row, let reply = row.reply else {
                    Issue.record("\(cell) does not wait")
                    continue
                }
                let history = try bench.spool.show(row.id).recipients.first?.history
                #expect(history?.failure == kind, "\(cell): \(reply)")
                #expect(reply.hasPrefix(words), "\(cell): \(reply)")
                #expect(row.tries == 1, "\(cell)")
                let logged = bench.events(.sender).filter { $0.queueID == row.id && $0.recipient != nil }
                #expect(logged.map(\.reply) == [reply], "\(cell)")
                waiting[cell.domain] = (cell, kind, words)
            }
        }
        try await goodByes(table, isRequired)
        if heals {
            table.isWell.set()
            bench.advance(seconds: 121)
            try await bench.run()
            #expect(try bench.queued().isEmpty)
            #expect(table.sink.messages.count == cells.count)
            return await table.stop()
        }
        // A refusal is repeated once, as it is set here; then the hours of the line are over.
        bench.advance(seconds: 121)
        try await bench.run()
        try ended(waiting.filter { $0.value.kind == .refusal }.mapValues { ($0.cell, $0.words) }, bench)
        let left = try bench.queued()
        #expect(Set(left.map(\.recipient.domain)) == Set(waiting.filter { $0.value.kind == .line }.keys))
        bench.advance(seconds: 3_600)
        try await bench.run()
        try ended(waiting.filter { $0.value.kind == .line }.mapValues { ($0.cell, $0.words) }, bench)
        #expect(try bench.queued().isEmpty)
        #expect(bench.mailbox("taro").count == waiting.count)
        await table.stop()
    }

    /// The report holds what the failure log says, word for word.
    private func ended(_ cells: [String: (cell: FaultCell, words: String)], _ bench: DeliveryBench) throws {
        let reports = bench.mailbox("taro").map(Self.unfolded)
        for (domain, (cell, words)) in cells {
            let failed = bench.events(.fail).filter { $0.recipient == "x@\(domain)" }
            guard failed.count == 1, let reply = failed[0].reply else {
                Issue.record("\(cell): \(failed)")
                continue
            }
            #expect(reply.hasPrefix(words), "\(cell): \(reply)")
            let about = reports.filter { $0.contains("Final-Recipient: rfc822; x@\(domain)\n") }
            #expect(about.count == 1, "\(cell)")
            #expect(about.first?.contains("Diagnostic-Code: smtp; \(reply)\n") == true, "\(cell): \(about)")
        }
    }

    private static func unfolded(_ text: String) -> String {
        text.replacing("\r\n", with: "\n").replacing("\n ", with: " ").replacing("\n\t", with: " ")
    }

    private func goodByes(_ table: Table, _ isRequired: Bool) async throws {
        await table.bench.engine.closeIdle()
        let end = ContinuousClock.now + .seconds(20)
        for cell in table.cells where cell.isLeftWithQuit {
            while table.sink.heard(at: cell.address).last != "QUIT", ContinuousClock.now < end {
                try await Task.sleep(for: .milliseconds(5))
            }
            #expect(table.sink.heard(at: cell.address).last == "QUIT", "\(cell)")
        }
        for cell in table.cells where cell.fault == .garbage && cell.stage != .quit {
            // Nothing more is said to who does not speak SMTP.
            guard case .waits = cell.fate(whereTLSIsRequired: isRequired) else { continue }
            #expect(table.sink.heard(at: cell.address).last != "QUIT", "\(cell)")
        }
    }
}
