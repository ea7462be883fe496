import CLinux
import Glibc

/// One day's file of one log, opened for appending; a line is never torn between processes that append to it.
final class LogFile {
    private let descriptor: Int32
    /// A write stopped in the middle of a line (disk full): the next one begins on a new line.
    private var isTorn = false

    /// Makes folder and file when missing (0750, 0640).
    init?(folder: String, day: String) {
        Self.makeFolders(folder)
        descriptor = clinux_open(
            "\(folder)/\(day).log", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o640)
        if descriptor < 0 { return nil }
    }
    deinit { close(descriptor) }

    /// - Returns: 0, or errno of the failure.
    func append(_ octets: [UInt8]) -> Int32 {
        if isTorn {
            var newline: UInt8 = 10
            guard write(descriptor, &newline, 1) == 1 else { return errno }
            isTorn = false
        }
        var done = 0
        while done < octets.count {
            let count = octets.withUnsafeBytes {
                write(descriptor, $0.baseAddress?.advanced(by: done), octets.count - done)
            }
            if count < 0 {
                if errno == EINTR { continue }
                isTorn = done > 0 && octets[done - 1] != 10
                return errno
            }
            done += count
        }
        return 0
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
