import Control
import Database
import Glibc
import Settings
import Testing

@testable import Store

@Suite struct OpeningTests {
    @Test func aSoundStoreIsOpenedAgain() throws {
        let layout = try ScratchStore.folder()
        defer { ScratchStore.remove(layout) }
        do {
            let writer = try StoreWriter(layout: layout) { 1 }
            _ = try writer.addDomain("a.example", .init(), note: "", by: ScratchStore.me)
        }
        let again = try StoreWriter(layout: layout) { 2 }
        #expect(again.openingReport == nil)
        #expect(try again.domains().map(\.name) == ["a.example"])
    }

    /// Nothing starts empty in silence: the damaged file is kept, what can be read is taken over, and it is said.
    @Test func aDamagedStoreIsSetAsideAndRecovered() throws {
        let layout = try ScratchStore.folder()
        defer { ScratchStore.remove(layout) }
        do {
            let writer = try StoreWriter(layout: layout) { 1 }
            _ = try writer.addDomain("a.example", .init(), note: "", by: ScratchStore.me)
            for number in 0..<300 {
                _ = try writer.addAccount(
                    "u\(number)@a.example", AccountValues(password: ScratchStore.password), note: "",
                    by: ScratchStore.me)
            }
        }
        // Some pages in the middle are overwritten.
        let file = open(layout.store, O_RDWR)
        let size = Int(lseek(file, 0, SEEK_END))
        let rubbish = [UInt8](repeating: 0xA5, count: 4096)
        for page in stride(from: size / 2 / 4096, to: size / 2 / 4096 + 6, by: 1) {
            pwrite(file, rubbish, rubbish.count, off_t(page * 4096))
        }
        close(file)
        let again = try StoreWriter(layout: layout) { 77 }
        let report = try #require(again.openingReport)
        #expect(report.contains("damaged-77"))
        #expect(try ScratchStore.names(in: layout.conf).contains("store.db.damaged-77"))
        #expect(try again.domains().map(\.name) == ["a.example"])
    }

    @Test func rubbishIsSetAside() throws {
        let layout = try ScratchStore.folder()
        defer { ScratchStore.remove(layout) }
        let file = open(layout.store, O_RDWR | O_CREAT, 0o600)
        let rubbish = Array("this is no database, and it is long enough to look like one".utf8)
        write(file, rubbish, rubbish.count)
        close(file)
        let writer = try StoreWriter(layout: layout) { 5 }
        #expect(writer.openingReport?.contains("damaged-5") == true)
        #expect(try writer.revision() == 0)
    }

    @Test func anotherVersionIsRefusedAndKept() throws {
        let layout = try ScratchStore.folder()
        defer { ScratchStore.remove(layout) }
        do {
            let connection = try Connection(path: layout.store, mode: .readWrite)
            try connection.execute("CREATE TABLE future(x); PRAGMA user_version=99")
        }
        #expect(throws: DatabaseError.self) { try StoreWriter(layout: layout) { 1 } }
        #expect(throws: DirectoryError.self) { try StoreDirectory(layout: layout) }
        let names = try ScratchStore.names(in: layout.conf)
        #expect(names.contains("store.db") && !names.contains { $0.contains("damaged") })
    }
}
