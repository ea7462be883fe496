import Control
import Glibc
import Settings
import Tables

/// The text tables on disk.
enum TableFiles {
    /// effect.dat in force; the delivered rules while there is no file. A file with faults is read by its good lines
    /// here: what the receiver keeps is its last good reading.
    static func effect(_ layout: Layout) -> EffectTable {
        guard let octets = SmallFile.read(layout.path(of: .effect), limit: TableText.maximumOctets) else {
            return EffectTable.read(EffectTable.delivered).value
        }
        return EffectTable.read(TableText(octets: octets)).value
    }

    /// Puts the lines of an earlier revision back.
    /// - Parameter lines: `nil` removes the file.
    static func write(_ name: String, _ lines: [String]?, _ layout: Layout) throws(ControlError) {
        guard let table = Layout.Table(rawValue: name) else {
            throw ControlError(.refused, code: "table.unknown", "there is no table \(name) any more", arguments: [name])
        }
        let path = layout.path(of: table)
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
}
