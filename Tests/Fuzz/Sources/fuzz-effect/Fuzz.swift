import CFuzzer
import MailModel
import Tables

private let clients = ["203.0.113.9", "10.0.0.1", "0.0.0.0", "::1", "2001:db8::9"].compactMap { IPAddress($0) }
private let senders: [ReversePath] =
    [.null, .blank]
    + [("a", "in.example"), ("A", "SUB.in.example"), ("t", ""), ("u", "[192.0.2.1]"), ("u", "1.2.3.4"), ("u", "pc")]
    .map { .address(MailAddress(localPart: $0.0, domain: $0.1)) }

/// Whether a rule matches, without the index.
private func matches(_ rule: EffectTable.Rule, _ client: IPAddress, _ sender: ReversePath) -> Bool {
    switch rule.pattern {
    case .client(let pattern): pattern.contains(client)
    case .domain(let domain): sender.address?.folded.domain == domain
    case .subdomains(let suffix): sender.address?.folded.domain.hasSuffix(suffix) == true
    case .address(let address): sender.address?.folded == address
    case .token(let token): token.matches(sender)
    }
}

/// effect.dat: any text is read, no line is lost, and the index finds the rule that a walk from the top finds.
private func fuzz(_ input: UnsafeBufferPointer<UInt8>) {
    let text = TableText(octets: input)
    let table = EffectTable.read(text).value
    precondition(table.text == text.text, "a line is lost")
    for client in clients {
        for sender in senders {
            let walked = table.rules.first { matches($0, client, sender) }
            precondition(table.firstMatch(client: client, sender: sender) == walked, "the index finds another rule")
        }
        let entry = table.inserting(client: client, action: .refuse, own: [])
        precondition(entry.inserting(client: client, action: .refuse, own: []).text == entry.text)
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
