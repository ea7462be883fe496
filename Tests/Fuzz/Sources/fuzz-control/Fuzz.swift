import CFuzzer
import Control

/// Frames at every piece size, then every frame read as a call and as a reply.
private func fuzz(_ input: UnsafeBufferPointer<UInt8>) {
    func frames(piece: Int) -> [[UInt8]] {
        var decoder = FrameDecoder()
        var found: [[UInt8]] = []
        var start = 0
        while start < input.count {
            let end = min(input.count, start + piece)
            guard let some = try? decoder.feed(input[start..<end]) else { break }
            found += some
            start = end
        }
        return found
    }
    let whole = frames(piece: max(1, input.count))
    precondition(frames(piece: 3) == whole)
    for frame in whole + [Array(input)] {
        _ = try? Varlink.head(ofCall: frame)
        _ = try? Varlink.result(ServerInterface.GetStatus.self, in: frame)
        _ = try? Varlink.parameters(SettingsInterface.Apply.Input.self, in: frame)
        _ = try? Varlink.parameters(QueueInterface.List.Input.self, in: frame)
    }
    var connection = ControlConnection<Int>()
    connection.call(ServerInterface.GetStatus.self, Nothing()) { _, _ in 1 }
    connection.call(ServerInterface.Watch.self, .init(), more: true) { _, _ in 2 }
    _ = connection.receive(input)
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
