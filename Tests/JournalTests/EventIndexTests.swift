import Glibc
import MailModel
import Testing

@testable import Journal

/// The index of the log: what is found through it is what stands in the log.
@Suite struct EventIndexTests {
    private let scratch: Scratch
    init() throws { scratch = try Scratch() }

    private static let day = "20050713"
    private static let time: Int64 = 1_121_277_626_000

    private func id(_ number: Int) -> QueueID {
        var generator = QueueIDGenerator(node: number % 1_000)
        return generator.next(now: Self.time + Int64(number))
    }

    private func write(_ events: [LogEvent], day: String = day, rest: String = "") {
        mkdir("\(scratch.path)/events", 0o755)
        var octets: [UInt8] = []
        for event in events { EventText.json(event, into: &octets) }
        octets += rest.utf8
        guard let file = fopen("\(scratch.path)/events/\(day).log", "a") else { return }
        fwrite(octets, 1, octets.count, file)
        fclose(file)
    }

    /// A message in, a refusal, and its way out, with a session that did both.
    private func mail(_ number: Int) -> [LogEvent] {
        func event(_ kind: LogEvent.Kind, _ offset: Int64) -> LogEvent {
            LogEvent(
                time: Self.time + Int64(number) * 10 + offset, service: "EPSTRS", kind: kind,
                address: "192.0.2.\(number % 200)",
                sender: "sender\(number)@Out.example")
        }
        var accept = event(.accept, 0)
        accept.session = "s\(number)"
        accept.text = number % 2 == 1 ? "connected to *.*.*.*:25 3 ms before, TLS 1 ms before" : nil
        var receive = event(.receive, 1)
        receive.queueID = id(number)
        receive.session = "s\(number)"
        receive.recipient = "user\(number % 7)@in.example"
        receive.messageID = "<m\(number)@out.example>"
        var local = event(.local, 2)
        local.queueID = id(number)
        local.recipient = receive.recipient
        return [accept, receive, local]
    }

    private func full(_ index: EventIndex) { while index.advance() {} }

    @Test(arguments: [true, false])
    func aMessageIsFoundByEachOfItsNames(isIndexed: Bool) throws {
        write((0..<400).flatMap(mail), rest: "{\"time\":1,\"half")
        let index = EventIndex(folder: scratch.path)
        if isIndexed { full(index) }
        let reader = TraceReader(index: index)
        let wanted = id(123)
        for word in [wanted.rawValue, "SENDER123@out.example", "<m123@OUT.example>", "m123@out.example", "s123"] {
            let found = reader.trace(TraceQuery(word: word))
            #expect(found.messages.map(\.id) == [wanted], "\(word)")
            let kinds = found.messages.first?.events.map(\.kind)
            #expect(kinds == [.session, .session, .accept, .receive, .local], "\(word): from the connection on")
            #expect(
                found.messages.first?.events.map(\.time).prefix(3) == [-3, -1, 0].map { Self.time + 1_230 + $0 }[...])
        }
        #expect(reader.trace(TraceQuery(word: "m1234@out.example")).messages.isEmpty)
    }

    @Test func manyMessagesComeNewestFirstAndBounded() {
        write((0..<400).flatMap(mail))
        let index = EventIndex(folder: scratch.path)
        full(index)
        let found = TraceReader(index: index).trace(TraceQuery(word: "in.example", limit: 5))
        #expect(found.messages.map(\.id) == (395..<400).reversed().map(id))
        #expect(found.isCut)
        let early = TraceReader(index: index).trace(
            TraceQuery(word: "user3@in.example", until: Self.time + 175, limit: 10))
        #expect(early.messages.map(\.id) == [17, 10, 3].map(id))
    }

    @Test func refusalsOfNobodysMessageStandApart() {
        var refusal = LogEvent(time: Self.time, service: "EPSTRS", kind: .session, address: "203.0.113.9")
        refusal.reply = "550 5.7.1 relaying denied (ref 7K2Q-93HD)"
        refusal.reference = "7K2Q-93HD"
        write([refusal])
        let index = EventIndex(folder: scratch.path)
        full(index)
        #expect(TraceReader(index: index).trace(TraceQuery(word: "7k2q-93hd")).others == [refusal])
    }

    @Test func whatSprangFromAMessageIsNamed() throws {
        var child = LogEvent(
            time: Self.time + 50, service: "EPSTDS", kind: .sender, queueID: id(9), text: "made for a@b")
        child.parent = id(1)
        write(mail(1) + [child])
        let index = EventIndex(folder: scratch.path)
        full(index)
        let reader = TraceReader(index: index)
        #expect(reader.message(id(1)).children == [id(9)])
        #expect(reader.message(id(9)).parent == id(1))
    }

    @Test func stretchesOnDiskOutliveTheProcess() throws {
        write((0..<400).flatMap(mail))
        let entries = (0..<5_000).map { IndexSegment.entry(UInt32($0 % 977), block: $0) }
        let segment = try #require(IndexSegment.write(entries, from: 0, to: 1, path: scratch.path + "/a.idx"))
        #expect(segment.blocks(of: 5) == stride(from: 5, to: 5_000, by: 977).map { $0 })
        #expect(segment.blocks(of: 978).isEmpty)
        #expect(IndexSegment(path: scratch.path + "/a.idx")?.count == 5_000)
        #expect(truncate(scratch.path + "/a.idx", 100) == 0)
        #expect(IndexSegment(path: scratch.path + "/a.idx") == nil, "a torn file is none")
        let index = EventIndex(folder: scratch.path)
        full(index)
        #expect(index.backlog == 0)
    }

    /// By time alone, by time and word, by parts of the addresses: in a day that is long enough to be halved many times.
    @Test(arguments: [true, false]) func aTimeIsFound(isIndexed: Bool) {
        let mails = (0..<1_200).flatMap { number in
            mail(number).map { event in
                var event = event
                // A second apart; two processes write, so that one in five stands behind later ones.
                event.time += Int64(number) * 990 - (number % 5 == 0 ? 4_000 : 0)
                return event
            }
        }
        write(mails)
        let index = EventIndex(folder: scratch.path)
        if isIndexed { full(index) }
        let reader = TraceReader(index: index)
        for (since, until) in [(0, 9), (600, 603), (750, 750), (1_190, 5_000), (7_000, 8_000)] {
            let (from, to) = (Self.time + Int64(since) * 1_000, Self.time + Int64(until) * 1_000)
            let expected = Set(mails.filter { (from...to).contains($0.time) }.compactMap(\.queueID))
            let all = reader.trace(TraceQuery(since: from, until: to, limit: 200))
            #expect(Set(all.messages.map(\.id)) == expected)
            let named = reader.trace(TraceQuery(word: "in.example", since: from, until: to, limit: 200))
            #expect(Set(named.messages.map(\.id)) == expected)
            let part = reader.trace(TraceQuery(sender: "7@OUT", recipient: "user", since: from, until: to))
            let sevens = mails.filter {
                (from...to).contains($0.time) && $0.sender?.contains("7@Out") == true && $0.recipient != nil
            }
            #expect(Set(part.messages.map(\.id)) == Set(sevens.compactMap(\.queueID)))
        }
        #expect(reader.trace(TraceQuery(since: Self.time)).isCut)
    }

    @Test func aDayThatGoesTakesItsIndexAlong() {
        write(mail(1), day: "20050712")
        write(mail(2))
        let index = EventIndex(folder: scratch.path)
        full(index)
        unlink("\(scratch.path)/events/20050712.log")
        full(index)
        let reader = TraceReader(index: index)
        #expect(reader.trace(TraceQuery(word: "m1@out.example")).messages.isEmpty)
        #expect(reader.trace(TraceQuery(word: "m2@out.example")).messages.count == 1)
    }

    @Test func daysAreNumbered() {
        #expect(DayRange.milliseconds("19700101") == 0)
        #expect(DayRange.milliseconds("20050713") == 1_121_212_800_000)
        #expect(!DayRange.mayHold("20050713", since: 1_121_277_626_000 + 3 * 86_400_000, until: nil))
        #expect(DayRange.mayHold("20050713", since: 1_121_277_626_000, until: nil))
    }
}
