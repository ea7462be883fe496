import Control
import Crypto
import Database
import Settings

extension SettingProblem {
    package var problem: Problem {
        Problem(path: key, code: code, message: message, arguments: arguments, isWarning: isWarning)
    }
}

/// Setting changes that were looked at and may be carried out.
private struct CheckedChanges: Sendable {
    var old: SettingsSnapshot
    var new: SettingsSnapshot
    /// Keys that really change, in the order given.
    var keys: [String] = []
    var problems: [Problem] = []
    var conflicts: [Problem] = []
}

extension StoreWriter {
    /// org.epost.Settings.List
    package func listSettings(prefix: String?) throws(ControlError) -> SettingsInterface.List.Output {
        try locked { connection, reader in
            let snapshot = try reader.snapshot()
            let entries = try SettingsCatalogue.all.filter { $0.key.hasPrefix(prefix ?? "") }.map { definition in
                var texts = snapshot.texts(for: definition.key) ?? []
                if definition.isSecret, !texts.isEmpty { texts = [hiddenSecret] }
                return SettingEntry(
                    key: definition.key, values: texts, isDefault: snapshot.isDefault(definition.key),
                    revision: Int(try Self.newestRevision(of: definition.key, connection)))
            }
            return .init(settings: entries, revision: Int(snapshot.revision))
        }
    }

    /// org.epost.Settings.Validate
    package func validate(_ changes: [SettingChange]) throws(ControlError) -> [Problem] {
        let checked = try locked { try check(changes, $0, $1, hashing: false) }
        return checked.conflicts + checked.problems
    }

    /// org.epost.Settings.Apply
    package func apply(
        _ changes: [SettingChange], note: String, dryRun: Bool, by author: Author
    ) throws(ControlError) -> Applied {
        try locked { connection, reader in
            let checked = try check(changes, connection, reader, hashing: true)
            if !checked.conflicts.isEmpty { throw Self.conflict(checked.conflicts) }
            let faults = checked.problems.filter { !$0.isWarning }
            if !faults.isEmpty { throw Self.refused(faults) }
            let warnings = checked.problems.filter(\.isWarning)
            if dryRun {
                let records = checked.keys.map { key in
                    ChangeRecord(path: key, old: checked.old.texts(for: key), new: checked.new.texts(for: key))
                }
                return Self.applied(checked.old.revision, records, warnings)
            }
            let (revision, records) = try change(author, note: note, connection) { editor in
                for key in checked.keys {
                    try editor.setSetting(
                        key, from: checked.old.texts(for: key), to: checked.new.values[key])
                }
            }
            return Self.applied(revision, records, warnings)
        }
    }

    private func check(
        _ changes: [SettingChange], _ connection: Connection, _ reader: StoreReader, hashing: Bool
    ) throws -> CheckedChanges {
        let old = try reader.snapshot()
        var checked = CheckedChanges(old: old, new: old)
        for change in changes {
            guard let definition = SettingsCatalogue.definition(of: change.key) else {
                checked.problems.append(SettingsCatalogue.unknown(change.key).problem)
                continue
            }
            let newest = try Self.newestRevision(of: change.key, connection)
            if let base = change.baseRevision, Int64(base) != newest {
                checked.conflicts.append(Self.conflictProblem(change.key, newest))
                continue
            }
            // A client sends back what it was shown: the secret stays.
            if definition.isSecret, change.values == [hiddenSecret] { continue }
            switch change.values.map(definition.normalized) {
            case .failure(let problem): checked.problems.append(problem.problem)
            case .success(let texts): checked.new.set(change.key, to: try stored(texts, definition, hashing))
            case nil: checked.new.set(change.key, to: nil)
            }
        }
        checked.keys = changes.map(\.key).filter { old.values[$0] != checked.new.values[$0] }
        // The same key twice in one call: the last one counts.
        checked.keys = checked.keys.enumerated().filter { !checked.keys[..<$0.offset].contains($0.element) }
            .map(\.element)
        let hasGateways = checks.hasGateways()
        let before = Set(old.problems(hasGateways: hasGateways).filter { !$0.isWarning })
        // What was wrong before does not stop a change of something else.
        checked.problems += checked.new.problems(hasGateways: hasGateways).filter { problem in
            problem.isWarning ? checked.keys.contains(problem.key) : !before.contains(problem)
        }.map(\.problem)
        if !checked.problems.contains(where: { !$0.isWarning }) {
            checked.problems += checks.settings(old, checked.new)
        }
        return checked
    }

    /// Secrets are stored as hashes; an empty one removes the password (R-SRV-10).
    private func stored(_ texts: [String], _ definition: SettingDefinition, _ hashing: Bool) throws -> [String]? {
        guard definition.isSecret else { return texts }
        guard let text = texts.first else { return nil }
        guard hashing else { return [hiddenSecret] }
        if definition.type == .sealed {
            guard let sealed = SecretBox(file: layout.secretKey)?.seal(text, context: definition.key) else {
                throw ControlError(
                    .failed, code: "store.no-key", "the password cannot be kept: \(layout.secretKey) cannot be used")
            }
            return [sealed]
        }
        guard let hash = PasswordHash(password: text) else {
            throw ControlError(.failed, code: "store.no-hash", "the password cannot be hashed: no entropy or memory")
        }
        return [hash.text]
    }
}

// MARK: Answers

extension StoreWriter {
    static func refused(_ problems: [Problem]) -> ControlError {
        ControlError(
            .refused, code: problems.first?.code ?? "control.refused", problems.first?.message ?? "refused",
            arguments: problems.first?.arguments ?? [], problems: problems)
    }
    static func refused(_ path: String, _ code: String, _ message: String, _ arguments: String...) -> ControlError {
        refused([Problem(path: path, code: code, message: message, arguments: arguments)])
    }
    static func conflict(_ problems: [Problem]) -> ControlError {
        ControlError(
            .conflict, code: "control.conflict", problems.first?.message ?? "somebody else changed it",
            problems: problems)
    }
    static func conflictProblem(_ path: String, _ newest: Int64) -> Problem {
        Problem(
            path: path, code: "control.conflict",
            message: "\(path) was changed meanwhile, in revision \(newest)", arguments: [path, String(newest)])
    }
    static func notFound(_ path: String, _ code: String, _ message: String, _ arguments: String...) -> ControlError {
        ControlError(.notFound, code: code, message, arguments: arguments)
    }

    static func applied(_ revision: Int64, _ records: [ChangeRecord], _ warnings: [Problem]) -> Applied {
        Applied(
            revision: Int(revision), changes: records.map(shown), effects: records.map { effect(of: $0.path) },
            warnings: warnings)
    }

    static func shown(_ record: ChangeRecord) -> ChangeRecord {
        record.shown(isSecret: SettingsCatalogue.definition(of: record.path)?.isSecret ?? false)
    }

    /// Domains, accounts and tables are looked up at each use.
    static func effect(of path: String) -> String {
        (SettingsCatalogue.definition(of: path)?.effect ?? .now).rawValue
    }
}
