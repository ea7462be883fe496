import CFuzzer
import MailModel
import SMTP

/// What was said before the fuzz begins: one dialogue for each state of the session machine.
private let states: [[UInt8]] = [
    "", "EHLO c\r\n", "HELO c\r\n", "EHLO c\r\nMAIL FROM:<e@ext.example>\r\n",
    "EHLO c\r\nMAIL FROM:<e@ext.example>\r\nRCPT TO:<ann@in.example>\r\n",
    "EHLO c\r\nMAIL FROM:<e@ext.example>\r\nRCPT TO:<ann@in.example>\r\nDATA\r\n",
    "EHLO c\r\nMAIL FROM:<e@ext.example>\r\nRCPT TO:<ann@in.example>\r\nDATA\r\nx\r\n.",
    "EHLO c\r\nMAIL FROM:<e@ext.example>\r\nRCPT TO:<ann@in.example>\r\nBDAT 40\r\nten octets",
    "EHLO c\r\nMAIL FROM:<e@ext.example>\r\nRCPT TO:<ann@in.example>\r\nBDAT 4\r\nfour",
    "EHLO c\r\nBDAT 99\r\n", "EHLO c\r\nAUTH PLAIN\r\n", "EHLO c\r\nAUTH LOGIN\r\n",
    "EHLO c\r\nAUTH LOGIN\r\nYW5u\r\n", "EHLO c\r\nAUTH PLAIN AGFubgBzZWNyZXQ=\r\n",
    "EHLO " + String(repeating: "x", count: 3_000), "EHLO c\r\nMAIL FROM:<e@ext.example> SMTPUTF8\r\n",
].map { Array($0.utf8) }

/// The first octet chooses features and the size of the pieces in which the rest arrives, the second the state that the
/// session is in by then; it must take every octet, stay within its memory and give the same messages whatever the
/// pieces are.
private func fuzz(_ input: UnsafeBufferPointer<UInt8>) {
    guard input.count >= 2 else { return }
    let first = input[0]
    let before = states[Int(input[1]) % states.count]
    func run(piece: Int) -> [SessionHarness.Message] {
        let profile = ServerProfile(
            hostName: "mx.in.example", limits: ServerLimits(messageOctets: first & 1 == 0 ? 0 : 4096),
            offersTLS: first & 2 != 0, mechanisms: [.plain, .login], authenticationRequiresTLS: first & 4 != 0,
            answersEnquiries: first & 8 != 0, toleratesBareLineEnds: first & 16 != 0)
        let harness = SessionHarness(profile: profile, isTLS: first & 32 != 0)
        harness.feed(before)
        var start = 2
        while start < input.count, !harness.isClosed, !harness.isAwaitingHandshake {
            let end = min(input.count, start + piece)
            harness.feed(input[start..<end])
            start = end
        }
        return harness.messages
    }
    let whole = run(piece: input.count)
    precondition(run(piece: 1 + Int(first >> 6) * 3) == whole, "the pieces change what was received")
    for message in whole {
        precondition(!message.content.contains(13), "a bare CR got into the content")
        precondition(!message.envelope.recipients.isEmpty)
    }
}

// libFuzzer's own main, linked in but not used, wants this symbol.
@_cdecl("LLVMFuzzerTestOneInput") public func fuzzOne(_ pointer: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    fuzz(UnsafeBufferPointer(start: pointer, count: count))
    return 0
}

@main struct Fuzz {
    static func main() {
        var count = CommandLine.argc
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
        _ = LLVMFuzzerRunDriver(&count, &arguments) { fuzzOne($0, $1) }
    }
}
