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

    var replay: [PolicyInterface.Replay.Output] {
        func change(_ kind: String, _ count: Int, _ to: String, _ before: String, _ after: String) -> ReplayChange {
            ReplayChange(
                kind: kind, count: count, time: Self.now, client: "192.168.0.15", authenticatedID: nil,
                sender: "news@bad.example", recipient: to, before: before, after: after, source: "effect.dat:2")
        }
        let denied = "550 5.7.1 relaying denied"
        let accepted = "250 2.1.5 recipient OK"
        return [
            .init(examined: 2_000),
            .init(
                examined: 4_127, newlyRelayed: 31, newlyRefused: 2, isDone: true,
                changes: [
                    change("newly-relayed", 30, "ito@far.example", denied, accepted),
                    change("newly-relayed", 1, "mori@far.example", denied, accepted),
                    change("newly-refused", 2, "kawa@sales.example.jp", accepted, denied),
                ]),
        ]
    }

    func trace(_ asked: LogInterface.Trace.Input) -> LogInterface.Trace.Output {
        func line(_ offset: Int, _ kind: String, _ body: (inout LogLine) -> Void) -> LogLine {
            var line = LogLine(
                time: Self.now + offset, service: kind == "receive" ? "EPSTRS" : "EPSTDS", kind: kind, level: "info",
                queueID: "q7F2A92")
            body(&line)
            return line
        }
        let lines = [
            line(0, "accept") {
                $0.sender = "kawa@sales.example.jp"
                $0.address = "192.168.0.15"
                $0.host = "pc15"
                $0.tls = "TLSv1.3 TLS_AES_256_GCM_SHA384"
                $0.login = "kawa@sales.example.jp"
            },
            line(700, "receive") {
                $0.sender = "kawa@sales.example.jp"
                $0.recipient = "ito@far.example"
                $0.address = "192.168.0.15"
                $0.host = "pc15"
                $0.size = 12_044
                $0.tls = "TLSv1.3 TLS_AES_256_GCM_SHA384"
            },
            line(1_200, "sender") {
                $0.recipient = "ito@far.example"
                $0.level = "warning"
                $0.reply = "451 4.7.1 try again later"
                $0.host = "mx1.far.example"
                $0.address = "203.0.113.7"
                $0.text = "mx far.example: try 1, again in 900 s"
            },
            line(901_200, "send") {
                $0.recipient = "ito@far.example"
                $0.reply = "250 2.0.0 Ok: queued as 4F0D21"
                $0.host = "mx1.far.example"
                $0.address = "203.0.113.7"
                $0.tls = "TLSv1.2 ECDHE-RSA-AES256-GCM-SHA384"
            },
        ]
        return .init(
            messages: [TracedMail(id: "q7F2A92", lines: lines, children: ["q7F2A99"], parent: nil)],
            others: [self.lines[2]])
    }
}
