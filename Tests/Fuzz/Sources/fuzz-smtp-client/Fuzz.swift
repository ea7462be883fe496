import CFuzzer
import MailModel
import SMTP

/// What a hostile server answers: the reply parser at every piece size, and the client session in front of it.
private func fuzz(_ input: UnsafeBufferPointer<UInt8>) {
    func replies(piece: Int) -> [String] {
        var parser = ClientReplyParser()
        var found: [String] = []
        var start = 0
        while start < input.count {
            let end = min(input.count, start + piece)
            let part = UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: input[start..<end]))
            var position = 0
            do {
                while let reply = try parser.next(in: part, from: &position) { found.append(reply.text) }
            } catch {
                return found + ["\(error)"]
            }
            start = end
        }
        return found
    }
    precondition(replies(piece: max(1, input.count)) == replies(piece: 1))
    var session = ClientSession(settings: ClientSettings(hello: "mx.in.example"))
    var events: [ClientEvent] = []
    session.receive(UnsafeRawBufferPointer(input), events: &events)
    session.connectionLost(events: &events)
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
