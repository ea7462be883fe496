import CLinux
import Glibc
import Threads

/// The additional program of an account (R-CTL-29): the message on standard input, the changed message on standard
/// output. Started directly and never by a shell; nothing of the mail is in its arguments or its environment.
enum AccountProgram {
    enum Outcome: Equatable {
        /// Exit 0: what it wrote takes the message's place.
        case changed([UInt8])
        /// Exit 99.
        case discard
        /// Anything else: the message goes on as it was; why, for the log.
        case unchanged(String)
    }

    struct Limits {
        /// Milliseconds, from start to end.
        var time: Int64 = 30_000
        /// Octets of address space.
        var memory: UInt = 512 << 20
        /// Octets of output.
        var output = 32 << 20
    }

    /// Waits for it. On a thread that may wait.
    static func run(_ path: String, account: String, message: [UInt8], limits: Limits = Limits()) -> Outcome {
        if let fault = fault(of: path) { return .unchanged(fault) }
        var input: [Int32] = [-1, -1]
        var output: [Int32] = [-1, -1]
        guard pipe2(&input, O_CLOEXEC) == 0 else { return .unchanged("no pipe") }
        guard pipe2(&output, O_CLOEXEC) == 0 else {
            input.forEach { close($0) }
            return .unchanged("no pipe")
        }
        guard let pid = spawn(path, account, input[0], output[1], limits) else {
            (input + output).forEach { close($0) }
            return .unchanged("\(path) cannot be started")
        }
        close(input[0])
        close(output[1])
        let (octets, fault) = exchange(message, input[1], output[0], limits)
        close(output[0])
        if fault != nil { kill(-pid, SIGKILL) }
        let status = wait(for: pid, fault: fault, limits)
        if let fault { return .unchanged("\(path) \(fault)") }
        return outcome(status, octets, path)
    }

    private static func outcome(_ status: Int32?, _ octets: [UInt8], _ path: String) -> Outcome {
        guard let status else { return .unchanged("\(path) did not end in time") }
        let signal = status & 0x7F
        if signal != 0 { return .unchanged("\(path) was ended by signal \(signal)") }
        switch status >> 8 & 0xFF {
        case 0:
            return octets.isEmpty
                ? .unchanged("\(path) wrote nothing") : .changed(octets.filter { $0 != 0x0D && $0 != 0 })
        case 99: return .discard
        case let code: return .unchanged("\(path) ended with code \(code)")
        }
    }

    /// Only a file that nobody but its owner may change is run.
    private static func fault(of path: String) -> String? {
        guard path.hasPrefix("/"), !path.utf8.contains(0) else { return "the program is no absolute path" }
        var info = stat()
        guard stat(path, &info) == 0 else { return "\(path): \(String(cString: strerror(errno)))" }
        guard info.st_mode & S_IFMT == S_IFREG, info.st_mode & 0o022 == 0, access(path, X_OK) == 0 else {
            return "\(path) is not an executable file that only its owner may change"
        }
        return nil
    }

    private static func spawn(_ path: String, _ account: String, _ input: Int32, _ output: Int32, _ limits: Limits)
        -> pid_t?
    {
        let environment = ["PATH=/usr/bin:/bin", "LANG=C.UTF-8", "EPOST_ACCOUNT=\(account)"]
        let started = ProgramStart.start(
            path, arguments: [path], environment: environment,
            descriptors: [.descriptor(input), .descriptor(output), .nothing])
        guard case .success(let pid) = started else { return nil }
        // It has no input yet: the limits stand before it can work on anything from outside.
        _ = clinux_limit(pid, UInt64(limits.memory), UInt64(limits.time / 1_000 + 1))
        return pid
    }

    /// Writes and reads at the same time, so that neither side waits for the other for ever.
    private static func exchange(
        _ message: [UInt8], _ input: Int32, _ output: Int32, _ limits: Limits
    ) -> (octets: [UInt8], fault: String?) {
        _ = clinux_set_nonblocking(input)
        let end = SystemClock.monotonic() + limits.time
        var written = 0
        var isOpen = true
        var octets: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        defer { if isOpen { close(input) } }
        while true {
            let left = end - SystemClock.monotonic()
            if left <= 0 { return ([], "took longer than \(limits.time / 1_000) s") }
            var waits = [pollfd(fd: output, events: Int16(POLLIN), revents: 0)]
            if isOpen { waits.append(pollfd(fd: input, events: Int16(POLLOUT), revents: 0)) }
            if poll(&waits, nfds_t(waits.count), Int32(clamping: left)) < 0, errno != EINTR { return ([], "was lost") }
            if isOpen, waits.count > 1, waits[1].revents != 0 {
                let count = message[written...].withUnsafeBytes { write(input, $0.baseAddress, $0.count) }
                if count > 0 { written += count }
                // A program that does not read to the end has what it needs.
                if written == message.count || count < 0 && errno != EAGAIN && errno != EINTR {
                    close(input)
                    isOpen = false
                }
            }
            guard waits[0].revents != 0 else { continue }
            let count = read(output, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { return (octets, nil) }
            octets += piece[..<count]
            if octets.count > limits.output { return ([], "wrote more than \(limits.output >> 20) MiB") }
        }
    }

    /// - Returns: `nil` when it had to be killed.
    private static func wait(for pid: pid_t, fault: String?, _ limits: Limits) -> Int32? {
        var status: Int32 = 0
        let end = SystemClock.monotonic() + (fault == nil ? limits.time : 0)
        while true {
            let found = waitpid(pid, &status, fault == nil && SystemClock.monotonic() < end ? WNOHANG : 0)
            if found == pid { return status }
            if found < 0, errno != EINTR { return nil }
            if SystemClock.monotonic() >= end { kill(-pid, SIGKILL) }
            if found == 0 { usleep(2_000) }
        }
    }
}
