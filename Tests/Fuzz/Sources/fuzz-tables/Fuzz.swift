import CFuzzer
import MailModel
import Tables

/// Each text table reads anything: a value, or problems with their lines, never a trap.
private func fuzz(_ input: UnsafeBufferPointer<UInt8>) {
    let text = TableText(octets: input)
    let effect = EffectTable.read(text)
    for problem in effect.problems { precondition(problem.line >= 0) }
    _ = GatewayTable.read(text)
    _ = HeaderTemplate.read(text)
    _ = RecipientRestriction.read(text)
    _ = UseTime.read(text)
    let accounts = AccountTSV.read(text)
    // Written and read again it must be the same (but for the line numbers).
    let written = AccountTSV.write(accounts.value)
    precondition(AccountTSV.write(AccountTSV.read(written).value) == written)
    _ = MailAddress(typed: String(decoding: input, as: UTF8.self))
    _ = IPAddress(String(decoding: input, as: UTF8.self))
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
