import MailModel
import Mailbox
import Settings
import Spool
import Store
import Testing

@testable import Delivery

@Suite("Local delivery")
struct LocalDeliveryTests {
    @Test("a message for two accounts is in both mailboxes, with its Return-Path, and gone from the queue (R-DLV-06)")
    func two() async throws {
        let bench = try DeliveryBench()
        bench.add(to: ["taro@local.example", "HANAKO@Local.Example"])
        try await bench.run()
        let stored = "Return-Path: <a@client.example>\nSubject: x\n\nhello\n"
        #expect(bench.mailbox("taro") == [stored])
        #expect(bench.mailbox("hanako") == [stored])
        #expect(try bench.queued().isEmpty)
        #expect(bench.events(.local).count == 2)
        #expect(bench.events(.send).isEmpty)
        await bench.stop()
    }

    @Test("an unknown user of an operated domain: a report to the sender, from the null path (R-DLV-24)")
    func unknown() async throws {
        let bench = try DeliveryBench()
        bench.add(from: "taro@local.example", to: ["nobody@local.example"])
        try await bench.run()
        let report = try #require(bench.mailbox("taro").first)
        #expect(report.hasPrefix("Return-Path: <>\n"))
        #expect(report.contains("multipart/report"))
        #expect(report.contains("Final-Recipient: rfc822; nobody@local.example"))
        #expect(report.contains("Status: 5.1.1"))
        #expect(report.contains("<admin@local.example>"))
        #expect(report.contains("Subject: x"))
        #expect(bench.events(.fail).map(\.recipient) == ["nobody@local.example"])
        #expect(try bench.queued().isEmpty)
        await bench.stop()
    }

    @Test("never a report about a report")
    func nullSender() async throws {
        let bench = try DeliveryBench()
        bench.add(from: "<>", to: ["nobody@local.example"])
        try await bench.run()
        #expect(try bench.queued().isEmpty)
        for name in ["taro", "hanako", "admin"] { #expect(bench.mailbox(name).isEmpty) }
        #expect(bench.events(.fail).count == 1)
        await bench.stop()
    }

    @Test(
        "copies for the administrator, also when nobody else is told (R-DLV-25)",
        arguments: ["taro@local.example", "<>"])
    func copies(_ sender: String) async throws {
        let bench = try DeliveryBench(settings: { try $0.set(AdminSettings.copyBounces, "true") })
        bench.add(from: sender, to: ["nobody@local.example"])
        try await bench.run()
        #expect(bench.mailbox("admin").count == 1)
        #expect(bench.mailbox("taro").count == (sender == "<>" ? 0 : 1))
        await bench.stop()
    }

    @Test("no copy about the administrator's own address, no second report to the administrator")
    func noCopyRound() async throws {
        let bench = try DeliveryBench(settings: {
            try $0.set(AdminSettings.copyBounces, "true")
            try $0.set(AdminSettings.account, "gone@local.example")
        })
        bench.add(from: "<>", to: ["gone@local.example"])
        try await bench.run()
        #expect(try bench.queued().isEmpty)
        #expect(bench.engine.context.counters.snapshot(threads: 1)["reports"] == 0)
        await bench.stop()
    }

    @Test(
        "NOTIFY (RFC 3461)",
        arguments: [
            (Recipient.Notify.never, 0), (.success, 0), (.failure, 1), (Recipient.Notify(), 1),
            (Recipient.Notify([.success, .failure]), 1),
        ] as [(Recipient.Notify, Int)])
    func notifyFailure(_ notify: Recipient.Notify, _ reports: Int) async throws {
        let bench = try DeliveryBench()
        bench.add(from: "taro@local.example", to: ["nobody@local.example"], notify: notify)
        try await bench.run()
        #expect(bench.mailbox("taro").count == reports)
        await bench.stop()
    }

    @Test("success is reported when asked for")
    func notifySuccess() async throws {
        let bench = try DeliveryBench()
        bench.add(from: "taro@local.example", to: ["hanako@local.example"], notify: [.success])
        try await bench.run()
        let report = try #require(bench.mailbox("taro").first)
        #expect(report.contains("Action: delivered"))
        #expect(bench.mailbox("hanako").count == 1)
        await bench.stop()
    }

    @Test("a full mailbox fails at once with 5.2.2 (R-DLV-08)")
    func full() async throws {
        let bench = try DeliveryBench()
        bench.mailboxes.fail(with: MailboxError(.full, "test"))
        bench.add(from: "<>", to: ["taro@local.example"])
        try await bench.run()
        #expect(bench.events(.fail).first?.reply?.hasPrefix("552 5.2.2") == true)
        #expect(try bench.queued().isEmpty)
        await bench.stop()
    }

    @Test(
        "a mailbox that cannot be written waits with its reason and arrives when repaired",
        arguments: [MailboxError.Kind.notWritable, .diskFull, .io])
    func repaired(_ kind: MailboxError.Kind) async throws {
        let bench = try DeliveryBench()
        bench.mailboxes.fail(with: MailboxError(kind, "Permission denied"))
        bench.add(to: ["taro@local.example"])
        try await bench.run()
        let row = try #require(try bench.queued().first)
        #expect(row.state == .deferred)
        #expect(row.reply?.contains("Permission denied") == true)
        #expect(row.nextAttempt == bench.now + 120_000)
        bench.mailboxes.fail(with: nil)
        bench.advance(seconds: 119)
        try await bench.run()
        #expect(bench.mailbox("taro").isEmpty)
        bench.advance(seconds: 1)
        try await bench.run()
        #expect(bench.mailbox("taro").count == 1)
        #expect(try bench.queued().isEmpty)
        await bench.stop()
    }

    @Test("more than 50 Received fields: returned as looping (R-DLV-27)", arguments: [(50, false), (51, true)])
    func loop(_ fields: Int, _ isLoop: Bool) async throws {
        let bench = try DeliveryBench()
        let header = String(repeating: "Received: from a by b;\n\tMon, 1 Jan 2024 00:00:00 +0000\n", count: fields)
        bench.add(
            from: "hanako@local.example", to: ["taro@local.example"], content: header + "Subject: x\n\nReceived: no\n")
        try await bench.run()
        #expect(bench.mailbox("taro").count == (isLoop ? 0 : 1))
        #expect(bench.events(.fail).first?.reply?.hasPrefix("554 5.4.6") == (isLoop ? true : nil))
        #expect(bench.mailbox("hanako").count == (isLoop ? 1 : 0))
        await bench.stop()
    }

    @Test("a result that cannot be written is kept and written later; the message is not delivered twice")
    func repetition() async throws {
        let spool = ForgetfulSpool()
        let bench = try DeliveryBench(spool: spool)
        spool.inner.withLock { $0 = bench.spool }
        bench.add(to: ["taro@local.example"])
        try bench.engine.dispatcher.step()
        #expect(bench.mailbox("taro").count == 1)
        #expect(try bench.queued().count == 1)
        #expect(bench.engine.settlement.unwritten == 1)
        spool.isForgetting.store(false, ordering: .relaxed)
        bench.engine.settlement.writeAgain()
        #expect(try bench.queued().isEmpty)
        #expect(bench.mailbox("taro").count == 1)
        await bench.stop()
    }

    @Test("directory trouble is never the sender's")
    func directoryFails() async throws {
        let bench = try DeliveryBench()
        bench.add(to: ["taro@local.example"])
        bench.directory.fail(with: DirectoryError("database is locked"))
        try await bench.run()
        #expect(try bench.queued().first?.reply?.contains("database is locked") == true)
        bench.directory.fail(with: nil)
        bench.advance(seconds: 120)
        try await bench.run()
        #expect(bench.mailbox("taro").count == 1)
        await bench.stop()
    }
}
