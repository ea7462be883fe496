import Control

@testable import ConsoleCore

/// What the fake server says about rules and decisions: enough of the real thing to see what the screens do with it.
extension FakeServer {
    func relay(_ asked: PolicyInterface.Relay.Input) -> PolicyInterface.Relay.Output {
        let lines = asked.effect.map(TableRecord.lines(of:)) ?? effect
        let place = lines.firstIndex { line in
            let pattern = line.split(separator: " ").first ?? ""
            return asked.client?.hasPrefix(pattern.prefix { $0 != "*" && $0 != "/" }) == true
        }
        let rule = place.map { RelayGrid.Rule(line: $0 + 1, text: lines[$0]) }
        let isOpen = rule.map { !$0.text.contains(" ") } ?? false
        let client = asked.client.map {
            grid($0, rule, isOpen ? "ynyynyyny" : "ynynnnynn", exposure: isOpen ? "everybody" : "forged-senders")
        }
        return .init(
            client: client, others: grid("", nil, "ynynnnynn", exposure: "forged-senders"),
            othersIPv6: grid("", nil, "ynynnnynn", exposure: "forged-senders"), problems: problems(lines))
    }

    private func grid(_ client: String, _ rule: RelayGrid.Rule?, _ cells: String, exposure: String) -> RelayGrid {
        let classes = ["Int+", "Int-", "Ext"]
        return RelayGrid(
            client: client, matrix: "I", rule: rule, exposure: exposure,
            cells: cells.enumerated().map { index, letter in
                RelayGrid.Cell(
                    from: classes[index / 3], to: classes[index % 3], allowed: letter == "y",
                    allowedWithAuthentication: letter == "y",
                    reason: letter == "y" ? "ok.recipient" : "recipient.relay",
                    source: rule.map { "effect.dat:\($0.line)" } ?? "R-RELAY-06",
                    exceptions: index >= 6 ? [.init(line: 5, text: "#blank false")] : [])
            })
    }

    func problems(_ lines: [String]) -> [Problem] {
        lines.enumerated().compactMap { index, line in
            let words = line.split(separator: " ")
            if line.hasPrefix("'") { return nil }
            if words.count > 2 {
                return Problem(
                    path: "effect.dat:\(index + 1)", code: "table.effect.words",
                    message: "A rule is a pattern and at most one action.")
            }
            guard words.count == 1 else { return nil }
            return Problem(
                path: "effect.dat:\(index + 1)", code: "table.effect.open-relay",
                message: "Everybody may relay through this server: it is an open relay.", isWarning: true)
        }
    }

    func evaluate(_ asked: PolicyInterface.Evaluate.Input) -> Explanation {
        var found = explanation(reference: nil)
        found.client = asked.client
        found.sender = asked.sender
        found.recipient = asked.recipient
        return found
    }

    func explanation(reference: String?) -> Explanation {
        Explanation(
            reference: reference, time: reference == nil ? nil : Self.now, client: "203.0.113.9",
            listener: "192.168.0.1:25", hello: "bad.example", isTLS: false, authenticatedID: nil,
            sender: "a@bad.example", recipient: "ito@far.example", moment: "RCPT", reason: "recipient.relay",
            isAccepted: false, reply: "550 5.7.1 relaying denied (ref 7K2Q-93HD)",
            steps: [
                .init(
                    check: "session.client", finding: "client 203.0.113.9, no TLS, not authenticated", source: "",
                    decided: false),
                .init(check: "relay.rule", finding: "no rule matches (matrix I)", source: "R-RELAY-06", decided: false),
                .init(
                    check: "recipient.class", finding: "<ito@far.example> is in no operated domain (Ext)", source: "",
                    decided: false),
                .init(
                    check: "relay.matrix", finding: "matrix I refuses Ext to Ext without authentication",
                    source: "R-RELAY-06", decided: true),
            ], remedy: "put a line '203.0.113.9 true' in front of the deciding rule of effect.dat",
            settingsRevision: 40)
    }
}
