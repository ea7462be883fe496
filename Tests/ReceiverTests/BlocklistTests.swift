import MailModel
import Policy
import Synchronization
import Testing
import Transport

@testable import Receiver

/// Answers address questions when it is told to.
private final class HeldResolver: NameResolver {
    typealias Answer = Result<NameAnswer<[IPAddress]>, NameFailure>
    private let held = Mutex<[(name: String, completion: @Sendable (Answer) -> Void)]>([])

    var questions: [String] { held.withLock { $0.map(\.name) } }

    func mailExchanges(
        of domain: String, completion: @escaping @Sendable (Result<NameAnswer<MailExchanges>, NameFailure>) -> Void
    ) { completion(.failure(.notFound)) }

    func addresses(of host: String, family: AddressFamily, completion: @escaping @Sendable (Answer) -> Void) {
        held.withLock { $0.append((host, completion)) }
    }

    func answer(_ answer: (String) -> Answer) {
        let questions = held.withLock { held in
            defer { held = [] }
            return held
        }
        for question in questions { question.completion(answer(question.name)) }
    }
}

/// R-RCV-11 to 13.
@Suite("block lists") struct BlocklistTests {
    private static func ip(_ text: String) -> IPAddress {
        guard let address = IPAddress(text) else { preconditionFailure("test data: \(text)") }
        return address
    }

    private final class Clock: Sendable {
        let seconds = Mutex(1_000)
        func advance(_ by: Int) { seconds.withLock { $0 += by } }
    }

    private final class Heard: Sendable {
        private let state = Mutex<[[BlocklistAnswer]]>([])
        var answers: [[BlocklistAnswer]] { state.withLock { $0 } }
        func take(_ answers: [BlocklistAnswer]) { state.withLock { $0.append(answers) } }
    }

    @Test func allZonesAtOnceEachClientOnce() {
        let resolver = HeldResolver()
        let clock = Clock()
        let lists = Blocklists(resolver: resolver, now: { clock.seconds.withLock { $0 } })
        let heard = Heard()
        let client = Self.ip("192.0.2.7")
        for _ in 0..<3 { lists.ask(about: client, zones: ["a.test", "b.test"]) { heard.take($0) } }
        #expect(resolver.questions.sorted() == ["7.2.0.192.a.test", "7.2.0.192.b.test"])
        #expect(heard.answers.isEmpty, "nobody is answered before all zones are")
        resolver.answer { name in
            name.hasSuffix("a.test")
                ? .success(NameAnswer([Self.ip("127.0.0.4")], ttl: 100)) : .failure(.notFound)
        }
        let expected = [
            BlocklistAnswer(zone: "a.test", outcome: .listed(Self.ip("127.0.0.4"))),
            BlocklistAnswer(zone: "b.test", outcome: .notListed),
        ]
        #expect(heard.answers == [expected, expected, expected])
        // Within its TTL the answer is given again, with its age.
        clock.advance(99)
        lists.ask(about: client, zones: ["a.test"]) { heard.take($0) }
        #expect(heard.answers.last == [.init(zone: "a.test", outcome: .listed(Self.ip("127.0.0.4")), age: 99)])
        clock.advance(1)
        lists.ask(about: client, zones: ["a.test"]) { heard.take($0) }
        #expect(resolver.questions == ["7.2.0.192.a.test"])
        resolver.answer { _ in .failure(.timeout) }
        #expect(heard.answers.last == [.init(zone: "a.test", outcome: .failed("time-out"))])
    }

    @Test func aTimeOutIsKeptSoThatItDelaysOneMessageOnly() {
        let resolver = HeldResolver()
        let lists = Blocklists(resolver: resolver, now: { 5 })
        let heard = Heard()
        lists.ask(about: Self.ip("2001:db8::1"), zones: ["a.test"]) { heard.take($0) }
        #expect(
            resolver.questions == [
                "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.a.test"
            ])
        resolver.answer { _ in .failure(.temporary("SERVFAIL")) }
        lists.ask(about: Self.ip("2001:db8::1"), zones: ["a.test"]) { heard.take($0) }
        #expect(resolver.questions.isEmpty)
        #expect(heard.answers.count == 2)
    }
}
