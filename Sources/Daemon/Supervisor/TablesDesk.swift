import CLinux
import Control
import ControlServer
import Glibc
import MessageFormat
import Settings
import Store
import Tables

/// Problems of text tables in the words of the control socket.
enum TableProblems {
    static func translated(_ problems: [TableProblem], file: String) -> [Problem] {
        problems.map {
            Problem(
                path: $0.line > 0 ? "\(file):\($0.line)" : file, code: $0.code, message: $0.message,
                arguments: $0.arguments, isWarning: $0.isWarning)
        }
    }

    static func check(_ table: Layout.Table, _ text: TableText) -> [Problem] {
        let problems =
            switch table {
            case .effect: EffectTable.read(text).problems
            case .gateway: GatewayTable.read(text).problems
            case .header: HeaderTemplate.read(text).problems
            case .hidden, .copyExempt: IPPatternList.read(text).problems
            }
        return translated(problems, file: table.fileName)
    }
}

/// org.epost.Tables: the text tables below `conf/`. They stay files, editable by hand while everything runs; what is
/// written here is checked, written at once or not at all, and stands in the history.
struct TablesDesk: Sendable {
    typealias Record =
        @Sendable (_ table: Layout.Table, _ old: [String]?, _ new: [String], _ note: String, Caller)
        throws(ControlError) -> Applied

    private let layout: Layout
    private let record: Record
    private let settled: @Sendable () async -> Void

    /// - Parameters:
    ///   - settled: returns when the services work by what was written.
    ///   - record: writes the change into the history, tells services and watchers.
    init(layout: Layout, settled: @escaping @Sendable () async -> Void = {}, record: @escaping Record) {
        self.layout = layout
        self.settled = settled
        self.record = record
    }

    func register(on server: ControlServer) {
        server.on(TablesInterface.Show.self) { input, _ throws(ControlError) in
            let table = try Self.table(input.table)
            let octets = try read(table)
            let text = TableText(octets: octets ?? [])
            return .init(
                text: text.text, path: layout.path(of: table), problems: TableProblems.check(table, text),
                etag: Self.etag(octets))
        }
        server.on(TablesInterface.Check.self) { input, _ throws(ControlError) in
            let table = try Self.table(input.table)
            let text: TableText
            if let given = input.text {
                text = TableText(given)
            } else {
                text = TableText(octets: try read(table) ?? [])
            }
            return .init(problems: TableProblems.check(table, text))
        }
        server.on(TablesInterface.Set.self) { input, caller throws(ControlError) in
            let applied = try set(input, caller)
            await settled()
            return applied
        }
    }

    private static func table(_ name: String) throws(ControlError) -> Layout.Table {
        guard let table = Layout.Table(rawValue: name) else {
            let known = Layout.Table.allCases.map(\.rawValue).joined(separator: ", ")
            let shown = DisplayText.clean(name, limit: 40)
            throw ControlError(
                .notFound, code: "table.unknown", "There is no table \(shown); there are \(known).",
                arguments: [shown, known])
        }
        return table
    }

    private func set(_ input: TablesInterface.Set.Input, _ caller: Caller) throws(ControlError) -> Applied {
        let table = try Self.table(input.table)
        let text = TableText(input.text)
        let problems = TableProblems.check(table, text)
        guard problems.allSatisfy(\.isWarning) else {
            throw ControlError(
                .refused, code: "table.faulty", "\(table.fileName) has faults; it was not written.",
                arguments: [table.fileName], problems: problems)
        }
        let old = try read(table)
        if let base = input.baseEtag, base != Self.etag(old) {
            throw ControlError(
                .conflict, code: "table.changed", "\(table.fileName) was changed meanwhile; it was not written.",
                arguments: [table.fileName])
        }
        try Self.write(Array(text.text.utf8), to: layout.path(of: table))
        var applied = try record(table, old.map { TableText(octets: $0).lines }, text.lines, input.note, caller)
        applied.warnings += problems
        return applied
    }

    private func read(_ table: Layout.Table) throws(ControlError) -> [UInt8]? {
        let path = layout.path(of: table)
        let descriptor = clinux_open(path, O_RDONLY | O_CLOEXEC, 0)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw Self.failed("read", path)
        }
        defer { close(descriptor) }
        var octets: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while octets.count <= TableText.maximumOctets {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count == 0 { return octets }
            if count < 0 {
                if errno == EINTR { continue }
                throw Self.failed("read", path)
            }
            octets += buffer[..<count]
        }
        throw ControlError(
            .failed, code: "table.too-large", "\(path) is larger than \(TableText.maximumOctets) octets.",
            arguments: [path])
    }

    /// A reader sees the old file or the new one, never half of one (R-SYS-22).
    static func write(_ octets: [UInt8], to path: String) throws(ControlError) {
        let draft = path + ".new"
        let descriptor = clinux_open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o640)
        guard descriptor >= 0 else { throw failed("write", draft) }
        var written = 0
        while written < octets.count {
            let count = octets.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress?.advanced(by: written), octets.count - written)
            }
            if count < 0, errno == EINTR { continue }
            if count <= 0 { break }
            written += count
        }
        let isSafe = written == octets.count && fsync(descriptor) == 0
        let isClosed = close(descriptor) == 0
        guard isSafe, isClosed, rename(draft, path) == 0 else {
            let error = failed("write", path)
            unlink(draft)
            throw error
        }
    }

    private static func failed(_ act: String, _ path: String) -> ControlError {
        let cause = String(cString: strerror(errno))
        return ControlError(
            .failed, code: "table.\(act)-failed", "\(path) cannot be \(act == "read" ? "read" : "written"): \(cause).",
            arguments: [path, cause])
    }

    /// Changes with the content (FNV-1a, 64 bits); `-` for a file that is not there.
    static func etag(_ octets: [UInt8]?) -> String {
        guard let octets else { return "-" }
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for octet in octets { hash = (hash ^ UInt64(octet)) &* 0x100_0000_01b3 }
        return String(hash, radix: 16)
    }
}
