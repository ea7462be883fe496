import Control
import Database
import MailModel
import Settings
import Tables

extension StoreWriter {
    /// org.epost.Settings.History, newest first.
    package func history(_ input: SettingsInterface.History.Input) throws(ControlError) -> [Revision] {
        try locked { connection, _ in
            let limit = DatabaseValue(min(max(input.limit, 1), 1000))
            let before = DatabaseValue(input.before ?? Int.max)
            let columns = "SELECT id, time, author, origin, note FROM revisions"
            let rows: [Revision]
            if let path = input.path, !path.isEmpty {
                // "." and "/" are neighbours in ASCII: one range holds everything below the path.
                rows = try connection.rows(
                    """
                    \(columns) WHERE id IN (SELECT revision FROM changes WHERE path=?1 OR path>=?2 AND path<?3)
                    AND id < ?5 ORDER BY id DESC LIMIT ?4
                    """,
                    .text(path), .text(path + "."), .text(path + "0"), limit, before, read: Self.revision)
            } else {
                rows = try connection.rows(
                    "\(columns) WHERE id < ? ORDER BY id DESC LIMIT ?", before, limit, read: Self.revision)
            }
            // A mass import has a hundred thousand changes; the answer must fit into a frame.
            var left = Self.shownChanges
            return try rows.map { row in
                var row = row
                let revision = Int64(row.revision)
                let share = max(1, min(Self.shownOfOne, left))
                row.changes = try Self.records(of: revision, connection, limit: share).map(Self.shown)
                left -= row.changes.count
                if row.changes.count == share {
                    row.count = try connection.first(
                        "SELECT count(*) FROM changes WHERE revision=?", .integer(revision)
                    ) { $0.int(0) }
                }
                return row
            }
        }
    }

    private static func revision(_ row: Statement) -> Revision {
        Revision(
            revision: row.int(0), time: row.int(1), author: row.text(2), origin: row.text(3), note: row.text(4),
            changes: [])
    }

    /// Changes of one revision, and of one answer, that are shown.
    private static let shownOfOne = 200
    private static let shownChanges = 1_500

    private static func records(
        of revision: Int64, _ connection: Connection, limit: Int = -1
    ) throws(DatabaseError) -> [ChangeRecord] {
        try connection.rows(
            "SELECT path, old, new FROM changes WHERE revision=? ORDER BY position LIMIT ?", .integer(revision),
            DatabaseValue(limit)
        ) { row in
            ChangeRecord(
                path: row.text(0), old: row.optionalText(1).flatMap(Texts.decode),
                new: row.optionalText(2).flatMap(Texts.decode))
        }
    }

    /// A table was written by somebody; makes the revision.
    /// - Parameters: lines before and after; `nil`: there was no file.
    package func recordTable(
        _ name: String, from old: [String]?, to new: [String]?, note: String, by author: Author
    ) throws(ControlError) -> Applied {
        try locked { connection, _ in
            let (revision, records) = try change(author, note: note, connection) { editor in
                try editor.table(name, from: old, to: new)
            }
            return Self.applied(revision, records, [])
        }
    }

    /// Control files of an account were written; makes the revision, by which services look at the files again.
    /// - Parameter files: lines before and after; `nil`: no file.
    package func recordAccountFiles(
        _ account: MailAddress, _ files: [(name: String, old: [String]?, new: [String]?)], note: String,
        by author: Author
    ) throws(ControlError) -> Applied {
        try locked { connection, reader in
            guard !files.isEmpty else { return Self.applied(try reader.revision(), [], []) }
            let (revision, records) = try change(author, note: note, connection) { editor in
                for file in files { try editor.file(file.name, of: account, from: file.old, to: file.new) }
            }
            return Self.applied(revision, records, [])
        }
    }

    /// The lines of a table as they were last recorded; `nil` when it never was.
    package func recordedTable(_ name: String) throws(ControlError) -> [String]? {
        try locked { connection, _ in
            try connection.first(
                "SELECT new FROM changes WHERE path=? ORDER BY revision DESC LIMIT 1", .text("table/\(name)")
            ) { $0.optionalText(0) }.flatMap { $0 }.flatMap(Texts.decode)
        }
    }

    /// org.epost.Settings.Revert
    /// - Parameters:
    ///   - writeTable: puts the lines into the file of a table; called inside the transaction, last.
    ///   - writeAccountFiles: puts the old lines into control files of accounts (`file/ACCOUNT/NAME`), if they hold
    ///     what the revision wrote; called inside the transaction, after the tables.
    package func revert(
        _ input: SettingsInterface.Revert.Input, by author: Author,
        mayTouch: ([String]) throws(ControlError) -> Void = { _ throws(ControlError) in },
        writeTable: (_ name: String, _ lines: [String]?) throws -> Void,
        writeAccountFiles: (_ undone: [ChangeRecord]) throws -> Void
    ) throws(ControlError) -> Applied {
        try locked { connection, reader in
            let undone = try Self.records(of: Int64(input.revision), connection)
            guard !undone.isEmpty else {
                throw Self.notFound(
                    "", "history.unknown", "there is no revision \(input.revision)", String(input.revision))
            }
            try mayTouch(undone.map(\.path))
            try Self.checkRevertible(undone, Int64(input.revision), connection)
            let plan = try revertPlan(undone, reader)
            if input.dryRun {
                let records = undone.reversed().prefix(Self.shownOfOne).map {
                    ChangeRecord(path: $0.path, old: $0.new, new: $0.old)
                }
                return Self.applied(try reader.revision(), records, plan.warnings)
            }
            let note = input.note.isEmpty ? "revert of revision \(input.revision)" : input.note
            let (revision, records) = try change(author, note: note, connection) { editor in
                try undo(undone, plan, reader, &editor)
                for record in undone where record.path.hasPrefix("table/") {
                    try writeTable(String(record.path.dropFirst("table/".count)), record.old)
                }
                let files = undone.filter { $0.path.hasPrefix("file/") }
                if !files.isEmpty { try writeAccountFiles(files) }
            }
            return Self.applied(revision, records, plan.warnings)
        }
    }

    private static func checkRevertible(
        _ undone: [ChangeRecord], _ revision: Int64, _ connection: Connection
    ) throws {
        if undone.contains(where: { $0.path.hasPrefix("mailbox/") }) {
            throw refused(
                undone[0].path, "history.mailbox-deleted",
                "the mailbox was deleted with the account; it cannot be undone")
        }
        var conflicts: [Problem] = []
        for record in undone {
            let newest = try newestRevision(of: record.path, connection)
            if newest > revision { conflicts.append(conflictProblem(record.path, newest)) }
        }
        if !conflicts.isEmpty { throw conflict(conflicts) }
    }

    private struct RevertPlan {
        var old: SettingsSnapshot
        var new: SettingsSnapshot
        var warnings: [Problem]
    }

    private func revertPlan(_ undone: [ChangeRecord], _ reader: StoreReader) throws -> RevertPlan {
        let old = try reader.snapshot()
        var new = old
        for record in undone where SettingsCatalogue.definition(of: record.path) != nil {
            let defaults = SettingsCatalogue.definition(of: record.path)?.defaultValues(layout)
            new.set(record.path, to: record.old == defaults ? nil : record.old)
        }
        let hasGateways = checks.hasGateways()
        let before = Set(old.problems(hasGateways: hasGateways).filter { !$0.isWarning })
        var problems = new.problems(hasGateways: hasGateways).filter { !$0.isWarning && !before.contains($0) }.map(
            \.problem)
        if problems.isEmpty, new != old { problems += checks.settings(old, new) }
        let faults = problems.filter { !$0.isWarning }
        if !faults.isEmpty { throw Self.refused(faults) }
        return RevertPlan(old: old, new: new, warnings: problems)
    }

    private func undo(
        _ undone: [ChangeRecord], _ plan: RevertPlan, _ reader: StoreReader, _ editor: inout Editor
    ) throws {
        for record in undone.reversed() {
            if record.path.hasPrefix("domain/") {
                let name = String(record.path.dropFirst("domain/".count))
                let current = try reader.domains().first { $0.name == name }
                try editor.put(current, record.old.map { DomainRecord(name: name, texts: $0) })
            } else if record.path.hasPrefix("account/") {
                guard let address = MailAddress(typed: String(record.path.dropFirst("account/".count))) else {
                    continue
                }
                let current = try reader.account(address.folded)
                try editor.put(current, record.old.map { AccountRecord(domain: address.domain, texts: $0) })
            } else if record.path.hasPrefix("alias/") {
                guard let alias = MailAddress(typed: String(record.path.dropFirst("alias/".count))) else { continue }
                let old = (record.old ?? []).compactMap { try? AliasRule.read(alias: alias.text, target: $0).get() }
                try editor.put(alias, from: try reader.aliases(alias.folded), to: old)
            } else if record.path.hasPrefix("table/") {
                try editor.table(String(record.path.dropFirst("table/".count)), from: record.new, to: record.old)
            } else if record.path.hasPrefix("file/") {
                try editor.file(path: record.path, from: record.new, to: record.old)
            } else {
                try editor.setSetting(
                    record.path, from: plan.old.texts(for: record.path) ?? record.new,
                    to: plan.new.values[record.path])
            }
        }
    }
}
