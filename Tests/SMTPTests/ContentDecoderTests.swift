import SMTP
import TestSupport
import Testing

@Suite struct ContentDecoderTests {
    struct Case: Sendable {
        let wire: String
        let content: String
        let size: Int
        init(_ wire: String, _ content: String, _ size: Int) {
            (self.wire, self.content, self.size) = (wire, content, size)
        }
    }

    static let dotted = [
        Case(#".\r\n"#, "", 0),
        Case(#"\r\n.\r\n"#, "\n", 2),
        Case(#"a\r\n.\r\n"#, "a\n", 3),
        Case(#"..\r\n...\r\n.\r\n"#, ".\n..\n", 7),
        Case(#".a\r\n.\r\n"#, "a\n", 3),
        Case(#"one\r\n\r\ntwo.\r\n .\r\n.\r\n"#, "one\n\ntwo.\n .\n", 17),
        Case(#"\xe3\x81\x82\x80\r\n.\r\n"#, "\u{3042}", 6),
    ]

    /// Habit: every decoder test at every split.
    @Test(arguments: dotted)
    func everySplit(_ test: Case) {
        let wire = Transcript.unescaped(test.wire)
        for cut in 0...wire.count {
            var decoder = ContentDecoder(isDotted: true)
            var out: [UInt8] = []
            var isComplete = false
            for part in [Array(wire[..<cut]), Array(wire[cut...])] where !part.isEmpty {
                let (consumed, ended) = part.withUnsafeBytes { decoder.decode($0, into: &out) }
                #expect(consumed == part.count)
                isComplete = ended
            }
            #expect(isComplete)
            #expect(decoder.fault == nil)
            #expect(decoder.size == test.size)
            if !test.wire.contains("x80") { #expect(out == Array(test.content.utf8), "split at \(cut)") }
        }
    }

    @Test func octetsBehindTheEndMarkerAreLeft() {
        var decoder = ContentDecoder(isDotted: true)
        var out: [UInt8] = []
        let wire = Array("a\r\n.\r\nQUIT\r\n".utf8)
        let (consumed, isComplete) = wire.withUnsafeBytes { decoder.decode($0, into: &out) }
        #expect(consumed == 6)
        #expect(isComplete)
    }

    @Test(arguments: [(9, true), (10, false), (11, false), (0, false)])
    func limit(_ limit: Int, _ isTooLarge: Bool) {
        var decoder = ContentDecoder(isDotted: true, limit: limit)
        var out: [UInt8] = []
        let wire = Array("abcd\r\nef\r\n.\r\n".utf8)
        let (_, isComplete) = wire.withUnsafeBytes { decoder.decode($0, into: &out) }
        #expect(isComplete)
        #expect((decoder.fault == .tooLarge) == isTooLarge)
    }

    /// After a fault nothing more is kept, however much comes.
    @Test func faultsDoNotGrow() {
        var decoder = ContentDecoder(isDotted: true)
        var out: [UInt8] = []
        Array("a\nb".utf8).withUnsafeBytes { _ = decoder.decode($0, into: &out) }
        let before = out.count
        for _ in 0..<100 { [UInt8](repeating: 65, count: 1_000).withUnsafeBytes { _ = decoder.decode($0, into: &out) } }
        #expect(out.count == before)
        #expect(decoder.fault == .bareLineEnd)
    }

    /// A megabyte of bare CR is handled without deep recursion.
    @Test func manyBareCarriageReturns() {
        var decoder = ContentDecoder(isDotted: true, toleratesBareLineEnds: true)
        var out: [UInt8] = []
        [UInt8](repeating: 13, count: 1 << 20).withUnsafeBytes { _ = decoder.decode($0, into: &out) }
        decoder.finish(into: &out)
        #expect(out.count == 1 << 20)
        #expect(out.allSatisfy { $0 == 10 })
    }
}
