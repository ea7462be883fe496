import CFuzzer
import MailModel
import MessageFormat

/// Header scan, encoded words, address lists, character sets.
private func fuzz(_ input: UnsafeBufferPointer<UInt8>) {
    let octets = Array(input)
    _ = MessageFacts(scanning: octets)
    _ = EncodedWord.decode(octets)
    _ = AddressList.addresses(in: octets)
    _ = Charset.guess(octets)
    let shown = DisplayText.clean(octets: octets)
    precondition(!shown.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F }, "a control is shown")
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
