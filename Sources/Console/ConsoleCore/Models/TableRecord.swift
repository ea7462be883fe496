import Control

/// A text table as the server has it, for tables whose edits are staged with the rest of their page.
struct TableState: Hashable, Sendable {
    var lines: [String]
    /// Base of the next write.
    var etag: String

    init(lines: [String], etag: String) {
        self.lines = lines
        self.etag = etag
    }

    init(_ output: TablesInterface.Show.Output) {
        lines = TableRecord.lines(of: output.text)
        etag = output.etag
    }
}

/// Places `table/NAME`: a table is one staged value, its lines.
enum TableRecord {
    static let effect = "table/effect"

    static func name(ofPath path: String) -> String? {
        path.hasPrefix("table/") ? String(path.dropFirst("table/".count)) : nil
    }

    static func lines(of text: String) -> [String] {
        var lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }.map(String.init)
        if lines.last == "" { lines.removeLast() }
        return lines
    }

    static func text(of lines: [String]) -> String { lines.map { $0 + "\n" }.joined() }

    /// The lines that one text has and the other has not, the longest common beginning and end left aside.
    static func difference(_ old: [String], _ new: [String]) -> (old: ArraySlice<String>, new: ArraySlice<String>) {
        var start = 0
        while start < min(old.count, new.count), old[start] == new[start] { start += 1 }
        var end = 0
        while end < min(old.count, new.count) - start, old[old.count - 1 - end] == new[new.count - 1 - end] { end += 1 }
        return (old[start..<(old.count - end)], new[start..<(new.count - end)])
    }
}

extension ModelRequest {
    /// Reading of a staged table.
    static let effectTable = ModelRequest.table("effect")
}
