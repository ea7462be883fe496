import CLinux
import Glibc
import Settings

/// One daemon for one set of folders.
struct Instance {
    private let descriptor: Int32

    struct Failure: Error {
        let text: String
    }

    /// Takes the lock and writes the pid file.
    init(_ layout: Layout) throws(Failure) {
        let lock = clinux_open(layout.lockFile, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else {
            throw Failure(text: "\(layout.lockFile) cannot be opened: \(SmallFile.errorText(errno))")
        }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            close(lock)
            let pid = SmallFile.read(layout.pidFile, limit: 64).map { String(decoding: $0, as: UTF8.self) }
            let holder = pid.flatMap { Int($0.split(separator: "\n").first ?? "") }.map { " as process \($0)" } ?? ""
            throw Failure(text: "another epostd runs for \(layout.root ?? "this machine")\(holder)")
        }
        descriptor = lock
        let pid = "\(getpid())\n"
        if let failure = SmallFile.replace(layout.pidFile, with: Array(pid.utf8), mode: 0o644) {
            throw Failure(text: "\(layout.pidFile) cannot be written: \(SmallFile.errorText(failure))")
        }
    }

    func end(_ layout: Layout) {
        unlink(layout.pidFile)
        close(descriptor)
    }
}
