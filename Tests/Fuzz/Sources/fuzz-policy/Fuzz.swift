import CFuzzer
import FoundationEssentials
import MailModel
import Policy
import Tables

/// The first octets choose facts and settings, the rest is an effect.dat. Whatever is decided must come out the same
/// from its evidence, before and after that was written down.
private func fuzz(_ input: UnsafeBufferPointer<UInt8>) {
    guard input.count >= 12 else { return }
    var dice = Octets(input[..<12])
    let rules = EffectTable.read(TableText(octets: Array(input[12...]))).value
    let login: Authentication = dice.pick([.none, .account(addresses[0]), .list(addresses[2])])
    let session = SessionFacts(client: dice.pick(clients), isTLS: dice.flag(), authentication: login)
    let settings = AcceptanceSettings(
        offersAuthentication: dice.flag(), securityLevel: dice.pick(SecurityLevel.allCases),
        senderTrust: dice.pick(SenderTrust.allCases), maxMessageSize: dice.pick([0, 40]),
        maxRecipients: dice.pick([0, 2]), mailboxQuota: dice.pick([0, 60]), maxReceivedFields: 5)
    let path: ReversePath = dice.pick([.null, .blank] + addresses.map { .address($0) })
    let facts = SenderFacts(
        path: path, directory: dice.pick(entries), announcedSize: dice.pick([nil, 10, 41]), asksSMTPUTF8: dice.flag())
    let sender = SenderPolicy.decide(facts, in: session, rules: rules, settings: settings)
    let verdict: Verdict
    let evidence: Evidence
    if sender.verdict.isAccepted {
        let recipient = RecipientFacts(
            address: dice.pick(addresses), directory: dice.pick(entries), acceptedRecipients: dice.pick([0, 1, 2, 3]),
            announcedSize: facts.announcedSize, asksSMTPUTF8: facts.asksSMTPUTF8)
        verdict = RecipientPolicy.decide(recipient, from: sender, in: session, settings: settings)
        evidence = Evidence(
            .recipient(recipient, from: facts), session: session, settings: settings, selection: sender.selection)
    } else {
        verdict = sender.verdict
        evidence = Evidence(.sender(facts), session: session, settings: settings, selection: sender.selection)
    }
    precondition(evidence.verdict() == verdict, "another verdict at once")
    precondition(evidence.verdict(rules: rules).reason == verdict.reason, "the rules choose otherwise the second time")
    guard let text = try? JSONEncoder().encode(evidence),
        let again = try? JSONDecoder().decode(Evidence.self, from: text)
    else { fatalError("the evidence cannot be kept") }
    precondition(again.verdict() == verdict, "another verdict from what was kept")
    // The screens' view of the same rules.
    for subject in [RelayView.Subject.client(session.client), .everybodyElse(isIPv6: false)] {
        _ = RelayView(subject, table: rules, operatedDomains: ["in.example"])
    }
}

private let clients = ["203.0.113.9", "127.0.0.1", "2001:db8::9", "10.0.0.1"].compactMap { IPAddress($0) }
private let addresses = [
    MailAddress(localPart: "a", domain: "in.example"), MailAddress(localPart: "太郎", domain: "ext.example"),
    MailAddress(localPart: "f%x", domain: "in.example"), MailAddress(localPart: "x y\"\n", domain: "ext.example"),
    MailAddress(localPart: "taro", domain: ""), MailAddress(localPart: "u", domain: "[192.0.2.1]"),
]
private let entries: [DirectoryFacts] = [
    .external, .unknown, DirectoryFacts(isOperatedDomain: true, entry: .alias),
    DirectoryFacts(isOperatedDomain: true, entry: .list(.init(needsPassword: true))), .account(),
    .account(.init(isEnabled: false)), .account(.init(usesAuthentication: true, mailboxUsed: 70, mailboxLimit: 50)),
]

/// Choices that the fuzzer makes.
private struct Octets {
    private var left: Slice<UnsafeBufferPointer<UInt8>>
    init(_ octets: Slice<UnsafeBufferPointer<UInt8>>) { left = octets }
    mutating func pick<Value>(_ values: [Value]) -> Value { values[Int(left.popFirst() ?? 0) % values.count] }
    mutating func flag() -> Bool { (left.popFirst() ?? 0) & 1 == 1 }
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
