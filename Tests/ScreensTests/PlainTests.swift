import Control
import Testing

@testable import ConsoleCore

/// The line-by-line console over the same pages (console.md 6.8).
struct PlainTests {
    /// Types a line into the plain console over a driver's app, and lets the fake server answer.
    private func talk(_ driver: inout Driver, _ console: inout PlainConsole, _ line: String) -> String {
        console.app = driver.app
        let effects = console.line(line, now: driver.now + 1_000, clock: driver.clock)
        driver.app = console.app
        driver.take(effects)
        console.app = driver.app
        return console.takeOutput()
    }

    @Test func aPageIsReadTopToBottomAndAFieldIsChanged() throws {
        var driver = Driver()
        var console = PlainConsole(driver.app)
        let page = console.takeOutput()
        #expect(page.contains("== Server settings") && page.contains("SMTP gateway: 192.168.0.4"))
        #expect(!page.contains("\u{1B}") && page.hasSuffix("> "))
        let line = try #require(page.split(separator: "\n").first { $0.contains("SMTP gateway: ") })
        let number = String(line.prefix { $0 != ")" })
        #expect(talk(&driver, &console, number).contains("New value"))
        #expect(talk(&driver, &console, "gw.example").contains("SMTP gateway: gw.example"))
        #expect(driver.model.draft["server.smtp_gateway"]?.new == ["gw.example"])
        _ = talk(&driver, &console, "a")
        #expect(driver.server.applied.count == 1 && driver.model.draft.isEmpty)
    }

    @Test func anUnknownWordOrNumberIsSaid() {
        var driver = Driver()
        var console = PlainConsole(driver.app)
        _ = console.takeOutput()
        #expect(talk(&driver, &console, "999").contains("999"))
        #expect(talk(&driver, &console, "zz").contains("zz"))
    }

    @Test func pagesAreChosenByNumberAndRowsAreRead() throws {
        var driver = Driver()
        var console = PlainConsole(driver.app)
        _ = console.takeOutput()
        let pages = talk(&driver, &console, "t")
        let line = try #require(pages.split(separator: "\n").first { $0.contains("> Queue") })
        let queue = talk(&driver, &console, String(line.prefix { $0 != ")" }))
        #expect(queue.contains("== Queue") && queue.contains("news0@bad.example"))
    }
}
