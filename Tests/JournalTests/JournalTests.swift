import Glibc
import MailModel
import Synchronization
import Testing

@testable import Journal

/// A folder of its own that goes with the test.
final class Scratch: Sendable {
    let path: String
    init() throws {
        var template = Array("/tmp/epost-journal-XXXXXX".utf8CString)
        path = String(cString: try #require(mkdtemp(&template)))
    }
    deinit { Self.remove(path) }

    private static func remove(_ path: String) {
        for name in names(path) { remove("\(path)/\(name)") }
        if unlink(path) != 0 { rmdir(path) }
    }
    static func names(_ path: String) -> [String] {
        guard let handle = opendir(path) else { return [] }
        defer { closedir(handle) }
        var found: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { found.append(name) }
        }
        return found.sorted()
    }
    func text(_ name: String) -> String {
        guard let file = fopen("\(path)/\(name)", "r") else { return "" }
        defer { fclose(file) }
        var octets: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { octets += buffer[..<count] }
        return String(decoding: octets, as: UTF8.self)
    }
    func touch(_ name: String) {
        if let file = fopen("\(path)/\(name)", "w") { fclose(file) }
    }
}

/// 13 Jul 2005 18:00:26 UTC
private let someTime: Int64 = 1_121_277_626_000
private let day = "20050713"

private func event(_ kind: LogEvent.Kind, _ number: Int = 0, text: String? = nil) -> LogEvent {
    var generator = QueueIDGenerator(node: 1)
    return LogEvent(
        time: someTime + Int64(number), service: "EPSTRS", kind: kind, queueID: generator.next(now: someTime),
        address: "192.0.2.7", host: "client.example", sender: "a@x.example", recipient: "b@y.example", reply: "250",
        text: text)
}

@Suite struct JournalTests {
    private let scratch: Scratch
    init() throws { scratch = try Scratch() }

    private static let allLogs: Set<LogEvent.Kind> = [.receive, .send, .local, .accept, .sender, .fail]

    private func journal(_ settings: JournalSettings = .init(textLogs: Self.allLogs)) -> Journal {
        Journal(folder: scratch.path, host: "mail1", settings: settings, clock: { (someTime, 0) }, warn: { _ in })
    }

    /// R-LOG-14 to R-LOG-19.
    @Test(
        arguments: [
            (
                LogEvent.Kind.receive, "inlog",
                "<ID@mail1>\t[13/Jul/2005:18:00:26]\t192.0.2.7\tclient.example\ta@x.example\tb@y.example\n"
            ),
            (
                .send, "outlog",
                "<ID@mail1>\t[13/Jul/2005:18:00:26]\t192.0.2.7\tclient.example\ta@x.example\tb@y.example\n"
            ),
            (.local, "outlocallog", "ID@mail1 sent on [13/Jul/2005:18:00:26] from a@x.example to b@y.example\n"),
            (.accept, "acceptlog", "[13/Jul/2005:18:00:26]\t192.0.2.7\tclient.example\ta@x.example\t250\tID\n"),
            (.sender, "senderlog", "[ID]\t[13/Jul/2005:18:00:26]\t[client.example]\t250\n"),
            (
                .fail, "faillog",
                "ID@mail1 send fail on [13/Jul/2005:18:00:26] from a@x.example to b@y.example [250]\n"
            ),
        ])
    func theLinesOfTheOriginal(_ kind: LogEvent.Kind, _ folder: String, _ line: String) {
        let journal = journal()
        let event = event(kind)
        journal.record(event)
        journal.close()
        let written = scratch.text("\(folder)/mail1/\(day).log")
        #expect(written.replacing(event.queueID?.rawValue ?? "", with: "ID") == line)
    }

    @Test func aSwitchedOffLogIsNotWrittenTheStructuredOneIs() {
        let journal = journal(.init(textLogs: []))
        for kind in LogEvent.Kind.allCases { journal.record(event(kind)) }
        journal.close()
        #expect(Scratch.names(scratch.path) == ["events"])
        #expect(scratch.text("events/\(day).log").split(separator: "\n").count == LogEvent.Kind.allCases.count)
    }

    @Test func controlCharactersCannotForgeALine() {
        let journal = journal()
        var hostile = event(.receive)
        hostile.host = "x\n<forged>\t\u{1b}[2J"
        journal.record(hostile)
        journal.close()
        let line = scratch.text("inlog/mail1/\(day).log")
        #expect(line.utf8.filter { $0 == 10 }.count == 1)
        #expect(line.contains("x\\x0a<forged>\\x09\\x1b[2J"))
        #expect(JournalReader(folder: scratch.path).search(.init(), limit: 10).events == [hostile])
    }

    @Test func everyEventIsReadBackNewestFirstThroughCursors() {
        let journal = journal()
        let events = (0..<5_000).map { event(.session, $0, text: "número \($0) \"quoted\" \\ 日本語") }
        for event in events { journal.record(event) }
        journal.close()
        let reader = JournalReader(folder: scratch.path)
        var read: [LogEvent] = []
        var cursor: String?
        repeat {
            let part = reader.search(.init(), limit: 333, cursor: cursor)
            read += part.events
            cursor = part.cursor
        } while cursor != nil
        #expect(read == events.reversed())
    }

    @Test func filtersNarrow() {
        let journal = journal()
        var loud = event(.fail, 2, text: "mailbox full")
        loud.level = .error
        loud.recipient = "Taro@y.example"
        journal.record(event(.receive, 1))
        journal.record(loud)
        journal.record(event(.local, 3))
        journal.close()
        let reader = JournalReader(folder: scratch.path)
        func found(_ filter: JournalFilter) -> Int { reader.search(filter, limit: 10).events.count }
        #expect(found(.init(text: "MAILBOX")) == 1)
        #expect(found(.init(kinds: [.receive, .local])) == 2)
        #expect(found(.init(level: .warning)) == 1)
        #expect(found(.init(recipient: "taro@")) == 1)
        #expect(found(.init(since: someTime + 2)) == 2)
        #expect(found(.init(until: someTime + 1)) == 1)
        #expect(found(.init(queueID: loud.queueID)) == 3)
        #expect(found(.init(queueID: QueueID("00000000000000"))) == 0)
    }

    /// Lines are passed over by what stands in them, letter for letter: no text may be missed by that.
    @Test func textsOfAllKindsAreFound() {
        let journal = journal()
        let texts = [
            "Plain Words", "quote \" and \\ slash", "tab\tand \u{1B}[2J", "ÄÖÜ straße", "見積書の件", "a@B.example",
        ]
        for (number, text) in texts.enumerated() { journal.record(event(.sender, number, text: text)) }
        journal.close()
        let reader = JournalReader(folder: scratch.path)
        for (text, expected) in [
            ("PLAIN words", 0), ("\" AND \\", 1), ("\tand", 2), ("\u{1B}[2j", 2), ("äöü", 3), ("STRASSE", -1),
            ("straße", 3), ("見積", 4), ("書の件", 4), ("A@b.EXAMPLE", 5), ("nowhere", -1),
        ] {
            let found = reader.search(.init(text: text), limit: 10).events.compactMap { event in
                texts.firstIndex { $0 == event.text }
            }
            #expect(found == (expected < 0 ? [] : [expected]), "\(text)")
        }
    }

    /// Windows of any size add up to the whole, over blocks and days.
    @Test func cursorsLeaveNothingOut() {
        mkdir("\(scratch.path)/events", 0o700)
        for (number, day) in ["20050711", "20050712", day].enumerated() {
            var octets: [UInt8] = []
            for line in 0..<2_500 {
                EventText.json(
                    event(
                        .local, number * 10_000 + line, text: "\(line % 7) \(String(repeating: "x", count: line % 90))"),
                    into: &octets)
            }
            guard let file = fopen("\(scratch.path)/events/\(day).log", "w") else { continue }
            fwrite(octets, 1, octets.count, file)
            fclose(file)
        }
        let reader = JournalReader(folder: scratch.path)
        for (filter, expected) in [(JournalFilter(), 7_500), (JournalFilter(text: "3 x"), 1_059)] {
            var times: [Int64] = []
            var cursor: String?
            repeat {
                let page = reader.search(filter, limit: 333, cursor: cursor)
                times += page.events.map(\.time)
                cursor = page.cursor
            } while cursor != nil
            #expect(times == times.sorted(by: >))
            #expect(Set(times).count == times.count)
            #expect(times.count == expected)
        }
    }

    @Test func theTailSeesWhatIsAddedAndTheNewDay() {
        let now = Mutex<Int64>(someTime)
        let journal = Journal(
            folder: scratch.path, host: "mail1", clock: { (now.withLock { $0 }, 0) }, warn: { _ in })
        var tail = JournalReader(folder: scratch.path).follow()
        func wait(for count: Int) -> [LogEvent] {
            var seen: [LogEvent] = []
            while seen.count < count { seen += tail.next(.init()) }
            return seen
        }
        journal.record(event(.local, 1))
        #expect(wait(for: 1).map(\.time) == [someTime + 1])
        now.withLock { $0 += 86_400_000 }
        journal.record(event(.local, 2))
        #expect(wait(for: 1).map(\.time) == [someTime + 2])
        #expect(Scratch.names("\(scratch.path)/events") == ["\(day).log", "20050714.log"])
        journal.close()
    }

    @Test func oldDaysGoAndNothingElse() {
        for folder in ["events", "inlog", "inlog/mail1"] { mkdir("\(scratch.path)/\(folder)", 0o700) }
        for name in [
            "events/20050101.log", "events/20050712.log", "events/notes.log", "events/20050101.txt",
            "inlog/mail1/20050101.log",
        ] {
            scratch.touch(name)
        }
        let journal = journal(.init(keepDays: 10))
        journal.record(event(.receive))
        journal.close()
        #expect(Scratch.names("\(scratch.path)/events") == ["20050101.txt", "20050712.log", "\(day).log", "notes.log"])
        #expect(Scratch.names("\(scratch.path)/inlog/mail1") == ["\(day).log"])
    }

    /// R-LOG-12, test vector 8.
    @Test func aLogThatCannotBeWrittenWarnsOnceAndTheOthersGoOn() {
        scratch.touch("inlog")  // a file where the folder should be
        let warnings = Mutex<[String]>([])
        let journal = Journal(
            folder: scratch.path, host: "mail1", clock: { (someTime, 0) },
            warn: { text in warnings.withLock { $0.append(text) } })
        for number in 0..<50 { journal.record(event(.receive, number)) }
        journal.close()
        #expect(warnings.withLock { $0.count } == 1)
        #expect(warnings.withLock { $0.first }?.contains("inlog/mail1") == true)
        #expect(scratch.text("events/\(day).log").split(separator: "\n").count == 50)
    }

    /// logrotate renames or removes the file under us: what comes later goes into a new one, and no line is lost.
    @Test(arguments: [true, false]) func aFileThatWasRotatedByHandIsMadeAnew(_ isRemoved: Bool) {
        let journal = journal()
        let reader = JournalReader(folder: scratch.path)
        func written(_ count: Int) -> Bool { reader.search(.init(), limit: 10).events.count == count }
        let file = "\(scratch.path)/events/\(day).log"
        journal.record(event(.local, 1))
        while !written(1) { usleep(1_000) }
        if isRemoved { unlink(file) } else { rename(file, "\(scratch.path)/events/old.txt") }
        journal.record(event(.local, 2))
        journal.close()
        #expect(scratch.text("events/\(day).log").split(separator: "\n").count == 1)
        if !isRemoved { #expect(scratch.text("events/old.txt").split(separator: "\n").count == 1) }
    }

    /// Lines wait while the log cannot be written, and come in order when it can.
    @Test func linesWaitForBetterTimes() {
        let writer = JournalWriter(folder: scratch.path, host: "mail1", clock: { (someTime, 0) }, warn: { _ in })
        writer.settings = { JournalSettings(textLogs: [.receive]) }
        scratch.touch("inlog")
        writer.write([event(.receive, 1)])
        writer.write([event(.receive, 2)])
        unlink("\(scratch.path)/inlog")
        writer.write([event(.receive, 3)])
        let lines = scratch.text("inlog/mail1/\(day).log").split(separator: "\n")
        #expect(lines.count == 3)
    }

    @Test func brokenLinesAreSkipped() {
        mkdir("\(scratch.path)/events", 0o700)
        if let file = fopen("\(scratch.path)/events/\(day).log", "w") {
            fputs("{\"time\":1,\n\u{0}\nnot json\n\n{}\n[]\n", file)
            fclose(file)
        }
        let journal = journal()
        journal.record(event(.local))
        journal.close()
        #expect(JournalReader(folder: scratch.path).search(.init(), limit: 10).events.count == 1)
    }
}
