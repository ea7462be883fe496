import Database
import Glibc
import MailModel

/// What the spool wants an administrator to know.
package enum SpoolNotice: Hashable, Sendable {
    /// The database was broken: it is set aside as `file`, `messages` could be taken over. `lost` names what could not,
    /// one line each; the file still holds it.
    case recovered(file: String, messages: Int, lost: [String])
    /// The folder had been in use, but its database was gone: an empty one was made.
    case databaseWasMissing(String)
    /// Content without a message (a session cut off by a crash) was removed.
    case sweptContent(Int)

    package var text: String {
        switch self {
        case .recovered(let file, let messages, let lost):
            "queue database was damaged and is kept as \(file); \(messages) messages recovered, \(lost.count) not"
                + (lost.isEmpty ? "" : ": " + lost.prefix(20).joined(separator: "; "))
        case .databaseWasMissing(let path): "queue database \(path) was missing; an empty one was made"
        case .sweptContent(let count): "\(count) content files without a message removed"
        }
    }
}

/// Sets a broken database aside and makes a new one of what can be read. Runs with `users.lock` held exclusively. Each
/// step may be cut off and done again: the mark with the name goes last.
struct Recovery {
    let folder: SpoolFolder

    /// The name under which the broken database is kept, from the mark; makes the mark when missing.
    /// - Parameter now: seconds since 1970; the name says when.
    static func mark(_ folder: SpoolFolder, now: Int) throws(SpoolError) -> String {
        if let known = readMark(folder) { return known }
        var moment = time_t(now)
        var parts = tm()
        gmtime_r(&moment, &parts)
        var buffer = [CChar](repeating: 0, count: 32)
        strftime(&buffer, buffer.count, "%Y%m%dT%H%M%SZ", &parts)
        let stamp = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        var name = "queue.db.damaged-\(stamp)"
        var number = 1
        while SpoolFolder.exists("\(folder.path)/\(name)") {
            number += 1
            name = "queue.db.damaged-\(stamp)-\(number)"
        }
        guard let file = fopen(folder.damageMark, "w") else { throw SpoolError(system: errno, folder.damageMark) }
        fputs(name, file)
        fclose(file)
        try SpoolFolder.sync(folder: folder.path)
        return name
    }

    private static func readMark(_ folder: SpoolFolder) -> String? {
        guard let file = fopen(folder.damageMark, "r") else { return nil }
        defer { fclose(file) }
        var buffer = [CChar](repeating: 0, count: 128)
        guard fgets(&buffer, Int32(buffer.count), file) != nil else { return nil }
        let name = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return name.hasPrefix("queue.db.damaged-") && !name.contains("/") ? name : nil
    }

    /// - Returns: what was recovered, for the notice.
    func run(now: Int) throws -> SpoolNotice {
        let name = try Self.mark(folder, now: now)
        let aside = "\(folder.path)/\(name)"
        if !SpoolFolder.exists(aside) {
            // The log belongs to the database: what it holds is part of what can be read.
            rename("\(folder.database)-wal", "\(aside)-wal")
            unlink("\(folder.database)-shm")
            if rename(folder.database, aside) != 0, errno != ENOENT { throw SpoolError(system: errno, aside) }
        }
        let fresh = "\(folder.path)/queue.db.recovering"
        for suffix in ["", "-wal", "-shm"] { unlink(fresh + suffix) }
        let (messages, lost) = try rebuild(from: aside, into: fresh)
        for suffix in ["-wal", "-shm"] { unlink(folder.database + suffix) }
        if rename(fresh, folder.database) != 0 { throw SpoolError(system: errno, fresh) }
        try SpoolFolder.sync(folder: folder.path)
        // Content of messages that could not be read is kept beside the broken database: no sweep may take it.
        let target = try Connection(path: folder.database, mode: .readOnly)
        _ = try LargeFile.sweep(folder, keep: "\(folder.path)/lost-\(name)") { id throws(SpoolError) in
            try Self.isKnown(id, in: target)
        }
        unlink(folder.damageMark)
        return .recovered(file: aside, messages: messages, lost: lost)
    }

    static func isKnown(_ id: String, in connection: Connection) throws(SpoolError) -> Bool {
        do {
            return try connection.first("SELECT 1 FROM message WHERE id = ? LIMIT 1", .text(id)) { _ in true } ?? false
        } catch {
            throw SpoolError(error)
        }
    }

    private func rebuild(from aside: String, into fresh: String) throws -> (messages: Int, lost: [String]) {
        try folder.makePrivate(fresh)
        let target = try Connection(path: fresh, mode: .readWrite, options: Schema.options)
        try Schema.create(in: target)
        var salvage = Salvage(folder: folder, target: target)
        if let source = try? Connection(path: aside, mode: .readOnly) {
            try target.transaction { try salvage.copy(from: source) }
        } else {
            salvage.lost.append("the file could not be read at all")
        }
        unlink("\(aside)-shm")
        try target.checkpoint(.truncate)
        return (salvage.messages, salvage.lost)
    }
}

/// Takes over what can be read of a broken database.
private struct Salvage {
    let folder: SpoolFolder
    let target: Connection
    var messages = 0
    var lost: [String] = []

    private static let messageColumns =
        "row, id, received, sender, size, flags, client, hello, authenticated, protocol, parent, ret, envid"
    private static let recipientColumns =
        "key, address, notify, orcpt, state, due, tries, failure, first_failure, reply, route, bounce, siblings"

    /// Not there before version 2.
    private static let laterColumns = ", refusals, warned"

    mutating func copy(from source: Connection) throws {
        let schema = try? Schema.find(in: source)
        if schema != .current, schema != .older { lost.append("its schema could not be read") }
        let found = copyRows(of: "message", Self.messageColumns, from: source)
        let more = schema == .older ? "" : Self.laterColumns
        _ = copyRows(of: "recipient", Self.recipientColumns + more, from: source)
        let strays = "FROM recipient WHERE key >> 20 NOT IN (SELECT row FROM message)"
        for address in try target.rows("SELECT address \(strays)", read: { $0.text(0) }) {
            lost.append("an unknown message to \(address)")
        }
        for row in found { try takeOver(row, from: source) }
        try target.run("DELETE \(strays)")
        if let mark = try? source.first("SELECT value FROM spool WHERE key = 'mark'", read: { $0.integer(0) }) {
            try target.run("UPDATE spool SET value = max(value, ?) WHERE key = 'mark'", .integer(mark))
        }
    }

    /// Copies a table from its start until a page cannot be read, then from its end.
    /// - Returns: the row ids copied.
    private mutating func copyRows(of table: String, _ columns: String, from source: Connection) -> [Int64] {
        var keys: [Int64] = []
        let marks = columns.split(separator: ",").map { _ in "?" }.joined(separator: ",")
        let insert = "INSERT OR IGNORE INTO \(table) (\(columns)) VALUES (\(marks))"
        for order in ["ASC", "DESC"] {
            do {
                let read = try source.prepare("SELECT \(columns) FROM \(table) ORDER BY 1 \(order)")
                while try read.step() {
                    let values = (0..<Int32(columns.split(separator: ",").count)).map { read.value($0) }
                    if try target.run(insert, values) == 1 { keys.append(read.integer(0)) }
                }
                return keys
            } catch {
                lost.append("table \(table): \(SpoolError(error).detail)")
            }
        }
        return keys
    }

    /// Keeps a message whose recipients and content are there; drops and names it otherwise.
    private mutating func takeOver(_ row: Int64, from source: Connection) throws {
        let message = try target.first("SELECT id, flags, sender FROM message WHERE row = ?", .integer(row)) {
            (id: $0.text(0), flags: $0.integer(1), sender: $0.text(2))
        }
        guard let message, message.flags & Schema.Flag.isTombstone == 0 else { return }
        let keys = Schema.keys(of: row)
        let recipients = try target.rows(
            "SELECT address FROM recipient WHERE key BETWEEN ? AND ?", .integer(keys.first), .integer(keys.last)
        ) { $0.text(0) }
        let hasContent = try copyContent(row, message.id, isLarge: message.flags & Schema.Flag.isLarge != 0, source)
        if !recipients.isEmpty, hasContent {
            messages += 1
            return
        }
        let missing = hasContent ? "no recipient" : "no content"
        lost.append("\(message.id) from <\(message.sender)> to \(recipients.joined(separator: ", ")): \(missing)")
        try target.run("DELETE FROM message WHERE row = ?", .integer(row))
        try target.run("DELETE FROM content WHERE row = ?", .integer(row))
    }

    private func copyContent(_ row: Int64, _ id: String, isLarge: Bool, _ source: Connection) throws -> Bool {
        if isLarge { return SpoolFolder.exists(folder.large(id)) }
        let body = try? source.first("SELECT body FROM content WHERE row = ?", .integer(row)) { $0.blob(0) }
        guard let body else { return false }
        try target.run("INSERT OR REPLACE INTO content VALUES (?, ?)", .integer(row), .blob(body))
        return true
    }
}
