import Control
import Testing

@testable import ConsoleCore

/// The screens that explain: what a key leads to, from one to the other.
@Suite struct SeeingTests {
    /// Rule 2 becomes `192.168.0.*`, for every sender.
    private func openedRelay() -> Driver {
        var driver = Driver()
        driver.go(.relay)
        driver.keys(.down, .enter, .tab, .enter, .character("t"), .enter, .control("o"))
        return driver
    }

    @Test func rulesAreAppliedOnlyAfterTheReplayWasSeen() {
        var driver = openedRelay()
        #expect(driver.model.draft[TableRecord.effect]?.new?[1] == "192.168.0.*")
        driver.keys(.control("o"))
        #expect(driver.text.contains("relayed now"))
        #expect(!driver.server.calls.contains(TablesInterface.Set.name))
        driver.keys(.enter)
        #expect(!driver.server.calls.contains(TablesInterface.Set.name), "the harmless button comes first")
        driver.keys(.control("o"), .character("a"))
        #expect(driver.server.effect[1] == "192.168.0.*")
        #expect(driver.model.draft.isEmpty)
    }

    @Test func theMatrixFollowsTheStagedRulesAndTheClient() {
        var driver = openedRelay()
        let before = driver.text
        driver.keys(.backTab, .control("u"))
        driver.type("192.168.0.15")
        #expect(!before.contains("rule 2") && driver.text.contains("rule 2"))
        #expect(driver.text.contains("after Apply"))
        driver.keys(.character("u"))
    }

    @Test func faultyRulesAreNotSent() {
        var driver = Driver()
        driver.go(.relay)
        driver.keys(.character("x"), .end)
        driver.type(" x")
        driver.keys(.control("o"), .control("o"))
        #expect(!driver.server.calls.contains(PolicyInterface.Replay.name))
        #expect(!driver.server.calls.contains(TablesInterface.Set.name))
        #expect(driver.text.contains("1 faulty"))
    }

    /// R-RTAB-05, R-RTAB-06, R-RTAB-10: the lists and who is not looked up, staged like every setting of the page.
    @Test func blockListsAreEditedOnTheRelayTab() throws {
        var driver = Driver()
        driver.go(.relay)
        #expect(driver.text.contains("0 lists, 0 clients not looked up"))
        for _ in 0..<40 where !driver.text.contains("> Block lists (ORDB)") { driver.keys(.tab) }
        driver.keys(.enter, .tab)
        driver.type("zen.dnsbl.example")
        driver.keys(.enter, .control("o"))
        #expect(driver.model.draft["receiver.dnsbl_zones"]?.new == ["zen.dnsbl.example"])
        #expect(driver.text.contains("1 lists, 0 clients not looked up"))
    }

    /// R-RTAB-01, R-RTAB-07: the button opens the file of the relay rules as a text. R-RTAB-02 to R-RTAB-04 stand below.
    @Test func theRelayTabOpensItsFileAndHasTheLimits() {
        var driver = Driver()
        driver.go(.relay)
        for label in ["Size limit on reception", "CC/BCC acceptance limit", "Mailbox storage limit"] {
            #expect(driver.text.contains(label))
        }
        driver.keys(.character("x"))
        #expect(driver.text.contains("effect.dat") && driver.text.contains("10.9.8.0/24 false"))
    }

    /// R-SVC-04, R-SVC-05, R-SVC-06, R-SVC-07, R-SVC-08, R-SVC-09, R-RCV-37: the receiver's part of the service tab, its
    /// header and its details.
    @Test func theServiceTabHasWhatTheReceiverNeeds() {
        var driver = Driver(columns: 132, rows: 43)
        driver.go(.service)
        for label in ["Answer VRFY and EXPN", "SMTP auth", "Security", "Port"] { #expect(driver.text.contains(label)) }
        driver.keys(.tab, .tab, .tab, .tab, .tab, .enter)
        #expect(driver.text.contains("header.dat"))
        driver.keys(.escape)
        driver.keys(.backTab, .backTab, .enter)
        // R-SVC-15 to R-SVC-18.
        for label in ["Number of sessions", "IP setting", "Addresses and ports", "Sender trust level"] {
            #expect(driver.text.contains(label))
        }
    }

    @Test func aRefusalInTheTraceOpensItsRecordAndIsTriedAgain() {
        var driver = Driver()
        driver.go(.trace)
        driver.type("203.0.113.9")
        driver.keys(.enter)
        driver.keys(.end, .character("x"))
        #expect(driver.text.contains("7K2Q-93HD"))
        driver.keys(.character("t"))
        #expect(driver.text.contains("Simulate a mail"))
        #expect(driver.server.calls.last == PolicyInterface.Evaluate.name)
        #expect(driver.text.contains("Refused at RCPT"))
    }

    @Test func linesOfTheLogAreFoundMarkedAndSaved() {
        var driver = Driver()
        driver.go(.log)
        driver.keys(.character("n"))
        driver.type("ITO@osaka")
        driver.keys(.control("o"))
        #expect(driver.text.contains("ito@osaka"))
        driver.keys(.character(" "), .character("w"))
        driver.type("lines.txt")
        driver.keys(.control("o"))
        let saved = driver.files["lines.txt"] ?? ""
        #expect(saved.split(separator: "\n").count == 1 && saved.contains("ito@osaka"), "\(saved)")
        driver.keys(.character("_"), .character("w"))
        driver.type("all.txt")
        driver.keys(.control("o"))
        #expect((driver.files["all.txt"] ?? "").split(separator: "\n").count > 1)
        driver.keys(.character("N"))
    }

    @Test func theQueueLeadsToTheTraceAndTheDashboardToTheQueue() {
        var driver = Driver()
        driver.go(.queue)
        driver.keys(.character("t"))
        #expect(driver.server.calls.last == LogInterface.Trace.name)
        driver.go(.dashboard)
        #expect(driver.text.contains("no such user"))
        #expect(driver.text.contains("198.51.100.7"), "locks are named")
    }

    /// R-LOG-20: what is older is looked for part by part, as far as the page has room.
    @Test func olderLinesAreSearchedPartByPart() {
        func server(_ parts: Int) -> FakeServer {
            var server = FakeServer()
            let line = server.lines[0]
            server.olderParts = (0..<parts).map { part in
                var older = line
                older.text = "part \(part)"
                return [older]
            }
            return server
        }
        var driver = Driver(server: server(2))
        driver.go(.log)
        driver.wait(1_000)
        driver.send(.resize(Size(columns: 132, rows: 43)))
        #expect(driver.server.calls.filter { $0 == LogInterface.Search.name }.count == 2)
        let (newer, older) = (driver.text.firstRange(of: "part 0"), driver.text.firstRange(of: "part 1"))
        #expect(newer != nil && older != nil && !driver.text.contains("Searching"))
        if let newer, let older { #expect(older.lowerBound < newer.lowerBound, "the oldest stands on top") }
    }
}
