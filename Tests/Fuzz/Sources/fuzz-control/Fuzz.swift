import CFuzzer
import Control

/// Frames at every piece size, then every frame read as a call and as a reply of every method.
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
        // Of several frames each counts for itself; the first octet of a frame chooses the method, so that one input
        // costs two readings and not a hundred.
        let head = try? Varlink.head(ofCall: frame)
        let methods = ControlMethods.all
        let method = methods.first { $0.name == head?.method } ?? methods[Int(frame.first ?? 0) % methods.count]
        read(frame, as: method)
        read(frame, as: ServerInterface.GetStatus.self)
    }
    var connection = ControlConnection<Int>()
    connection.call(ServerInterface.GetStatus.self, Nothing()) { _, _ in 1 }
    connection.call(ServerInterface.Watch.self, .init(), more: true) { _, _ in 2 }
    _ = connection.receive(input)
}

private func read<M: ControlMethod>(_ frame: [UInt8], as _: M.Type) {
    _ = try? Varlink.result(M.self, in: frame)
    _ = try? Varlink.parameters(M.Input.self, in: frame)
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
