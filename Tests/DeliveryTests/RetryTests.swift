import MailModel
import Settings
import Spool
import Testing

@testable import Delivery

@Suite("Retry over days, in virtual time")
struct RetryTests {
    private func bench(
        answering code: String, settings: (inout SettingsSnapshot) throws -> Void
    ) async throws -> (DeliveryBench, SinkServer) {
        let sink = try await SinkServer.start(behaviour: { at, _, _ in at == .rcpt ? .reply(code) : nil })
        let port = sink.port
        let bench = try DeliveryBench(settings: {
            try $0.set(DeliverySettings.port, String(port))
            try settings(&$0)
        })
        bench.route("far.example", to: "127.0.0.1")
        return (bench, sink)
    }

    /// Runs until the queue is empty, jumping from attempt to attempt.
    /// - Returns: seconds after the first attempt at which attempts were made.
    private func attempts(_ bench: DeliveryBench, most: Int) async throws -> [Int] {
        let start = bench.now
        var out: [Int] = []
        while out.count < most {
            out.append(Int(bench.now - start) / 1_000)
            try await bench.run()
            guard let next = try bench.queued().first?.nextAttempt else { break }
            bench.advance(to: next)
        }
        return out
    }

    @Test("interval 120, fixed: 0, 120, 240, 360 (R-DLV-18, R-DLV-19, vector 1)")
    func fixed() async throws {
        let (bench, sink) = try await bench(answering: "450 4.2.0 no") {
            try $0.set(DeliverySettings.retryFixed, "true")
        }
        bench.add(to: ["x@far.example"])
        #expect(try await attempts(bench, most: 4) == [0, 120, 240, 360])
        await bench.stop()
        await sink.stop()
    }

    @Test("interval 120, growing: 0, 120, 360, 720, 1200 (R-DLV-19, vector 2)")
    func growing() async throws {
        let (bench, sink) = try await bench(answering: "450 4.2.0 no") { _ in }
        bench.add(to: ["x@far.example"])
        #expect(try await attempts(bench, most: 5) == [0, 120, 360, 720, 1_200])
        await bench.stop()
        await sink.stop()
    }

    @Test("refusals 9: ten attempts, then the report (vector 3); a copy for the administrator (R-DOM-15, vector 7)")
    func refusals() async throws {
        let (bench, sink) = try await bench(answering: "550 5.7.1 no") {
            try $0.set(DeliverySettings.retryMaxRefusals, "9")
            try $0.set(AdminSettings.copyBounces, "true")
        }
        bench.add(from: "taro@local.example", to: ["x@far.example"])
        #expect(try await attempts(bench, most: 100).count == 10)
        #expect(bench.mailbox("taro").count == 1)
        #expect(bench.mailbox("admin").count == 1)
        await bench.stop()
        await sink.stop()
    }

    @Test("a 5yz reply is final by default (RFC 5321 §4.2.1)")
    func finalRefusal() async throws {
        let (bench, sink) = try await bench(answering: "550 5.7.1 no") { _ in }
        bench.add(from: "taro@local.example", to: ["x@far.example"])
        #expect(try await attempts(bench, most: 100) == [0])
        #expect(bench.mailbox("taro").count == 1)
        await bench.stop()
        await sink.stop()
    }

    @Test("line 8 h: the report comes with the first attempt due after 8 h (vector 4)")
    func line() async throws {
        let (bench, sink) = try await bench(answering: "451 4.3.0 no") {
            try $0.set(DeliverySettings.retryHoursLine, "8")
        }
        bench.add(from: "taro@local.example", to: ["x@far.example"])
        let times = try await attempts(bench, most: 1_000)
        let last = try #require(times.last)
        #expect(last >= 8 * 3_600 && last < 9 * 3_600)
        #expect(times.dropLast().allSatisfy { $0 < 8 * 3_600 })
        #expect(bench.mailbox("taro").count == 2)  // late after four hours, then given up
        let report = try #require(bench.mailbox("taro").last)
        #expect(report.contains("451 4.3.0 no"))
        #expect(report.contains("Status: 5.3.0"))
        await bench.stop()
        await sink.stop()
    }

    @Test("unreachable 24 h: connection refused each time (vector 5)")
    func unreachable() async throws {
        let (bench, sink) = try await bench(answering: "") { try $0.set(DeliverySettings.retryHoursUnreachable, "24") }
        await sink.stop()
        bench.add(from: "taro@local.example", to: ["x@far.example"])
        let times = try await attempts(bench, most: 1_000)
        let last = try #require(times.last)
        #expect(last >= 24 * 3_600 && last < 25 * 3_600)
        #expect(bench.mailbox("taro").first?.contains("connection refused") == true)
        await bench.stop()
    }

    @Test("the default keeps trying for five days")
    func fiveDays() async throws {
        let (bench, sink) = try await bench(answering: "451 4.3.0 no") { _ in }
        bench.add(from: "<>", to: ["x@far.example"])
        let times = try await attempts(bench, most: 1_000)
        #expect(try #require(times.last) >= 120 * 3_600)
        #expect(bench.events(.fail).count == 1)
        await bench.stop()
        await sink.stop()
    }

    @Test("each recipient is counted for itself (R-DLV-21)")
    func separate() async throws {
        let (bench, sink) = try await bench(answering: "451 4.3.0 no") {
            try $0.set(DeliverySettings.retryHoursLine, "1")
        }
        let id = bench.add(from: "<>", to: ["x@far.example", "y@far.example"])
        try await bench.run()
        #expect(try bench.spool.show(id).recipients.map(\.history.tries) == [1, 1])
        await bench.stop()
        await sink.stop()
    }

    @Test("only refusals count for the number of refusals (R-DLV-20)")
    func countedApart() async throws {
        let calls = Counter()
        let sink = try await SinkServer.start(behaviour: { at, _, _ in
            at == .rcpt ? .reply(calls.next() % 2 == 0 ? "550 5.7.1 no" : "451 4.3.0 later") : nil
        })
        let port = sink.port
        let bench = try DeliveryBench(settings: {
            try $0.set(DeliverySettings.port, String(port))
            try $0.set(DeliverySettings.retryMaxRefusals, "2")
        })
        bench.route("far.example", to: "127.0.0.1")
        bench.add(from: "taro@local.example", to: ["x@far.example"])
        // 451, 550, 451, 550, 451, 550: the third refusal ends it.
        #expect(try await attempts(bench, most: 100).count == 6)
        #expect(bench.mailbox("taro").count == 1)
        await bench.stop()
        await sink.stop()
    }

    @Test("late: the sender is told once, with the true reason and until when it is tried")
    func late() async throws {
        let (bench, sink) = try await bench(answering: "451 4.7.1 greylisted") { _ in }
        let id = bench.add(from: "taro@local.example", to: ["x@far.example"])
        let start = bench.now
        while bench.now - start < 10 * 3_600_000 {
            try await bench.run()
            guard let row = try bench.queued().first(where: { $0.id == id }), let next = row.nextAttempt else { break }
            if bench.now - start < 4 * 3_600_000 { #expect(bench.mailbox("taro").isEmpty) }
            bench.advance(to: next)
        }
        let reports = bench.mailbox("taro")
        #expect(reports.count == 1)
        let report = try #require(reports.first)
        for line in [
            "Subject: Delayed mail (still being retried)", "Action: delayed", "Status: 4.7.1",
            "Diagnostic-Code: smtp; 451 4.7.1 greylisted", "Will-Retry-Until: ", "お送りになったメール",
        ] { #expect(report.contains(line), "\(line)") }
        await bench.stop()
        await sink.stop()
    }

    @Test(
        "nobody is told of a delay that was not asked for (RFC 3461 §4.1), of a report's, or with 0 hours",
        arguments: [
            ("taro@local.example", Recipient.Notify.never, "4"), ("taro@local.example", Recipient.Notify.failure, "4"),
            ("<>", Recipient.Notify(), "4"),
            ("taro@local.example", Recipient.Notify(), "0"),
        ])
    func notTold(_ sender: String, _ notify: Recipient.Notify, _ hours: String) async throws {
        let (bench, sink) = try await bench(answering: "451 4.7.1 later") {
            try $0.set(DeliverySettings.warnHours, hours)
        }
        bench.add(from: sender, to: ["x@far.example"], notify: notify)
        let start = bench.now
        while bench.now - start < 6 * 3_600_000 {
            try await bench.run()
            guard let next = try bench.queued().first?.nextAttempt else { break }
            bench.advance(to: next)
        }
        #expect(bench.mailbox("taro").isEmpty)
        await bench.stop()
        await sink.stop()
    }

    @Test("reports in English alone, when set so")
    func english() async throws {
        let (bench, sink) = try await bench(answering: "550 5.1.1 no such user") {
            try $0.set(DeliverySettings.reportLanguage, "en")
        }
        bench.add(from: "taro@local.example", to: ["x@far.example"])
        try await bench.run()
        let report = try #require(bench.mailbox("taro").first)
        #expect(report.utf8.allSatisfy { $0 < 0x80 })
        #expect(report.contains("could not be delivered"))
        await bench.stop()
        await sink.stop()
    }

    @Test("a report that cannot be delivered is neither reported nor copied, wherever the administrator's mail goes")
    func noLoop() async throws {
        let (bench, sink) = try await bench(answering: "550 5.1.1 no such user") {
            try $0.set(AdminSettings.account, "admin@far.example")
            try $0.set(AdminSettings.copyBounces, "true")
        }
        bench.add(from: "taro@local.example", to: ["x@far.example"])
        try await bench.run()
        #expect(bench.mailbox("taro").count == 1)
        #expect(try bench.queued().isEmpty)
        #expect(bench.events(.fail).map(\.recipient) == ["x@far.example", "admin@far.example"])
        await bench.stop()
        await sink.stop()
    }
}
