import CLinux
import Database
import Glibc
import MailModel

extension NewMessage {
    /// Whether the disk must be waited for before the row may be written.
    var needsPreparing: Bool {
        switch content {
        case .inline(let octets): octets.count > SpoolLimits.inlineContent
        case .large: true
        }
    }

    /// With content that is either small or a synced file.
    func finished(in folder: SpoolFolder) throws(SpoolError) -> NewMessage {
        switch content {
        case .large(let large):
            try large.finish()
            return self
        case .inline(let octets):
            if octets.count <= SpoolLimits.inlineContent { return self }
            let file = try LargeFile(id, in: folder)
            try file.append(octets)
            try file.finish()
            var message = self
            message.content = .large(file)
            return message
        }
    }
}

extension SpoolJob {
    func withFinishedContent(in folder: SpoolFolder) throws(SpoolError) -> SpoolJob {
        switch self {
        case .add(let message, let completion): return .add(try message.finished(in: folder), completion)
        case .change(var change, let completion):
            for index in change.children.indices {
                change.children[index] = try change.children[index].finished(in: folder)
            }
            return .change(change, completion)
        case .act: return self
        }
    }
}

/// A row of `message`, for reading its content.
struct DatabaseRow {
    let row: Int64
    init(_ row: Int64) { self.row = row }

    func body(_ connection: Connection) throws(DatabaseError) -> [UInt8]? {
        try connection.first("SELECT body FROM content WHERE row = ?", .integer(row)) { $0.blob(0) }
    }

    /// The name of the content's file; `nil` when the message is gone.
    func largeID(_ connection: Connection) throws(DatabaseError) -> String? {
        try connection.first(
            "SELECT id FROM message WHERE row = ? AND flags & \(Schema.Flag.isLarge)", .integer(row)
        ) { $0.text(0) }
    }
}

extension ContentFile {
    convenience init(_ path: String) throws(SpoolError) {
        let descriptor = clinux_open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0)
        guard descriptor >= 0 else { throw SpoolError(system: errno, "open \(path)") }
        var info = stat()
        guard fstat(descriptor, &info) == 0 else {
            let code = errno
            close(descriptor)
            throw SpoolError(system: code, "stat \(path)")
        }
        self.init(descriptor: descriptor, size: Int(info.st_size))
    }
}
