import CLinux
import Glibc
import MessageFormat

/// Standard streams and files, replaceable by tests.
package struct Console {
    package struct Trouble: Error {
        package let reason: String
    }
    package var write: (String) -> Void
    package var complain: (String) -> Void
    package var readSecretLine: (_ prompt: String) -> String?
    /// Whole text of a file; `-` is standard input.
    package var readFile: (String) -> Result<String, Trouble>
    /// Replaces a file that only its owner may read; `nil` = done.
    package var writePrivateFile: (_ file: String, _ text: String) -> Trouble?
    package var isTerminal: Bool
    /// Whether somebody sits at standard input and can be asked.
    package var canAsk = false
    /// Milliseconds since 1970.
    package var now: () -> Int

    package init(
        write: @escaping (String) -> Void, complain: @escaping (String) -> Void,
        readSecretLine: @escaping (String) -> String?, readFile: @escaping (String) -> Result<String, Trouble>,
        writePrivateFile: @escaping (String, String) -> Trouble?, isTerminal: Bool, now: @escaping () -> Int
    ) {
        self.write = write
        self.complain = complain
        self.readSecretLine = readSecretLine
        self.readFile = readFile
        self.writePrivateFile = writePrivateFile
        self.isTerminal = isTerminal
        self.now = now
    }

    package func read(_ file: String) -> Result<String, Trouble> { readFile(file) }

    package static var standard: Console {
        var console = Console(
            write: { put($0, to: 1) }, complain: { put($0, to: 2) }, readSecretLine: secretLine, readFile: contents,
            writePrivateFile: writePrivate, isTerminal: isatty(1) == 1,
            now: {
                var time = timespec()
                clock_gettime(CLOCK_REALTIME, &time)
                return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
            })
        console.canAsk = isatty(0) == 1
        return console
    }

    private static func put(_ text: String, to descriptor: Int32) {
        var octets = Array(text.utf8)[...]
        while !octets.isEmpty {
            let count = octets.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                octets.removeFirst(count)
            } else if errno == EAGAIN {
                var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = poll(&entry, 1, -1)
            } else if errno != EINTR {
                return  // nobody reads any more (`| head`): not an error
            }
        }
    }

    /// Largest table or import that is read.
    private static let fileLimit = 64 << 20

    private static func contents(of file: String) -> Result<String, Trouble> {
        let descriptor = file == "-" ? dup(0) : clinux_open(file, O_RDONLY | O_CLOEXEC, 0)
        guard descriptor >= 0 else { return .failure(Trouble(reason: String(cString: strerror(errno)))) }
        defer { close(descriptor) }
        var octets: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count == 0 { break }
            if count < 0 {
                if errno == EINTR { continue }
                return .failure(Trouble(reason: String(cString: strerror(errno))))
            }
            octets.append(contentsOf: chunk[..<count])
            if octets.count > fileLimit { return .failure(Trouble(reason: "larger than 64 MB")) }
        }
        // Files of the original are Shift_JIS or ISO-2022-JP (R-SYS-19).
        let (text, _) = Charset.guess(octets)
        if text.unicodeScalars.contains("\u{FFFD}"), String(validating: octets, as: UTF8.self) == nil {
            return .failure(Trouble(reason: "neither UTF-8 nor Shift_JIS nor ISO-2022-JP"))
        }
        return .success(text)
    }

    /// Written beside the file, then renamed: a reader never sees half of it, and it is never open to others.
    private static func writePrivate(_ file: String, _ text: String) -> Trouble? {
        let draft = "\(file).new"
        unlink(draft)
        let descriptor = clinux_open(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return Trouble(reason: String(cString: strerror(errno))) }
        var failure: Int32 = 0
        var octets = Array(text.utf8)[...]
        while !octets.isEmpty, failure == 0 {
            let count = octets.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 { octets = octets.dropFirst(count) } else if errno != EINTR { failure = errno }
        }
        if failure == 0, fsync(descriptor) != 0 { failure = errno }
        close(descriptor)
        if failure == 0, rename(draft, file) != 0 { failure = errno }
        guard failure != 0 else { return nil }
        unlink(draft)
        return Trouble(reason: String(cString: strerror(failure)))
    }

    /// The first line of standard input; on a terminal it asks, and what is typed is not shown.
    private static func secretLine(prompt: String) -> String? {
        var saved = termios()
        let asks = isatty(0) == 1 && tcgetattr(0, &saved) == 0
        if asks {
            var silent = saved
            silent.c_lflag &= ~tcflag_t(ECHO)
            tcsetattr(0, TCSANOW, &silent)
            put(prompt, to: 2)
        }
        defer {
            if asks {
                tcsetattr(0, TCSANOW, &saved)
                put("\n", to: 2)
            }
        }
        var line: [UInt8] = []
        var octet: UInt8 = 0
        while line.count < 4096 {
            let count = Glibc.read(0, &octet, 1)
            if count < 0, errno == EINTR { continue }
            if count <= 0 || octet == 10 { break }
            line.append(octet)
        }
        if line.last == 13 { line.removeLast() }
        return String(validating: line, as: UTF8.self)
    }
}
