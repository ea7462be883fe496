import Control
import Settings
import Testing

@testable import Service

@Suite struct FrameTests {
    @Test(arguments: [
        ServiceReport.ready, .served, .counters(["received": 3]), .trouble("disk full"), .trouble(nil),
        .answer(id: 7, parameters: #"{"results":[]}"#, error: nil),
        .answer(id: 7, parameters: nil, error: ForwardedError(ControlError(.notFound, code: "queue.none", "no"))),
    ])
    func reportsSurviveTheWire(report: ServiceReport) throws {
        var frame = ServiceFrame.encode(report)
        #expect(frame.popLast() == 0 && !frame.contains(0))
        #expect(ServiceFrame.decode(ServiceReport.self, frame) == report)
    }

    @Test(arguments: [
        ServiceOrder.listeners(["*.*.*.*:25", "[::1]:465*"]), .settingsChanged(revision: 5), .filesChanged(["tls"]),
        .reload, .stop(grace: 30_000), .request(id: 1, method: "org.epost.Queue.Act", parameters: "{}"),
    ])
    func ordersSurviveTheWire(order: ServiceOrder) {
        #expect(ServiceFrame.decode(ServiceOrder.self, ServiceFrame.encode(order).dropLast()) == order)
    }

    @Test func rubbishIsNoFrame() {
        #expect(ServiceFrame.decode(ServiceOrder.self, Array("{\"x\":1}".utf8)) == nil)
        #expect(ServiceFrame.decode(ServiceOrder.self, [0xFF]) == nil)
    }
}

@Suite struct NameTests {
    @Test(arguments: [
        ("127.0.1.1 mail.example.jp mail\n", "mail.example.jp"),
        ("127.0.1.1\tMAIL Mail.example.jp\n", "Mail.example.jp"),
        ("127.0.1.1 other.example.jp other\n", nil), ("# 127.0.1.1 mail.example.jp mail\n", nil), ("\n", nil),
        ("127.0.1.1 mail\n", nil),
    ])
    func fullNameFromHosts(line: String, name: String?) {
        #expect(SystemName.fullName(of: "mail", inHostsLine: line) == name)
    }

    /// R-DOM-10
    @Test func ownNameFollowsTheSettings() throws {
        var snapshot = SettingsSnapshot(layout: .hierarchy)
        #expect(!snapshot.ownName(onIPv6: false).isEmpty)
        try snapshot.set(NetSettings.hostName, "mx.example.jp")
        try snapshot.set(NetSettings.ipv6HostName, "mx6.example.jp")
        #expect(snapshot.ownName(onIPv6: true) == "mx.example.jp")
        try snapshot.set(NetSettings.ipVersion, "dual")
        #expect(snapshot.ownName(onIPv6: true) == "mx6.example.jp")
        #expect(snapshot.ownName(onIPv6: false) == "mx.example.jp")
    }
}

@Suite struct WakeTests {
    @Test func wakeUpsAreCollectedAndNeverBlock() throws {
        let (one, other) = try #require(WakeLine.pair())
        #expect(!other.drain())
        for _ in 0..<5000 { one.signal() }
        #expect(other.drain())
        #expect(!other.drain())
        WakeLine.none.signal()
        #expect(!WakeLine.none.drain())
    }
}
