import Glibc
import MailModel
import Policy
import Testing
import Usage

/// Counting what accounts send, at times that the test says.
@Suite struct UsageTests {
    private static let start: Int64 = 1_700_000_000_000
    private static let minute: Int64 = 60_000

    private final class Book {
        let path = "/tmp/epost-usage-\(getpid())-\(UInt32.random(in: 0 ... .max)).db"
        private(set) var log: UsageLog
        private var number: Int64 = 0

        init() { log = UsageLog(path: path, now: start) }

        deinit {
            log.close()
            for suffix in ["", "-wal", "-shm"] { unlink(path + suffix) }
        }

        func restart() {
            log.close()
            log = UsageLog(path: path, now: start)
        }

        func archive() throws -> UsageArchive? { try UsageArchive(path: path) }

        func send(
            _ recipients: [String], at time: Int64 = start, account: String? = "ann@in.example",
            from client: String = "192.0.2.7", limits: SendingLimits = .none, addressLimits: SendingLimits? = nil,
            session: Int64 = 0
        ) async throws -> Judgement {
            number += 1
            let id = try #require(
                QueueID(String(String(repeating: "0", count: QueueID.length).dropLast(3)) + String(100 + number)))
            let submission = Submission(
                id: id, time: time, account: account, client: try #require(IPAddress(client)),
                recipients: recipients, accountLimits: limits, addressLimits: addressLimits, session: session)
            return await withCheckedContinuation { done in log.judge(submission) { done.resume(returning: $0) } }
        }
    }

    private func hour(_ messages: Int, _ recipients: Int = 0, _ new: Int = 0) -> SendingLimits {
        SendingLimits(hour: SendingCounts(messages: messages, recipients: recipients, newRecipients: new))
    }

    @Test func pastTheLimitMailIsHeldAndAnHourLaterItGoes() async throws {
        let book = Book()
        for _ in 0..<2 { #expect(try await book.send(["a@x"], limits: hour(2)).verdict.reason == .queued) }
        let third = try await book.send(["a@x"], limits: hour(2))
        #expect(third.verdict.reason == .held)
        #expect(third.isFirst)
        #expect(try await book.send(["a@x"], limits: hour(2)).isFirst == false)
        #expect(try await book.send(["a@x"], account: "bob@in.example", limits: hour(2)).verdict.reason == .queued)
        let later = Self.start + 66 * Self.minute
        #expect(try await book.send(["a@x"], at: later, limits: hour(2)).verdict.reason == .queued)
        let archive = try #require(try book.archive())
        #expect(try archive.held(by: "ann@in.example").count == 2)
        #expect(try archive.summary(of: "ann@in.example", now: later).day.messages == 5)
    }

    /// A restart forgets nothing, and a day has an end.
    @Test func countsAreDurable() async throws {
        let book = Book()
        _ = try await book.send(["a@x", "b@x"], limits: hour(0, 3))
        book.restart()
        #expect(try await book.send(["c@x", "d@x"], limits: hour(0, 3)).verdict.reason == .held)
        let next = Self.start + 25 * 60 * Self.minute
        let archive = try #require(try book.archive())
        #expect(try archive.summary(of: "ann@in.example", now: next).day == SendingCounts())
    }

    @Test func onlyTheFirstMailToSomebodyIsToSomebodyNew() async throws {
        let book = Book()
        let limits = hour(0, 0, 2)
        #expect(try await book.send(["a@x", "b@x"], limits: limits).verdict.reason == .queued)
        #expect(try await book.send(["a@x", "b@x", "a@x"], limits: limits).verdict.reason == .queued)
        // Held: who a thief writes to is no acquaintance.
        #expect(try await book.send(["c@x"], limits: limits).verdict.reason == .held)
        let later = Self.start + 66 * Self.minute
        #expect(try await book.send(["c@x", "a@x"], at: later, limits: limits).verdict.reason == .queued)
        let summary = try #require(try book.archive()).summary(of: "ann@in.example", now: later)
        #expect(summary.day.newRecipients == 4)
    }

    @Test func anAddressCountsOverItsAccounts() async throws {
        let book = Book()
        for name in ["ann@in.example", "bob@in.example", nil] {
            let judgement = try await book.send(["a@x"], account: name, addressLimits: hour(2))
            #expect(judgement.verdict.reason == (name == nil ? .held : .queued))
        }
        #expect(
            try await book.send(["a@x"], account: nil, from: "192.0.2.8", addressLimits: hour(2)).verdict.reason
                == .queued)
        #expect(try #require(try book.archive()).held(by: "192.0.2.7").count == 1)
    }

    @Test func sessionsAndForgetting() async throws {
        let book = Book()
        if try book.archive() != nil { Issue.record("there is a book before anything was written") }
        let id = book.log.makeSessionID()
        book.log.record(
            SessionRecord(
                id: id, account: "ann@in.example", time: Self.start, client: "192.0.2.7", hello: "c",
                mechanism: "PLAIN", isTLS: true))
        _ = try await book.send(["a@x", "b@x"], session: id)
        _ = try await book.send(["a@x"], limits: hour(1), session: id)
        let archive = try #require(try book.archive())
        let session = try #require(try archive.sessions(of: "ann@in.example").first)
        #expect([session.messages, session.recipients, session.held] == [2, 3, 1])
        let login = try #require(try archive.lastLogin(of: "ann@in.example"))
        #expect(login == (Self.start, "192.0.2.7"))
        if try archive.lastLogin(of: "bob@in.example") != nil { Issue.record("bob never logged in") }
        let all = try archive.senders(now: Self.start)
        #expect(all.map(\.account) == ["ann@in.example"])
        #expect(all.first?.lastClient == "192.0.2.7")
        await withCheckedContinuation { done in book.log.forget("ann@in.example") { done.resume() } }
        #expect(try await book.send(["a@x"], limits: hour(1)).verdict.reason == .queued)
    }

    /// A book that cannot be written stops no mail.
    @Test func withoutABookMailGoes() async throws {
        let log = UsageLog(path: "/nowhere/usage.db", now: Self.start)
        let submission = Submission(
            id: try #require(QueueID(String(repeating: "0", count: QueueID.length))), time: Self.start, account: "a@b",
            client: try #require(IPAddress("192.0.2.7")), recipients: ["a@x"], accountLimits: hour(1),
            addressLimits: nil)
        let judgement = await withCheckedContinuation { done in log.judge(submission) { done.resume(returning: $0) } }
        #expect(judgement.verdict.reason == .queued)
        log.close()
    }
}
