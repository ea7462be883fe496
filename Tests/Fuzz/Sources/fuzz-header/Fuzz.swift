import CFuzzer
import MessageFormat
import Tables

/// header.dat: whatever it says and whatever the peer says, the result is one trace field that ends with its date.
private func fuzz(_ input: UnsafeBufferPointer<UInt8>) {
    let cut = input.firstIndex(of: 0) ?? input.endIndex
    let text = TableText(octets: input[..<cut])
    let foreign = String(decoding: input[cut...], as: UTF8.self)
    let date = MailDate(milliseconds: 1_440_400_153_000)
    var values = TraceValues.example(hostName: "mx.in.example", now: date)
    values.helo = foreign
    values.clientName = foreign
    values.recipient = foreign
    values.authUser = foreign
    let reading = HeaderTemplate.read(text)
    var field: [UInt8] = []
    reading.value.render(values, into: &field)
    var lines = field.split(separator: 10, omittingEmptySubsequences: false)
    precondition(lines.removeLast().isEmpty, "the field has no end")
    precondition(field.prefix(9).elementsEqual("Received:".utf8) || lines[0].count > 8, "no Received field")
    for line in lines.dropFirst() { precondition(line.first == 0x20 || line.first == 0x09, "a second field begins") }
    for line in lines { precondition(line.contains { $0 != 0x20 && $0 != 0x09 }, "an empty line ends the header") }
    precondition(!field.contains(13) && !field.contains(0), "a control character got in")
    let end = lines.last.map { String(decoding: $0, as: UTF8.self) } ?? ""
    precondition(end.hasSuffix(date.text) || end.contains("; \(date.text)"), "no date at the end")
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
