import CLinux
import Glibc

/// One day's file of one log, opened for appending; a line is never torn between processes that append to it. When a
/// write stops in the middle (disk full), the caller brings the rest again.
final class LogFile {
    private let descriptor: Int32

    /// Makes folder and file when missing (0750, 0640).
    init?(folder: String, day: String) {
        Self.makeFolders(folder)
        descriptor = clinux_open(
            "\(folder)/\(day).log", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o640)
        if descriptor < 0 { return nil }
    }
    deinit { close(descriptor) }

    /// Whether the open file still is the one of that name: it may have been renamed or removed by hand (logrotate).
    func isStillThere(folder: String, day: String) -> Bool {
        var own = stat()
        var named = stat()
        return fstat(descriptor, &own) == 0 && stat("\(folder)/\(day).log", &named) == 0 && own.st_ino == named.st_ino
            && own.st_dev == named.st_dev
    }

    /// - Returns: octets written, and 0 or errno of the failure that left the others.
    func append(_ octets: [UInt8]) -> (done: Int, error: Int32) {
        var done = 0
        while done < octets.count {
            let count = octets.withUnsafeBytes {
                write(descriptor, $0.baseAddress?.advanced(by: done), octets.count - done)
            }
            if count < 0 {
                if errno == EINTR { continue }
                return (done, errno)
            }
            done += count
        }
        return (done, 0)
    }

    /// `mkdir -p`; failures show when the file is opened.
    static func makeFolders(_ path: String) {
        var built = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            built += "/\(part)"
            mkdir(built, 0o750)
        }
    }
}
