import Glibc
import MailModel
import Testing

@testable import Journal

/// The busiest senders of the hour, counted from the log.
@Suite struct BusySendersTests {
    private let scratch: Scratch
    init() throws { scratch = try Scratch() }

    private static let now: Int64 = 1_121_277_626_000

    private func write(_ events: [LogEvent], day: String = "20050713") {
        mkdir("\(scratch.path)/events", 0o755)
        var octets: [UInt8] = []
        for event in events { EventText.json(event, into: &octets) }
        guard let file = fopen("\(scratch.path)/events/\(day).log", "a") else { return }
        fwrite(octets, 1, octets.count, file)
        fclose(file)
    }

    private func mail(
        _ number: Int, from sender: String, to count: Int = 1, kind: LogEvent.Kind = .receive, age: Int64 = 0
    ) -> [LogEvent] {
        var generator = QueueIDGenerator(node: number % 1_000)
        let id = generator.next(now: Self.now + Int64(number))
        return (0..<count).map { recipient in
            LogEvent(
                time: Self.now - age, service: "EPSTRS", kind: kind, queueID: id, address: "192.0.2.1",
                host: "a\"sender\":\"x", sender: sender, recipient: "u\(recipient)@in.example")
        }
    }

    private func counted(_ busy: BusySenders) -> [String] {
        while busy.advance(now: Self.now) {}
        return busy.busiest(now: Self.now).map { "\($0.sender) \($0.messages) \($0.recipients)" }
    }

    @Test("every sender counts, with or without a log-in; a message is one, however many recipients it has")
    func everybody() {
        write(
            mail(1, from: "list@Out.example", to: 5) + mail(2, from: "one@out.example")
                + mail(3, from: "list@out.example")
                + mail(4, from: "") + mail(5, from: "gone@out.example", age: 3_700_000)
                + mail(6, from: "other@out.example", kind: .accept) + mail(7, from: "a\"b@out.example"))
        let busy = BusySenders(folder: scratch.path)
        let expected = ["list@out.example 2 6", " 1 1", "a\"b@out.example 1 1", "one@out.example 1 1"]
        #expect(counted(busy) == expected)
        // What comes later is added; a new start counts the hour again.
        write(mail(8, from: "one@out.example"))
        write(mail(9, from: "one@out.example"), day: "20050714")
        let more = ["one@out.example 3 3", "list@out.example 2 6", " 1 1", "a\"b@out.example 1 1"]
        #expect(counted(busy) == more)
        #expect(counted(BusySenders(folder: scratch.path)) == more)
        #expect(busy.busiest(now: Self.now + 4_200_000).isEmpty)
    }

    @Test("a flood of senders that send once does not hide who sends much, and takes bounded room")
    func bounded() {
        var counts = SenderCounts(capacity: 64)
        for number in 0..<20_000 {
            counts.add("once\(number)@out.example", isNewMessage: true)
            if number % 20 == 0 { counts.add("busy@out.example", isNewMessage: true) }
        }
        #expect(counts.known.count == 64)
        let busy = counts.known["busy@out.example"]?.messages ?? 0
        // Never more than it sent; what was counted before the flood pushed it out may be missing.
        #expect(busy > 900 && busy <= 1_000)
    }
}
