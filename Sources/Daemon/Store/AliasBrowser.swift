import Control
import Database
import MailModel
import Settings
import Synchronization
import Tables

/// Windows of the alias list, for people. Reads with a connection of its own; the rows are kept until something is
/// changed, so that scrolling costs no query.
package final class AliasBrowser: @unchecked Sendable {
    // Sendable by hand: connection and kept rows are used inside `lock` only.
    package struct Row: Sendable {
        package let rule: AliasRule
        package let revision: Int64
        let key: String
        let targetKey: String
        /// As `locate` names it.
        var id: String { "\(rule.alias.text) \(rule.target.text)" }
    }
    private struct Order: Equatable {
        var filter: String
        var domain: String
        var sort: String
        var descending: Bool
        var hidden: Set<String>
    }
    private let lock = Mutex<Void>(())
    private let connection: Connection
    private var version: Int64 = -1
    private var all: [Row] = []
    private var order: Order?
    private var chosen: [Row] = []

    package init(layout: Layout) throws(DatabaseError) {
        connection = try Connection(path: layout.store, mode: .readOnly)
    }

    /// - Parameter hidden: domains whose aliases are left out.
    /// - Returns: the rows of the window asked for, and how many there are.
    package func list(
        _ input: AliasInterface.List.Input, hidden: Set<String> = []
    ) throws(ControlError) -> (rows: [Row], total: Int, offset: Int, position: Int?) {
        let wanted = Order(
            filter: (input.filter ?? "").lowercased(), domain: (input.domain ?? "").lowercased(),
            sort: input.sort ?? "alias",
            descending: input.descending ?? false, hidden: hidden)
        guard ["alias", "target"].contains(wanted.sort) else {
            throw StoreWriter.refused(
                "sort", "alias.bad-sort", "\"\(wanted.sort)\" is not alias or target", wanted.sort)
        }
        return try locked { browser throws(DatabaseError) in
            try browser.refresh()
            if browser.order != wanted { browser.arrange(wanted) }
            let offset = min(max(input.offset, 0), browser.chosen.count)
            let end = min(browser.chosen.count, offset + min(max(input.limit, 1), 1000))
            let position = input.locate.flatMap { id in browser.chosen.firstIndex { $0.id == id } }
            return (Array(browser.chosen[offset..<end]), browser.chosen.count, offset, position)
        }
    }

    /// Domains that have aliases.
    package func domains() throws(ControlError) -> Set<String> {
        try locked { browser throws(DatabaseError) in
            try browser.refresh()
            return Set(browser.all.map(\.rule.alias.domain))
        }
    }

    /// org.epost.Aliases.Export
    package func export(offset: Int, limit: Int) throws(ControlError) -> AliasInterface.Export.Output {
        try locked { browser throws(DatabaseError) in
            try browser.refresh()
            let start = min(max(offset, 0), browser.all.count)
            let end = min(browser.all.count, start + min(max(limit, 1), 10_000))
            return .init(
                text: AliasTSV.write(browser.all[start..<end].map(\.rule)), count: end - start,
                total: browser.all.count)
        }
    }

    private func refresh() throws(DatabaseError) {
        let current = try connection.first("PRAGMA data_version") { $0.integer(0) } ?? 0
        if version == current { return }
        all = try connection.rows(
            "SELECT \(Schema.aliasColumns) FROM aliases ORDER BY domain, folded, position", read: StoreReader.alias
        ).compactMap { found in
            found.map {
                Row(
                    rule: $0.rule, revision: $0.revision, key: $0.rule.alias.folded.text,
                    targetKey: $0.rule.target.folded.text)
            }
        }
        version = current
        order = nil
    }

    private func arrange(_ wanted: Order) {
        chosen = wanted.hidden.isEmpty ? all : all.filter { !wanted.hidden.contains($0.rule.alias.domain) }
        if !wanted.domain.isEmpty { chosen = chosen.filter { $0.rule.alias.domain == wanted.domain } }
        if !wanted.filter.isEmpty {
            chosen = chosen.filter { $0.key.contains(wanted.filter) || $0.targetKey.contains(wanted.filter) }
        }
        // `all` is in the order of aliases and their positions; both sorts keep it among equals.
        let key: (Row) -> String = wanted.sort == "target" ? { $0.targetKey } : { $0.key }
        chosen = chosen.enumerated().sorted { one, other in
            let (a, b) = (key(one.element), key(other.element))
            return a == b ? one.offset < other.offset : wanted.descending ? a > b : a < b
        }.map(\.element)
        order = wanted
    }

    private func locked<Value: Sendable>(
        _ body: (AliasBrowser) throws(DatabaseError) -> Value
    ) throws(ControlError) -> Value {
        let answer: Result<Value, DatabaseError> = lock.withLock { _ in
            do throws(DatabaseError) {
                return .success(try body(self))
            } catch {
                return .failure(error)
            }
        }
        switch answer {
        case .success(let value): return value
        case .failure(let error): throw StoreWriter.failed(error)
        }
    }
}
