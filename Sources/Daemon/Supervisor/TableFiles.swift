import Control
import Glibc
import Settings
import Store
import Synchronization
import Tables

/// The text tables on disk: the rules in force for `explain`, and the history of what people write into the files,
/// by hand too.
final class TableFiles: Sendable {
    private let desk: Desk
    private let inForce = Mutex(EffectTable.read(EffectTable.delivered).value)

    /// Time for an editor to finish, and for our own writer to record what it wrote.
    private static let settling = Duration.milliseconds(1500)

    init(desk: Desk) { self.desk = desk }

    // MARK: In force

    /// effect.dat in force: a file with faults never replaces the last good reading.
    func effect() -> EffectTable {
        let lines = Self.lines(desk.layout.path(of: .effect))
        return inForce.withLock { effect in
            if let lines {
                let reading = EffectTable.read(lines)
                if !reading.hasFaults { effect = reading.value }
            }
            return effect
        }
    }

    /// hiddensmtpip.dat; one with faults hides what its good lines say.
    func hidden() -> IPPatternList {
        Self.lines(desk.layout.path(of: .hidden)).map { IPPatternList.read($0).value } ?? .empty
    }

    /// Whether gateway.dat holds lines that count.
    static func hasGateways(_ layout: Layout) -> Bool {
        lines(layout.path(of: .gateway)).map { !GatewayTable.read($0).value.rules.isEmpty } ?? false
    }

    private static func lines(_ path: String) -> TableText? {
        SmallFile.read(path, limit: TableText.maximumOctets).map { TableText(octets: $0) }
    }

    // MARK: History

    /// Puts the lines of an earlier revision back.
    /// - Parameter lines: `nil` removes the file.
    func revert(_ name: String, _ lines: [String]?) throws(ControlError) {
        guard let table = Layout.Table(rawValue: name) else {
            throw ControlError(.refused, code: "table.unknown", "there is no table \(name) any more", arguments: [name])
        }
        let path = desk.layout.path(of: table)
        guard let lines else {
            unlink(path)
            return
        }
        if let failure = SmallFile.replace(path, with: Array(TableText(lines: lines).text.utf8), mode: 0o640) {
            throw ControlError(
                .failed, code: "table.write-failed", "\(path) cannot be written: \(SmallFile.errorText(failure))",
                arguments: [path, SmallFile.errorText(failure)])
        }
    }

    /// Files changed on disk. What nobody has recorded after a while was written by hand, and is recorded then.
    func changed(_ names: [String]) {
        _ = effect()
        let tables = names.compactMap { Layout.Table(rawValue: $0) }
        guard !tables.isEmpty else { return }
        Task { [self] in
            try? await Task.sleep(for: Self.settling)
            _ = try? await desk.offload.run { [self] () throws(ControlError) in
                for table in tables { try record(table) }
            }
        }
    }

    private func record(_ table: Layout.Table) throws(ControlError) {
        let path = desk.layout.path(of: table)
        guard let new = Self.lines(path)?.lines else { return }
        let old = try desk.store.recordedTable(table.rawValue)
        guard old != new, desk.board.isConfigured else { return }
        let author = Author(name: Self.owner(of: path), origin: "edited by hand")
        let applied = try desk.store.recordTable(table.rawValue, from: old, to: new, note: "", by: author)
        desk.board.update(isConfigured: true, revision: applied.revision)
        desk.hub.publish(
            ServerEvent(
                kind: .changed, changes: applied.changes, revision: applied.revision, author: author.name,
                origin: author.origin, time: Clock.wall()))
    }

    private static func owner(of path: String) -> String {
        var status = stat()
        guard stat(path, &status) == 0, let account = getpwuid(status.st_uid) else { return "?" }
        return String(cString: account.pointee.pw_name)
    }
}
