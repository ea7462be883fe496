import ConsoleCore
import Glibc
import MessageFormat

/// Reads and writes files for pages, as the person at the console.
enum FileWork {
    static func perform(_ request: FileRequest) -> FileOutcome {
        switch request {
        case .read(let path, let limit): read(expanded(path), limit: limit)
        case .write(let path, let text, let overwrites): write(expanded(path), text, overwrites: overwrites)
        }
    }

    /// `~/x` is below the home folder, as in a shell.
    private static func expanded(_ path: String) -> String {
        guard path.hasPrefix("~/"), let home = getenv("HOME") else { return path }
        return String(cString: home) + path.dropFirst()
    }

    private static func read(_ path: String, limit: Int) -> FileOutcome {
        // A pipe without a writer must not hold up the screen.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else { return failure() }
        defer { close(descriptor) }
        var info = stat()
        guard fstat(descriptor, &info) == 0 else { return failure() }
        guard info.st_mode & S_IFMT == S_IFREG else { return .failed(String(cString: strerror(EINVAL))) }
        guard info.st_size <= limit else { return .failed(String(cString: strerror(EFBIG))) }
        var octets: [UInt8] = []
        octets.reserveCapacity(Int(info.st_size))
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while octets.count <= limit {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0 { return failure() }
            if count == 0 { break }
            octets += chunk[..<count]
        }
        // Files of the original are Shift_JIS or ISO-2022-JP (R-SYS-19).
        return .contents(Charset.guess(octets).text)
    }

    private static func write(_ path: String, _ text: String, overwrites: Bool) -> FileOutcome {
        if !overwrites, access(path, F_OK) == 0 { return .exists }
        let fresh = path + ".\(getpid()).new"
        unlink(fresh)
        let descriptor = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return failure() }
        let octets = Array(text.utf8)
        var done = 0
        while done < octets.count {
            let count = octets[done...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 { break }
            done += count
        }
        let isWhole = done == octets.count && fsync(descriptor) == 0
        let code = errno
        close(descriptor)
        guard isWhole, rename(fresh, path) == 0 else {
            let reason = String(cString: strerror(isWhole ? errno : code))
            unlink(fresh)
            return .failed(reason)
        }
        return .written
    }

    private static func failure() -> FileOutcome { .failed(String(cString: strerror(errno))) }
}
