import CLinux
import Glibc

/// Notices files that changed, by their identity, size and time. Looked at once a second: a change by hand is known
/// within that time, whatever the editor does (write, rename, link).
struct FileWatcher {
    private struct Mark: Equatable {
        var device: UInt
        var inode: UInt
        var size: Int
        var seconds: Int
        var nanoseconds: Int
    }
    private var files: [String: [String]]
    private var marks: [String: Mark?] = [:]

    /// - Parameter files: paths by the name under which a change is told.
    init(_ files: [String: [String]]) {
        self.files = files
        for path in files.values.joined() { marks[path] = Self.mark(path) }
    }

    /// Watches these from now on; what was known of a path is kept.
    mutating func watch(_ new: [String: [String]]) {
        for path in new.values.joined() where marks[path] == nil { marks[path] = .some(Self.mark(path)) }
        files = new
    }

    /// Names of what changed since the last question.
    mutating func changes() -> [String] {
        var names: [String] = []
        for (name, paths) in files.sorted(by: { $0.key < $1.key }) {
            var isChanged = false
            for path in paths {
                let mark = Self.mark(path)
                if marks[path] != .some(mark) {
                    marks[path] = .some(mark)
                    isChanged = true
                }
            }
            if isChanged { names.append(name) }
        }
        return names
    }

    private static func mark(_ path: String) -> Mark? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Mark(
            device: UInt(status.st_dev), inode: UInt(status.st_ino), size: Int(status.st_size),
            seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec)
    }
}
