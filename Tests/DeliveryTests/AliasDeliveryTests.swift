import MailModel
import Spool
import Store
import Tables
import Testing

@testable import Delivery

@Suite("Delivery through aliases")
struct AliasDeliveryTests {
    private func bench(_ rules: (String, String)...) throws -> DeliveryBench {
        let bench = try DeliveryBench()
        for (alias, target) in rules { bench.directory.add(try AliasRule.read(alias: alias, target: target).get()) }
        return bench
    }

    @Test("one place: no copy in the queue, Delivered-To names the alias or the real address (R-ALIAS-09)")
    func single() async throws {
        let bench = try bench(
            ("info@local.example", "taro@local.example"), ("sales@local.example", "hanako@local.example,1"))
        bench.add(to: ["info@local.example", "Sales@local.example"])
        try await bench.run()
        #expect(
            bench.mailbox("taro") == [
                "Return-Path: <a@client.example>\nDelivered-To: info@local.example\nSubject: x\n\nhello\n"
            ])
        #expect(bench.mailbox("hanako").first?.contains("\nDelivered-To: hanako@local.example\n") == true)
        #expect(try bench.queued().isEmpty)
        #expect(
            bench.events(.local).compactMap(\.recipient).sorted() == ["hanako@local.example", "info@local.example"])
        await bench.stop()
    }

    @Test("several places get it by a child of the message; one that leads nowhere is reported (R-ALIAS-16)")
    func several() async throws {
        let bench = try bench(
            ("team@local.example", "taro@local.example"), ("team@local.example", "hanako@local.example"),
            ("team@local.example", "gone@local.example"))
        bench.add(from: "admin@local.example", to: ["team@local.example"])
        try await bench.run()
        for name in ["taro", "hanako"] {
            #expect(bench.mailbox(name).map { $0.contains("Delivered-To: team@local.example") } == [true])
        }
        #expect(bench.mailbox("admin").map { $0.contains("Status: 5.1.1") } == [true])
        #expect(try bench.queued().isEmpty)
        await bench.stop()
    }

    @Test("an alias that holds itself: once to the account, once to the other, and no further")
    func itself() async throws {
        let bench = try bench(
            ("taro@local.example", "taro@local.example"), ("taro@local.example", "hanako@local.example"))
        bench.add(to: ["taro@local.example"])
        try await bench.run()
        #expect(bench.mailbox("taro").count == 1)
        #expect(bench.mailbox("hanako").count == 1)
        await bench.stop()
    }

    @Test("a repaired alias repairs what waits: nothing of it is decided in the queue")
    func repaired() async throws {
        let bench = try bench()
        bench.directory.fail(with: DirectoryError("away"))
        bench.add(to: ["late@local.example"])
        try await bench.run()
        #expect(try bench.queued().count == 1)
        bench.directory.fail(with: nil)
        bench.directory.add(try AliasRule.read(alias: "late@local.example", target: "taro@local.example").get())
        bench.advance(seconds: 3_600)
        try await bench.run()
        #expect(bench.mailbox("taro").count == 1)
        await bench.stop()
    }
}
