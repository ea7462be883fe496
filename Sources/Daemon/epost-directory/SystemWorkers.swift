import CLinux
import DirectoryWire
import Glibc
import Threads

/// Processes of our own that ask NSS and PAM, one question at a time each. A module that hangs or crashes costs its
/// question and the process, which is ended with everything that it started, and nothing else.
final class SystemWorkers: Sendable {
    private struct Worker: Sendable {
        let pid: pid_t
        let descriptor: Int32

        /// - Returns: how it ended.
        func end() -> Int32 {
            // Its own process group: modules start programs.
            kill(-pid, SIGKILL)
            close(descriptor)
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
            return status
        }

        /// Nothing is read from it between questions: what can be read is its end.
        var isGone: Bool {
            var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            return poll(&entry, 1, 0) != 0
        }
    }
    private let idle = Monitor<[Worker]>([])
    private let options: Helper.Options
    /// Idle ones that are kept.
    private static let keptLimit = 4

    init(_ options: Helper.Options) { self.options = options }

    /// - Parameters:
    ///   - milliseconds: so long the answer may take; then the process is ended.
    ///   - send: gets every frame of the answer.
    func ask(
        _ frame: DirectoryFrame, _ profile: DirectoryProfile, milliseconds: Int, _ send: (DirectoryFrame) -> Void
    ) throws(SourceFailure) {
        var kept = taken()
        if kept == nil { kept = try start() }
        guard let worker = kept else { return }
        do throws(SourceFailure) {
            try Self.exchange(worker.descriptor, frame, profile, milliseconds, send)
        } catch {
            let status = worker.end()
            let signal = status & 0x7F
            guard error.detail.isEmpty else { throw error }
            throw SourceFailure(
                signal == 0 || signal == SIGKILL
                    ? "a module of PAM or NSS ended the process" : "a module of PAM or NSS crashed (signal \(signal))")
        }
        let isKept = idle.withLock { idle in
            guard idle.count < Self.keptLimit else { return false }
            idle.append(worker)
            return true
        }
        if !isKept { _ = worker.end() }
    }

    private func taken() -> Worker? {
        while let worker = idle.withLock({ $0.popLast() }) {
            if !worker.isGone { return worker }
            _ = worker.end()
        }
        return nil
    }

    private func start() throws(SourceFailure) -> Worker {
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw SourceFailure("no socket: \(String(cString: strerror(errno)))")
        }
        var arguments = ["epost-directory", "--worker", "--pam-service", options.pamService]
        if let folder = options.pamFolder { arguments += ["--pam-confdir", folder] }
        defer { close(ends[1]) }
        let started = ProgramStart.start(
            "/proc/self/exe", arguments: arguments, environment: Self.environment(),
            descriptors: [.nothing, .inherited, .inherited, .descriptor(ends[1])])
        switch started {
        case .success(let pid): return Worker(pid: pid, descriptor: ends[0])
        case .failure(let error):
            close(ends[0])
            throw SourceFailure("no process for PAM and NSS: \(String(cString: strerror(error.code)))")
        }
    }

    /// Ours, without what systemd meant for us alone.
    private static func environment() -> [String] {
        // A crash is told at once, and not first to a backtracer.
        var out = ["SWIFT_BACKTRACE=enable=no"]
        var next = environ
        while let entry = next.pointee {
            let text = String(cString: entry)
            if !text.hasPrefix("LISTEN_"), !text.hasPrefix("SWIFT_BACKTRACE=") { out.append(text) }
            next = next.advanced(by: 1)
        }
        return out
    }

    // MARK: Its question and answer

    /// - Throws: without a detail when the process has ended.
    private static func exchange(
        _ descriptor: Int32, _ frame: DirectoryFrame, _ profile: DirectoryProfile, _ milliseconds: Int,
        _ send: (DirectoryFrame) -> Void
    ) throws(SourceFailure) {
        let ended = SourceFailure("")
        var rest = (DirectoryFrame(id: 0, kind: .configure, fields: profile.fields).encoded() + frame.encoded())[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw ended }
            rest = rest.dropFirst(count)
        }
        let deadline = SystemClock.monotonic() + Int64(milliseconds)
        var decoder = DirectoryFrameDecoder()
        var octets = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let left = deadline - SystemClock.monotonic()
            guard left > 0 else {
                throw SourceFailure("PAM and NSS gave no answer within \(milliseconds / 1000) seconds")
            }
            var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&entry, 1, Int32(clamping: left)) > 0 else { continue }
            let count = recv(descriptor, &octets, octets.count, 0)
            if count < 0, errno == EINTR { continue }
            guard count > 0, let frames = try? decoder.feed(octets.prefix(count)) else { throw ended }
            for frame in frames {
                send(frame)
                if frame.kind != .page || frame.texts.first != "1" { return }
            }
        }
    }

    /// The worker itself: answers on descriptor 3 until that is closed.
    static func work(_ options: Helper.Options) -> Int32 {
        // Whoever asked may be gone while a module hangs.
        _ = clinux_prctl(PR_SET_PDEATHSIG, UInt(SIGKILL))
        _ = clinux_set_cloexec(3, 1)
        let source = Source(options: options, ldap: nil)
        let client = HelperClient(3)
        var decoder = DirectoryFrameDecoder()
        var octets = [UInt8](repeating: 0, count: 16 << 10)
        var profile: DirectoryProfile?
        while true {
            let count = recv(3, &octets, octets.count, 0)
            if count < 0, errno == EINTR { continue }
            guard count > 0, let frames = try? decoder.feed(octets.prefix(count)) else { return 0 }
            for frame in frames {
                if frame.kind == .configure {
                    profile = DirectoryProfile(fields: frame.fields)
                } else if let profile {
                    source.answer(frame, profile) { client.answer($0) }
                }
            }
        }
    }
}
