import MailModel
import Tables
import Testing

@testable import Policy

/// "The smallest change that would have let it in" does let it in: each remedy that is a setting, a rule, an account or
/// something that the sender can do is carried out as it is written, in worlds made up at random, and the mail tried
/// again. What it meets then is another check, or nothing.
@Suite("remedies, carried out") struct RemedyTests {
    private struct Mail {
        var session: SessionFacts
        var settings: AcceptanceSettings
        var rules: [String]
        var sender: SenderFacts
        var recipient: RecipientFacts
        var content: ContentFacts

        var table: EffectTable { EffectTable.read(rules.joined(separator: "\n") + "\n").value }

        /// The first refusal on its way, or the last acceptance.
        var verdict: Verdict {
            let decision = SenderPolicy.decide(sender, in: session, rules: table, settings: settings)
            guard decision.verdict.isAccepted else { return decision.verdict }
            let verdict = RecipientPolicy.decide(recipient, from: decision, in: session, settings: settings)
            guard verdict.isAccepted else { return verdict }
            return ContentPolicy.decide(content, in: session, settings: settings)
        }

        mutating func useAccount(_ address: MailAddress) {
            sender.path = .address(address)
            sender.directory = .account()
        }

        mutating func login() {
            let own = sender.directory.account == nil ? nil : sender.path.address
            session.authentication = .account(own ?? World.address("a@in.example"))
        }

        mutating func put(_ line: String, before place: RuleSource?) {
            if case .table(_, let number) = place, number <= rules.count {
                rules.insert(line, at: max(0, number - 1))
            } else {
                rules.insert(line, at: 0)
            }
        }
    }
    private typealias Change = (inout Mail) -> Void

    /// What a remedy asks for; several where it offers a choice, none where nobody can do it mechanically.
    private func changes(_ verdict: Verdict, _ mail: Mail) throws -> [Change] {
        guard let remedy = verdict.remedy else { return [] }
        let place = verdict.trail.last { $0.decided }?.source
        let words = remedy.split(separator: " ").map(String.init)
        func number(behind word: String) throws -> Int64 {
            let index = try #require(words.firstIndex(of: word), "\(remedy)")
            return try #require(Int64(words[index + 1]), "\(remedy)")
        }
        switch verdict.reason {
        case .messageTooLarge, .announcedSizeTooLarge:
            let size = try number(behind: "to")
            return [{ $0.settings.maxMessageSize = size }]
        case .tooManyRecipients:
            return [
                { $0.settings.maxRecipients = 0 }, { $0.settings.maxRecipients = $0.recipient.acceptedRecipients + 1 },
            ]
        case .senderNeedsSMTPUTF8:
            return [
                {
                    $0.sender.asksSMTPUTF8 = true
                    $0.recipient.asksSMTPUTF8 = true
                }
            ]
        case .clientListed:
            return [
                { mail in
                    mail.sender.blocklists = mail.sender.blocklists.map { .init(zone: $0.zone, outcome: .notListed) }
                },
                { $0.settings.dnsblExempt += [IPPattern($0.session.client.description)].compactMap { $0 } },
            ]
        case .senderRefusedByRule:
            guard case .table(_, let line) = place else { return [] }
            return [
                { $0.rules.remove(at: line - 1) }, { $0.rules[line - 1] = "' \($0.rules[line - 1])" },
                { $0.put("\($0.session.client) default", before: place) },
            ]
        case .senderOutsideHours: return [{ $0.sender.isOutsideHours = false }]
        case .senderLocked: return [{ $0.sender.lock = nil }]
        case .authenticationRequired where remedy.hasPrefix("authenticate as"):
            let list = World.address(words[2])
            return [{ $0.session.authentication = .list(list) }]
        case .authenticationRequired:
            let opens: Change = { $0.put("\($0.session.client) norelay,2", before: nil) }
            return [{ $0.login() }] + (mail.recipient.directory.addressClass == .external ? [] : [opens])
        case .senderNotAuthenticatedID:
            let account = World.address(words[2].replacing(",", with: ""))
            return [{ $0.useAccount(account) }, { $0.settings.senderTrust = .authID }]
        case .headerFromMismatch:
            let account = World.address(words[1])
            return [{ $0.content.fromAddresses = [account] }, { $0.settings.senderTrust = .authIDEnvelope }]
        case .unknownRecipient: return [{ $0.recipient.directory = .account() }]
        case .accountDisabled: return [{ $0.recipient.directory = .account() }]
        case .recipientNotPermitted:
            return [
                {
                    $0.recipient.restriction =
                        RecipientRestriction.read(TableText("\($0.recipient.address.text)\n")).value
                }
            ]
        case .mailboxFull: return try mailbox(remedy, words)
        case .relayDenied: return relay(remedy, words, place)
        default: return []
        }
    }

    private func mailbox(_ remedy: String, _ words: [String]) throws -> [Change] {
        func limit(_ mail: inout Mail, _ limit: Int64) {
            guard var account = mail.recipient.directory.account else { return }
            account.mailboxLimit = limit
            mail.recipient.directory = .account(account)
        }
        let raised = try #require(words.firstIndex(of: "to").flatMap { Int64(words[$0 + 1]) }, "\(remedy)")
        var all: [Change] = [{ limit(&$0, raised) }]
        if remedy.hasPrefix("empty the mailbox") {
            all.append {
                guard var account = $0.recipient.directory.account else { return }
                account.mailboxUsed = 0
                $0.recipient.directory = .account(account)
            }
        }
        return all
    }

    private func relay(_ remedy: String, _ words: [String], _ place: RuleSource?) -> [Change] {
        if remedy == "authenticate before MAIL" { return [{ $0.login() }] }
        if remedy == "send from an account that exists here" {
            return [{ $0.useAccount(World.address("b@in.example")) }]
        }
        let quoted = remedy.split(separator: "'")
        return quoted.count == 3 ? [{ $0.put(String(quoted[1]), before: place) }] : []
    }

    // MARK: Worlds

    private struct Dice: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 33 ^ state << 31
        }
        mutating func pick<Value>(_ values: [Value]) -> Value { values[Int.random(in: 0..<values.count, using: &self)] }
        mutating func one(of count: Int) -> Bool { Int.random(in: 0..<count, using: &self) == 0 }
    }

    private static let files = [
        "", "#<> default\n#blank false\n*.*.*.* norelay\n::/0 norelay", "203.0.113.9 only", "10.*.*.* only",
        "*.*.*.* norelay,0", "*.*.*.* norelay,2", "ext.example false\n*.*.*.* norelay",
        "203.0.113.0/24 false\n203.0.113.9",
        "#number false\n#host false\n' note\n\n#nodomain false", "b@in.example true\n*.*.*.* norelay",
        "203.0.113.9 default\n0.0.0.0 only",
    ]
    private static let addresses = [
        "a@in.example", "b@in.example", "off@in.example", "info@in.example", "list@in.example", "closed@in.example",
        "x@in.example", "e@ext.example", "太郎@ext.example", "u@[192.0.2.1]", "u@host", "f%x@in.example",
    ].map(World.address)

    private func mail(_ dice: inout Dice) -> Mail {
        let world = World()
        let client = World.ip(dice.pick(["203.0.113.9", "203.0.113.77", "2001:db8::9"]))
        let settings = AcceptanceSettings(
            offersAuthentication: !dice.one(of: 4), securityLevel: dice.pick(SecurityLevel.allCases),
            senderTrust: dice.pick(SenderTrust.allCases), maxMessageSize: dice.pick([0, 100]),
            maxRecipients: dice.pick([0, 2]), mailboxQuota: dice.pick([0, 150]), maxReceivedFields: 5,
            dnsblZones: dice.pick([[], ["z.test"]]))
        let path: ReversePath = dice.one(of: 8) ? dice.pick([.null, .blank]) : .address(dice.pick(Self.addresses))
        let size = dice.pick([nil, 90, 120, 200]) as Int64?
        let utf8 = dice.one(of: 2)
        let login = dice.one(of: 3) ? World.address("a@in.example") : nil
        let listed = IPAddress("127.0.0.2").map { [BlocklistAnswer(zone: "z.test", outcome: .listed($0))] } ?? []
        let sender = SenderFacts(
            path: path, directory: path.address.map(world.directory) ?? .external, announcedSize: size,
            asksSMTPUTF8: utf8, isOutsideHours: dice.one(of: 9), blocklists: dice.one(of: 3) ? listed : [],
            lock: login != nil && dice.one(of: 9) ? LockFacts(cause: .manual, until: nil) : nil)
        let to = dice.pick(Self.addresses)
        var directory = world.directory(to)
        if var account = directory.account, dice.one(of: 2) {
            account.mailboxUsed = dice.pick([0, 60, 150, 400])
            account.mailboxLimit = dice.pick([0, 100, 300])
            directory = .account(account)
        }
        let restriction = RecipientRestriction.read(TableText("*@elsewhere.example\n")).value
        return Mail(
            session: SessionFacts(
                client: client, isTLS: login != nil, authentication: login.map { .account($0) } ?? .none),
            settings: settings, rules: dice.pick(Self.files).split(separator: "\n").map(String.init), sender: sender,
            recipient: RecipientFacts(
                address: to, directory: directory, acceptedRecipients: Int.random(in: 0...3, using: &dice),
                announcedSize: size, asksSMTPUTF8: utf8, restriction: dice.one(of: 5) ? restriction : .none),
            content: ContentFacts(
                size: size ?? 110, receivedFields: Int.random(in: 0...6, using: &dice),
                wasDeliveredHere: dice.one(of: 12), fromAddresses: [dice.pick(Self.addresses)]))
    }

    // MARK: Tests

    /// Reasons whose remedy is no act of the administrator or the sender alone.
    private static let others: Set<Reason> = [.mailLoop]

    @Test func eachLeadsOnToTheMailbox() throws {
        var dice = Dice(state: 5)
        var carriedOut: [Reason: Int] = [:]
        for _ in 0..<4_000 {
            let first = mail(&dice)
            try follow(first, &dice, &carriedOut)
        }
        let expected: Set<Reason> = [
            .announcedSizeTooLarge, .messageTooLarge, .tooManyRecipients, .senderNeedsSMTPUTF8, .clientListed,
            .senderRefusedByRule, .senderOutsideHours, .senderLocked, .authenticationRequired,
            .senderNotAuthenticatedID,
            .headerFromMismatch, .unknownRecipient, .accountDisabled, .recipientNotPermitted, .mailboxFull,
            .relayDenied,
        ]
        for reason in expected { #expect((carriedOut[reason] ?? 0) >= 20, "\(reason) \(carriedOut[reason] ?? 0)") }
    }

    /// Does what the refusals say until the mail is in.
    private func follow(_ first: Mail, _ dice: inout Dice, _ carriedOut: inout [Reason: Int]) throws {
        var mail = first
        var told: [String] = []
        for _ in 0..<12 {
            let verdict = mail.verdict
            guard !verdict.isAccepted else { return }
            let changes = try changes(verdict, mail)
            guard !changes.isEmpty else {
                #expect(verdict.remedy == nil || Self.others.contains(verdict.reason), "\(verdict)")
                return
            }
            let deciding = verdict.trail.last { $0.decided }
            // Of a choice every part must help; a random one is followed.
            for change in changes {
                var changed = mail
                change(&changed)
                let after = changed.verdict
                let same = after.trail.last { $0.decided } == deciding && after.reason == verdict.reason
                #expect(!same || after.isAccepted, "\(verdict.remedy ?? "") changes nothing: \(verdict) \(mail)")
            }
            carriedOut[verdict.reason, default: 0] += 1
            told.append(verdict.remedy ?? "")
            dice.pick(changes)(&mail)
        }
        #expect(Bool(false), "round and round: \(told) \(first)")
    }
}
