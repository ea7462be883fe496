import Glibc
import Testing

@testable import Database

/// A folder that goes with the test.
final class ScratchFolder {
    let path: String
    init() {
        var template = Array("/tmp/epost-database-XXXXXX".utf8CString)
        path = mkdtemp(&template).map { String(cString: $0) } ?? ""
    }
    deinit {
        for name in ["test.db", "test.db-wal", "test.db-shm"] { unlink("\(path)/\(name)") }
        rmdir(path)
    }
    var file: String { "\(path)/test.db" }
}

struct ConnectionTests {
    let folder = ScratchFolder()

    @Test func valuesComeBackAsTheyWent() throws {
        let database = try Connection(path: folder.file, mode: .readWrite)
        try database.execute("CREATE TABLE t (a, b, c, d)")
        try database.run("INSERT INTO t VALUES (?,?,?,?)", .integer(.min), "日本語\0x", .blob([0, 255]), nil)
        try database.run("INSERT INTO t VALUES (?,?,?,?)", .integer(.max), "", .blob([]), .init(true))
        let rows = try database.rows("SELECT a, b, c, d FROM t ORDER BY rowid") {
            ($0.integer(0), $0.text(1), $0.blob(2), $0.isNull(3))
        }
        #expect(rows.count == 2)
        #expect(rows[0] == (Int64.min, "日本語\0x", [0, 255], true))
        #expect(rows[1] == (Int64.max, "", [], false))
        // Empty is not NULL.
        #expect(try database.first("SELECT count(*) FROM t WHERE b = '' AND c = x''") { $0.int(0) } == 1)
    }

    @Test func blobIsBoundWithoutACopyAndUnboundAfterwards() throws {
        let database = try Connection(path: folder.file, mode: .readWrite)
        try database.execute("CREATE TABLE t (body BLOB)")
        let insert = try database.prepare("INSERT INTO t VALUES (?)")
        let body = [UInt8](repeating: 7, count: 100_000)
        try insert.withBlob(body, at: 1) { try insert.run() }
        try insert.run()
        let sizes = try database.rows("SELECT coalesce(length(body), -1) FROM t ORDER BY rowid") { $0.int(0) }
        #expect(sizes == [100_000, -1])
    }

    @Test func aFailedTransactionLeavesNothing() throws {
        let database = try Connection(path: folder.file, mode: .readWrite)
        try database.execute("CREATE TABLE t (a INTEGER PRIMARY KEY)")
        let error = #expect(throws: DatabaseError.self) {
            try database.transaction {
                try database.run("INSERT INTO t VALUES (1)")
                try database.run("INSERT INTO t VALUES (1)")
            }
        }
        #expect(error?.kind == .constraint)
        #expect(database.isInTransaction == false)
        #expect(try database.first("SELECT count(*) FROM t") { $0.int(0) } == 0)
    }

    @Test func aFailedSavepointKeepsTheRest() throws {
        let database = try Connection(path: folder.file, mode: .readWrite)
        try database.execute("CREATE TABLE t (a INTEGER PRIMARY KEY)")
        try database.transaction {
            try database.run("INSERT INTO t VALUES (1)")
            try? database.savepoint {
                try database.run("INSERT INTO t VALUES (2)")
                try database.run("INSERT INTO t VALUES (1)")
            }
            try database.run("INSERT INTO t VALUES (3)")
        }
        #expect(try database.rows("SELECT a FROM t ORDER BY a") { $0.int(0) } == [1, 3])
    }

    @Test func readOnlyRefusesToWriteAndToCreate() throws {
        let missing = #expect(throws: DatabaseError.self) {
            try Connection(path: folder.file, mode: .readOnly)
        }
        #expect(missing?.kind == .cannotOpen)
        let writer = try Connection(path: folder.file, mode: .readWrite)
        try writer.execute("CREATE TABLE t (a)")
        let reader = try Connection(path: folder.file, mode: .readOnly)
        let refused = #expect(throws: DatabaseError.self) { try reader.run("INSERT INTO t VALUES (1)") }
        #expect(refused?.kind == .readOnly)
        #expect(try reader.first("SELECT count(*) FROM t") { $0.int(0) } == 0)
    }

    @Test func aLockThatStaysIsBusy() throws {
        let first = try Connection(path: folder.file, mode: .readWrite)
        try first.execute("CREATE TABLE t (a)")
        let second = try Connection(path: folder.file, mode: .readWrite, options: .init(busyTimeout: 1))
        try first.transaction {
            let error = #expect(throws: DatabaseError.self) { try second.transaction {} }
            #expect(error?.kind == .busy)
        }
        try second.transaction {}
    }

    @Test func aFileThatIsNoDatabaseIsDamaged() throws {
        let file = fopen(folder.file, "w")
        fputs(String(repeating: "this is no database. ", count: 300), file)
        fclose(file)
        let error = #expect(throws: DatabaseError.self) {
            try Connection(path: folder.file, mode: .readWrite)
        }
        #expect(error?.kind == .damaged)
    }

    @Test func theNumberOfValuesMustMatch() throws {
        let database = try Connection(path: folder.file, mode: .readWrite)
        #expect(throws: DatabaseError.self) { try database.run("SELECT ?, ?", 1) }
        #expect(database.problems(isThorough: true).isEmpty)
    }

    @Test(arguments: [
        (13 as Int32, 0 as Int32, DatabaseError.Kind.diskFull), (10, ENOSPC, .diskFull), (10, EIO, .io),
        (14, ENOSPC, .diskFull), (14, ENOENT, .cannotOpen), (11, 0, .damaged), (26, 0, .damaged), (5, 0, .busy),
        (6, 0, .busy), (2067, 0, .constraint), (8, 0, .readOnly), (1, 0, .other),
    ]) func kinds(_ code: Int32, _ systemError: Int32, _ expected: DatabaseError.Kind) {
        #expect(DatabaseError.kind(of: code, systemError: systemError) == expected)
    }
}
