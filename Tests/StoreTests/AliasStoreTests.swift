import Control
import Database
import MailModel
import Settings
import Tables
import Testing

@testable import Store

@Suite struct AliasStoreTests {
    private func rows(_ text: String) -> [AliasTSV.Row] { AliasTSV.read(TableText(text)).value }

    @Test func rulesOfAnAliasKeepTheirOrderAndGoOneByOne() throws {
        let scratch = try ScratchStore()
        try scratch.domain("in.example")
        let (store, author) = (scratch.writer, Author(name: "t", origin: "test"))
        let directory = try StoreDirectory(layout: scratch.layout)
        let info = MailAddress(localPart: "INFO", domain: "In.Example")
        #expect(try directory.aliases(of: info).isEmpty)
        _ = try store.addAlias("Info@in.example", "b@in.example", note: "", by: author)
        _ = try store.addAlias("info@in.example", "a@ext.example,1", note: "", by: author)
        _ = try directory.settings()
        #expect(try directory.aliases(of: info).map(\.targetText) == ["b@in.example", "a@ext.example,1"])
        #expect(kind { _ = try store.addAlias("info@in.example", "B@in.example,0", note: "", by: author) } == .refused)
        #expect(kind { _ = try store.addAlias("info@out.example", "b@in.example", note: "", by: author) } == .refused)
        #expect(
            kind { _ = try store.removeAlias("info@in.example", "c@in.example", note: "", by: author) } == .notFound)
        _ = try store.changeAlias(
            .init(
                alias: "info@in.example", target: "b@in.example", newAlias: "other@in.example",
                newTarget: "c@in.example"),
            by: author)
        _ = try directory.settings()
        #expect(try directory.aliases(of: info).map(\.targetText) == ["a@ext.example,1"])
        _ = try store.removeAlias("info@in.example", nil, note: "", by: author)
        _ = try directory.settings()
        #expect(try directory.aliases(of: info).isEmpty)
    }

    @Test func importIsOneRevisionAndMayReplace() throws {
        let scratch = try ScratchStore()
        try scratch.domain("in.example")
        let (store, author) = (scratch.writer, Author(name: "t", origin: "test"))
        let first = try store.importAliases(
            rows("a@in.example\tx@in.example\nb@in.example\ty@in.example\n"), replaces: false, dryRun: false, note: "",
            by: author)
        #expect((first.output.added, first.output.kept, first.output.removed) == (2, 0, 0))
        let second = try store.importAliases(
            rows("b@in.example\ty@in.example,1\nc@in.example\tz@in.example\n"), replaces: true, dryRun: false, note: "",
            by: author)
        #expect((second.output.added, second.output.kept, second.output.removed) == (1, 1, 1))
        #expect(second.applied.revision == first.applied.revision + 1)
        let browser = try AliasBrowser(layout: scratch.layout)
        #expect(
            try browser.export(offset: 0, limit: 10).text
                == "b@in.example\ty@in.example,1\nc@in.example\tz@in.example\n")
        #expect(
            try browser.list(.init(filter: "Z@", sort: "target", descending: true)).rows.map(\.rule.alias.text) == [
                "c@in.example"
            ])
        #expect(
            problems {
                _ = try store.importAliases(
                    rows("q@out.example\tx@in.example\n"), replaces: false, dryRun: false, note: "", by: author)
            } == ["alias.foreign-domain"])
    }

    /// A store of the version before aliases is taken over with all it holds.
    @Test func olderStoreIsAdvanced() throws {
        let layout = try ScratchStore.folder()
        defer { ScratchStore.remove(layout) }
        do {
            let old = try Connection(path: layout.store, mode: .readWrite)
            try old.execute(Schema.statements)
            try old.execute("INSERT INTO state VALUES('kept','1'); PRAGMA user_version=1;")
        }
        let store = try StoreWriter(layout: layout, clock: { 0 })
        #expect(try store.state("kept") == "1")
        #expect(store.openingReport == nil)
        _ = try StoreDirectory(layout: layout)
    }

    /// 10,000 aliases: an address that has none is answered from memory.
    @Test func manyAliasesCostTheOthersNothing() throws {
        let scratch = try ScratchStore()
        try scratch.domain("in.example")
        try scratch.account("taro@in.example", .init())
        let text = (0..<10_000).map { "a\($0)@in.example\tt\($0)@ext.example\n" }.joined()
        _ = try scratch.writer.importAliases(
            rows(text), replaces: false, dryRun: false, note: "", by: Author(name: "t", origin: "test"))
        let directory = try StoreDirectory(layout: scratch.layout)
        let taro = MailAddress(localPart: "taro", domain: "in.example")
        #expect(try directory.aliases(of: taro).isEmpty)
        let clock = ContinuousClock()
        let took = try clock.measure {
            for _ in 0..<10_000 { _ = try directory.aliases(of: taro) }
        }
        #expect(took < .seconds(10), "10,000 questions took \(took)")
        #expect(try directory.aliases(of: MailAddress(localPart: "A9999", domain: "in.example")).count == 1)
    }
}
