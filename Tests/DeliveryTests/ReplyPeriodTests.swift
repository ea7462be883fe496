import Glibc
import MailModel
import Mailbox
import Tables
import Testing

@testable import Delivery

/// One reply a sender and period (`delivery.reply_days`), against the vectors of spec file 11: with 0 days REPLIED.TXT is
/// a record only (R-CTL-33, vector 11), and NOREPLY.TXT alone silences (R-CTL-27, vector 12).
struct ReplyPeriodTests {
    private static let day: Int64 = 86_400_000
    private let sender = MailAddress(localPart: "U", domain: "ext.example")

    private func withMailbox(_ body: (MailboxLocation) throws -> Void) throws {
        var template = Array("/tmp/epost-replies-XXXXXX".utf8CString)
        let path = try #require(mkdtemp(&template).map { String(cString: $0) })
        defer {
            let names = [ControlFileNames.answered, ControlFileNames.replied, ControlFileNames.unanswered]
            for name in names { unlink("\(path)/taro/\(name)") }
            rmdir(path + "/taro")
            rmdir(path)
        }
        try body(try #require(MailboxLocation(base: path, folders: ["taro"])))
    }

    @Test func aSenderIsAnsweredOncePerPeriodAcrossRestarts() throws {
        try withMailbox { mailbox in
            let (period, start) = (7 * Self.day, 1_000 * Self.day)
            let records = ReplyRecords()
            #expect(records.claim(sender, mailbox, period: period, now: start))
            #expect(!records.claim(sender, mailbox, period: period, now: start + 1), "two mails at once get one reply")
            try records.record(sender, mailbox, settings: ControlSettings(), period: period, now: start)
            // Another process, as after a restart, knows it from the disk; letter case does not matter.
            let again = ReplyRecords()
            let same = MailAddress(localPart: "u", domain: "EXT.example")
            #expect(!again.claim(same, mailbox, period: period, now: start + period - 1_000))
            #expect(again.claim(same, mailbox, period: period, now: start + period))
        }
    }

    @Test func zeroDaysAnswerEachMailAndRecordsStayRecords() throws {
        try withMailbox { mailbox in
            var settings = ControlSettings()
            settings.recordsReplies = true
            let records = ReplyRecords()
            for number in 0..<3 as Range<Int64> {
                #expect(records.claim(sender, mailbox, period: 0, now: number))
                try records.record(sender, mailbox, settings: settings, period: 0, now: number)
            }
            let files = try #require(try MailboxFiles(mailbox))
            #expect(try files.read(ControlFileNames.replied, limit: 1_000) == Array("U@ext.example\n".utf8))
            settings.repliesOnce = true
            try records.record(sender, mailbox, settings: settings, period: 0, now: 4)
            #expect(try files.read(ControlFileNames.unanswered, limit: 1_000) == Array("U@ext.example\n".utf8))
        }
    }

    @Test func aReplyThatDidNotGoOutFreesItsSender() throws {
        try withMailbox { mailbox in
            let records = ReplyRecords()
            #expect(records.claim(sender, mailbox, period: Self.day, now: Self.day))
            records.release(sender, mailbox)
            #expect(records.claim(sender, mailbox, period: Self.day, now: Self.day))
        }
    }
}
