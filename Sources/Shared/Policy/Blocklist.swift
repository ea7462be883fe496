import MailModel
import Tables

/// What one DNS block list said about a client (R-RCV-11).
package struct BlocklistAnswer: Hashable, Sendable, Codable {
    package enum Outcome: Hashable, Sendable, Codable {
        /// The address record that lists the client, in 127.0.0.0/8.
        case listed(IPAddress)
        case notListed
        /// No answer, or one that says nothing about the client: counts as not listed (R-RCV-13).
        case failed(String)
    }
    package var zone: String
    package var outcome: Outcome
    /// Seconds since it was looked up; 0 = for this message.
    package var age: Int

    package init(zone: String, outcome: Outcome, age: Int = 0) {
        self.zone = zone
        self.outcome = outcome
        self.age = age
    }
}

package enum BlocklistPolicy {
    /// The name that is asked for: `2.0.0.127.list.example`, IPv6 by nibbles (RFC 5782 §2).
    package static func name(of client: IPAddress, in zone: String) -> String {
        if client.isIPv4 {
            return client.octets.reversed().map { String($0) }.joined(separator: ".") + "." + zone
        }
        let nibbles = client.octets.reversed().flatMap { [$0 & 15, $0 >> 4] }
        return nibbles.map { String($0, radix: 16) }.joined(separator: ".") + "." + zone
    }

    /// What the address records of that name mean. Addresses outside of 127.0.0.0/8 come from parked or hijacked
    /// zones; 127.255.255.0/24 is how large lists say that they refuse the question (Spamhaus, "return codes").
    package static func meaning(of records: [IPAddress]) -> BlocklistAnswer.Outcome {
        let codes = records.filter { $0.isIPv4 && $0.octets[0] == 127 }
        if let listed = codes.first(where: { $0.octets[1] != 255 || $0.octets[2] != 255 }) { return .listed(listed) }
        if let code = codes.first { return .failed("the list refuses the question (\(code))") }
        return .notListed
    }

    /// Why the lists are not asked about this client, as a step of the trail; `nil`: they are (R-RCV-12).
    static func exemption(
        _ session: SessionFacts, _ selection: RelaySelection, _ settings: AcceptanceSettings
    ) -> (finding: String, source: RuleSource)? {
        if session.client.isThisMachine { return ("this machine itself", .builtIn("R-RCV-12")) }
        if session.authentication.isAuthenticated { return ("authenticated", .builtIn("R-RCV-12")) }
        if let rule = selection.rule, selection.matrix == .two, rule.pattern.isClientPattern {
            return ("rule '\(rule.text)' lets the client in", rule.source)
        }
        if let pattern = settings.dnsblExempt.first(where: { $0.contains(session.client) }) {
            return ("'\(pattern.text)' exempts the client", .setting("receiver.dnsbl_exempt"))
        }
        return nil
    }
}

extension SenderPolicy {
    /// Zones to be asked before this sender can be decided; empty: none.
    package static func blocklists(
        for path: ReversePath, in session: SessionFacts, rules: EffectTable, settings: AcceptanceSettings
    ) -> [String] {
        guard !settings.dnsblZones.isEmpty else { return [] }
        let selection = RelaySelection.choose(rules, client: session.client, sender: path)
        // What a rule refuses anyway costs no question.
        guard selection.matrix != .three, BlocklistPolicy.exemption(session, selection, settings) == nil else {
            return []
        }
        return settings.dnsblZones
    }

    /// Check 7 of spec file 04, part 1.
    static func blocklist(
        _ facts: SenderFacts, _ session: SessionFacts, _ selection: RelaySelection, _ settings: AcceptanceSettings,
        _ trail: inout Trail
    ) -> Ruling? {
        guard !settings.dnsblZones.isEmpty else { return nil }
        if let exemption = BlocklistPolicy.exemption(session, selection, settings) {
            trail.note("sender.dnsbl", "not asked: \(exemption.finding)", exemption.source)
            return nil
        }
        if facts.blocklists.isEmpty {
            trail.note(
                "sender.dnsbl", "no answer of the lists is at hand: taken as not listed",
                .setting("receiver.dnsbl_zones"))
        }
        // A draft may have taken a list away whose answer is known.
        for answer in facts.blocklists where settings.dnsblZones.contains(answer.zone) {
            let age = answer.age > 0 ? ", looked up \(answer.age) s before" : ""
            switch answer.outcome {
            case .listed(let code):
                return trail.refuse(
                    .clientListed, "sender.dnsbl", "\(answer.zone) lists \(session.client) (\(code)\(age))",
                    .setting("receiver.dnsbl_zones"),
                    remedy: "have \(session.client) taken off \(answer.zone), or add it to receiver.dnsbl_exempt",
                    detail: answer.zone)
            case .notListed:
                trail.note(
                    "sender.dnsbl", "\(answer.zone) does not list \(session.client)\(age)",
                    .setting("receiver.dnsbl_zones"))
            case .failed(let why):
                trail.note(
                    "sender.dnsbl", "\(answer.zone) gives no answer, which counts as not listed: \(why)\(age)",
                    .setting("receiver.dnsbl_zones"))
            }
        }
        return nil
    }
}
