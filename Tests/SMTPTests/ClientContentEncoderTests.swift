import Testing

@testable import SMTP

@Suite("Client: content on the wire")
struct ClientContentEncoderTests {
    static let fixtures: [(String, String)] = [
        ("", ".\r\n"),
        ("a\n", "a\r\n.\r\n"),
        ("a", "a\r\n.\r\n"),
        (".\n", "..\r\n.\r\n"),
        ("..a\nb\n", "...a\r\nb\r\n.\r\n"),
        ("a\n.\nb\n", "a\r\n..\r\nb\r\n.\r\n"),
        ("\n\n", "\r\n\r\n.\r\n"),
        // What the spool never holds, and what must not get out if it does.
        ("a\r\nb\n", "a\r\nb\r\n.\r\n"),
        ("a\rb\n", "a\r\nb\r\n.\r\n"),
        ("a\n.\r", "a\r\n..\r\n.\r\n"),
        ("a\r.\r\nb", "a\r\n..\r\nb\r\n.\r\n"),
        ("\r\r\n.\n", "\r\n\r\n..\r\n.\r\n"),
        ("a\0b\n", "ab\r\n.\r\n"),
        ("a\n\0.\n", "a\r\n..\r\n.\r\n"),
    ]

    @Test("the same in pieces of any size", arguments: fixtures)
    func anyPieces(_ input: String, _ wire: String) {
        for size in [1, 2, 3, 5, Int.max] {
            let out = encoded(Array(input.utf8), pieces: size)
            #expect(String(decoding: out, as: UTF8.self) == wire, "pieces of \(size)")
        }
    }

    @Test("random octets: no bare CR, no bare LF, no NUL, and the end only at the end")
    func nothingBareGetsOut() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<300 {
            let octets = (0..<Int.random(in: 0...200, using: &generator)).map { _ in
                [13, 10, 46, 0, 65].randomElement(using: &generator) ?? 65
            }
            let out = encoded(octets.map { UInt8($0) }, pieces: Int.random(in: 1...50, using: &generator))
            #expect(isClean(out), "\(octets)")
        }
    }

    /// CR and LF only as pairs, no NUL, and CR LF `.` CR LF nowhere but at the end.
    private func isClean(_ out: [UInt8]) -> Bool {
        for (index, octet) in out.enumerated() {
            if octet == 0 { return false }
            if octet == 13, index + 1 >= out.count || out[index + 1] != 10 { return false }
            if octet == 10, index == 0 || out[index - 1] != 13 { return false }
        }
        let end: [UInt8] = [13, 10, 46, 13, 10]
        let whole = [13, 10] + out
        let places = whole.indices.filter { whole[$0...].starts(with: end) }
        return places == [whole.count - end.count]
    }
}
