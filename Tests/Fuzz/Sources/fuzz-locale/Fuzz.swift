import CFuzzer
import Locale

/// A message catalogue that somebody edited.
private func fuzz(_ input: UnsafeBufferPointer<UInt8>) {
    guard let catalogue = try? Catalogue(language: .japanese, po: Array(input)) else { return }
    let texts = Texts(catalogue)
    for key in catalogue.texts.keys { _ = texts.text(key, ["a{1}", "b"]) }
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
