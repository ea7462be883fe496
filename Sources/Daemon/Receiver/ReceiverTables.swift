import Glibc
import MailModel
import Settings
import Tables

/// The text tables that the receiver reads. A file with faults never replaces its last good reading.
struct ReceiverTables: Sendable {
    private(set) var effect: EffectTable
    private(set) var header = HeaderTemplate.standard
    /// Local addresses on which nobody is answered (R-CLU-19).
    private(set) var hidden = IPPatternList.empty
    /// Clients whose mail is not copied for the record (R-LOG-13, field notes A8).
    private(set) var copyExempt = IPPatternList.empty

    /// As events name them.
    static let names: Set<String> = Set([Layout.Table.effect, .header, .hidden, .copyExempt].map(\.rawValue))

    /// Before the first reading: what a new installation is delivered with, so that a missing file opens nothing.
    init() { effect = EffectTable.read(EffectTable.delivered).value }

    /// - Returns: what is to be told about it, for the log.
    mutating func read(_ layout: Layout) -> [String] {
        var complaints: [String] = []
        switch Self.octets(layout.path(of: .effect)) {
        case .success(let octets?):
            let reading = EffectTable.read(TableText(octets: octets))
            if reading.hasFaults {
                complaints += Self.complaints(EffectTable.fileName, reading.problems, "the last good reading stays")
            } else {
                effect = reading.value
            }
        case .success(nil): break
        case .failure(let error): complaints.append("\(EffectTable.fileName): \(error.text)")
        }
        switch Self.octets(layout.path(of: .header)) {
        case .success(let octets):
            let reading = HeaderTemplate.read(TableText(octets: octets ?? []))
            if reading.hasFaults {
                // R-RCV-39: replaced by the default at run time.
                complaints += Self.complaints(
                    HeaderTemplate.fileName, reading.problems, "the built-in template is used")
            }
            header = reading.value
        case .failure(let error): complaints.append("\(HeaderTemplate.fileName): \(error.text)")
        }
        complaints += Self.readList(.hidden, layout, &hidden) + Self.readList(.copyExempt, layout, &copyExempt)
        return complaints
    }

    private static func readList(_ table: Layout.Table, _ layout: Layout, _ list: inout IPPatternList) -> [String] {
        switch octets(layout.path(of: table)) {
        case .success(let octets):
            let reading = IPPatternList.read(TableText(octets: octets ?? []))
            if reading.hasFaults {
                return complaints(table.fileName, reading.problems, "the last good reading stays")
            }
            list = reading.value
            return []
        case .failure(let error): return ["\(table.fileName): \(error.text)"]
        }
    }

    private static func complaints(_ file: String, _ problems: [TableProblem], _ consequence: String) -> [String] {
        problems.filter { !$0.isWarning }.prefix(5).map { "\(file):\($0.line): \($0.message) (\(consequence))" }
    }

    struct ReadError: Error {
        let text: String
    }

    /// - Returns: `nil` when there is no such file.
    static func octets(_ path: String) -> Result<[UInt8]?, ReadError> {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            return errno == ENOENT ? .success(nil) : .failure(ReadError(text: String(cString: strerror(errno))))
        }
        defer { close(descriptor) }
        var out: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(descriptor, &piece, piece.count)
            if count < 0 { return .failure(ReadError(text: String(cString: strerror(errno)))) }
            if count == 0 { return .success(out) }
            out += piece[..<count]
            if out.count > TableText.maximumOctets { return .failure(ReadError(text: "too large")) }
        }
    }
}
