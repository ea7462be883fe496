import Control
import Settings
import Synchronization
import Tables

/// rejectsmtpip.dat and rejectsmtpuser.dat: this process alone writes them, people may edit them besides.
final class LockFiles: Sendable {
    private let layout: Layout
    /// Two changes at once would lose one of them.
    private let lock = Mutex<Void>(())

    init(layout: Layout) { self.layout = layout }

    func read(_ kind: LockTable.Kind) -> LockTable {
        guard let octets = SmallFile.read(layout.path(of: kind), limit: TableText.maximumOctets) else {
            return LockTable(kind: kind)
        }
        return LockTable.read(TableText(octets: octets), kind: kind).value
    }

    /// - Returns: whether the file is another one now.
    func change(
        _ kind: LockTable.Kind, _ body: (LockTable) -> LockTable
    ) throws(ControlError) -> Bool {
        let path = layout.path(of: kind)
        let result: Result<Bool, ControlError> = lock.withLock { _ in
            let old = read(kind)
            let new = body(old)
            guard new.lines != old.lines else { return .success(false) }
            if let failure = SmallFile.replace(path, with: Array(new.text.utf8), mode: 0o640) {
                let cause = SmallFile.errorText(failure)
                return .failure(
                    ControlError(
                        .failed, code: "table.write-failed", "\(path) cannot be written: \(cause)",
                        arguments: [path, cause]))
            }
            return .success(true)
        }
        return try result.get()
    }
}

extension Layout {
    func path(of kind: LockTable.Kind) -> String { conf + "/" + kind.fileName }
}
