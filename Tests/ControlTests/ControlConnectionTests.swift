import Testing

@testable import Control

private enum Event: Equatable {
    case status(Int, isLast: Bool)
    case failed(String)
}

/// Calls `Services.Act` (any method with a reply that can be told apart by a number).
private func call(_ connection: inout ControlConnection<Event>, more: Bool = false) {
    connection.call(ServicesInterface.Act.self, .init(service: "epstrs", action: .start), more: more) {
        result, isLast in
        switch result {
        case .success(let status): .status(status.restarts, isLast: isLast)
        case .failure(let error): .failed(error.name)
        }
    }
}

private func reply(_ number: Int, continues: Bool = false) -> [UInt8] {
    Varlink.reply(
        ServiceStatus(name: "epstrs", state: .running, since: 0, restarts: number), continues: continues)
}

@Test func repliesComeInTheOrderOfTheCalls() {
    var connection = ControlConnection<Event>()
    call(&connection)
    call(&connection)
    #expect(connection.pendingCalls == 2)
    #expect(connection.receive(reply(1) + reply(2)) == [.status(1, isLast: true), .status(2, isLast: true)])
    #expect(connection.pendingCalls == 0)
}

@Test func everySplitOfTheRepliesGivesTheSameEvents() {
    let octets = reply(7) + Varlink.error(ControlError(.refused, code: "x", "no")) + reply(8)
    for cut in 0...octets.count {
        var connection = ControlConnection<Event>()
        for _ in 0..<3 { call(&connection) }
        let events = connection.receive(octets[..<cut]) + connection.receive(octets[cut...])
        #expect(
            events == [
                .status(7, isLast: true), .failed(ControlError.Kind.refused.rawValue), .status(8, isLast: true),
            ], "split at \(cut)")
    }
}

@Test func aStreamHoldsItsPlaceUntilItsLastReply() {
    var connection = ControlConnection<Event>()
    call(&connection, more: true)
    call(&connection)
    let events = connection.receive(reply(1, continues: true) + reply(2, continues: true))
    #expect(events == [.status(1, isLast: false), .status(2, isLast: false)])
    #expect(connection.pendingCalls == 2)
    #expect(connection.receive(reply(3) + reply(4)) == [.status(3, isLast: true), .status(4, isLast: true)])
}

@Test func outputHoldsTheCallsUntilTheyAreWritten() {
    var connection = ControlConnection<Event>()
    call(&connection)
    let whole = connection.output
    #expect(whole.last == 0)
    connection.wrote(5)
    #expect(connection.output == Array(whole[5...]))
    connection.wrote(whole.count)
    #expect(connection.output.isEmpty)
}

@Test func whoeverWaitsIsToldWhenTheConnectionEnds() {
    var connection = ControlConnection<Event>()
    call(&connection)
    call(&connection)
    let lost = ControlError.connectionLost(path: "/x")
    #expect(connection.end(lost) == [.failed(lost.name), .failed(lost.name)])
    #expect(connection.end(lost).isEmpty)
    let late = connection.call(ServerInterface.GetStatus.self, Nothing()) { result, _ in
        if case .failure(let error) = result { .failed(error.name) } else { nil }
    }
    #expect(late == .failed(lost.name))
}

@Test(arguments: [
    Array("no json".utf8) + [0], Array("{\"parameters\":{\"restarts\":\"many\"}}".utf8) + [0], [0xFF, 0xFE, 0],
])
func anUnreadableReplyFailsItsCallOnly(_ frame: [UInt8]) {
    var connection = ControlConnection<Event>()
    call(&connection)
    call(&connection)
    let events = connection.receive(frame + reply(2))
    #expect(events == [.failed(ControlError.Kind.protocolBroken.rawValue), .status(2, isLast: true)])
}

@Test func aReplyThatNobodyAskedForEndsTheConnection() {
    var connection = ControlConnection<Event>()
    #expect(connection.receive(reply(1)).isEmpty)
    #expect(connection.failure?.kind == .protocolBroken)
}

@Test func anEndlessReplyEndsTheConnection() {
    var connection = ControlConnection<Event>()
    call(&connection)
    let block = [UInt8](repeating: 0x20, count: Varlink.frameLimit / 2 + 1)
    #expect(connection.receive(block).isEmpty)
    #expect(connection.receive(block) == [.failed(ControlError.Kind.protocolBroken.rawValue)])
}
