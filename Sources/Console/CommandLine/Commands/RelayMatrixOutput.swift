import Control

/// `explain --client IP [--effect FILE]`: the relay matrix of a client and of everybody else.
extension ExplainCommand {
    func executeMatrix(_ session: Session) throws {
        let found = try session.call(
            PolicyInterface.Relay.self,
            .init(client: client, effect: try effect.map { try session.contents(of: $0) }))
        if reading.json { return session.show(json: found) }
        if let client = found.client {
            show(client, client.client, session)
            session.say("")
        }
        show(found.others, session.word(.everybodyElse), session)
        if found.others.cells != found.othersIPv6.cells {
            session.say("")
            show(found.othersIPv6, session.word(.everybodyElse) + " (IPv6)", session)
        }
        session.show(found.problems)
    }

    private func show(_ grid: RelayGrid, _ subject: String, _ session: Session) {
        let rule = grid.rule.map { session.word(.effectLine, String($0.line), $0.text) } ?? session.word(.noRule)
        session.say("\(subject): \(rule)")
        var table = TextTable([
            .init(session.word(.fromTo)), .init(session.word(.classKnown)), .init(session.word(.classUnknown)),
            .init(session.word(.classExternal)), .init(session.word(.exceptions)),
        ])
        let names: [Word] = [.classKnown, .classUnknown, .classExternal]
        for (row, name) in names.enumerated() {
            let cells = Array(grid.cells.dropFirst(row * 3).prefix(3))
            guard cells.count == 3 else { continue }
            let words = cells.map { cell in
                session.word(cell.allowed ? .yes : cell.allowedWithAuthentication ? .withAuthentication : .no)
            }
            let exceptions = cells[0].exceptions.map { "\($0.line): \($0.text)" }.joined(separator: "; ")
            table.add(session.word(name), words[0], words[1], words[2], exceptions)
        }
        session.show(table)
    }
}
