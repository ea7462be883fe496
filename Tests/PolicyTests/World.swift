import MailModel
import Tables

@testable import Policy

/// The world of the test vectors: operated domain `in.example` with accounts `a` (SMTP-AUTH on) and `b` (off), alias
/// `info`, list `list`; everything else is outside.
struct World {
    var rules = EffectTable.empty
    var settings = AcceptanceSettings(senderTrust: .authID)
    var client = "203.0.113.9"
    /// Account that is authenticated.
    var login: String?
    var mailboxUsed: Int64 = 0
    var mailboxLimit: Int64 = 0

    init(_ effect: String = "", client: String = "203.0.113.9", login: String? = nil) {
        rules = EffectTable.read(effect).value
        self.client = client
        self.login = login
    }

    static func ip(_ text: String) -> IPAddress {
        guard let address = IPAddress(text) else { preconditionFailure("test data: \(text)") }
        return address
    }

    /// Splits at the last `@`, as the grammar does.
    static func address(_ text: String) -> MailAddress {
        guard let at = text.lastIndex(of: "@") else { return MailAddress(localPart: text, domain: "") }
        return MailAddress(localPart: String(text[..<at]), domain: String(text[text.index(after: at)...]))
    }

    static func path(_ text: String) -> ReversePath {
        switch text {
        case "<>": .null
        case "": .blank
        default: .address(address(text))
        }
    }

    func directory(_ address: MailAddress) -> DirectoryFacts {
        let folded = address.folded
        guard folded.domain == "in.example" else { return .external }
        switch folded.localPart {
        case "a":
            return .account(.init(usesAuthentication: true, mailboxUsed: mailboxUsed, mailboxLimit: mailboxLimit))
        case "b": return .account()
        case "off": return .account(.init(isEnabled: false))
        case "info": return DirectoryFacts(isOperatedDomain: true, entry: .alias)
        case "list": return DirectoryFacts(isOperatedDomain: true, entry: .list(.init()))
        case "closed": return DirectoryFacts(isOperatedDomain: true, entry: .list(.init(needsPassword: true)))
        default: return .unknown
        }
    }

    var session: SessionFacts {
        SessionFacts(
            client: Self.ip(client), isTLS: login != nil,
            authentication: login.map { .account(Self.address($0)) } ?? .none)
    }

    func mail(_ from: String, size: Int64? = nil, utf8: Bool = false) -> SenderDecision {
        let path = Self.path(from)
        let facts = SenderFacts(
            path: path, directory: path.address.map(directory) ?? .external, announcedSize: size, asksSMTPUTF8: utf8)
        return SenderPolicy.decide(facts, in: session, rules: rules, settings: settings)
    }

    func rcpt(
        _ to: String, from: String, accepted: Int = 0, size: Int64? = nil, utf8: Bool = false,
        restriction: RecipientRestriction = .none
    ) -> Verdict {
        let decision = mail(from, utf8: utf8)
        guard decision.verdict.isAccepted else { return decision.verdict }
        let address = Self.address(to)
        let facts = RecipientFacts(
            address: address, directory: directory(address), acceptedRecipients: accepted, announcedSize: size,
            asksSMTPUTF8: utf8, restriction: restriction)
        return RecipientPolicy.decide(facts, from: decision, in: session, settings: settings)
    }
}
