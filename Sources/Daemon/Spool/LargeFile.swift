import CLinux
import Glibc
import MailModel
import Synchronization

/// `large/<id>` while it is written. It has its final name from the start: the database row is the commit point, and a
/// file without row is swept away. The lock on the file tells the sweep that a session still writes it.
final class LargeFile: LargeContent {
    private enum State {
        case writing(descriptor: Int32)
        case finished(descriptor: Int32)
        /// The row is there: the file is the message's.
        case stored
        case discarded
    }
    private let state: Mutex<State>
    private let written = Atomic<Int>(0)
    private let folder: SpoolFolder
    private let path: String

    init(_ id: QueueID, in folder: SpoolFolder) throws(SpoolError) {
        self.folder = folder
        path = folder.large(id.rawValue)
        state = Mutex(.writing(descriptor: try Self.create(path)))
    }

    deinit { discard() }

    private static func create(_ path: String) throws(SpoolError) -> Int32 {
        // The sweep may take the new name away in the moment between open and flock; then it is made again.
        for _ in 0..<100 {
            let descriptor = clinux_open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
            guard descriptor >= 0 else { throw SpoolError(system: errno, "create \(path)") }
            var info = stat()
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0, fstat(descriptor, &info) == 0, info.st_nlink > 0 {
                return descriptor
            }
            close(descriptor)
            unlink(path)
        }
        throw SpoolError(.io, "create \(path): the name does not stay")
    }

    var size: Int { written.load(ordering: .relaxed) }

    /// Octets between two requests to the kernel to start writing: the sync at the end then has little left to do.
    private static let writebackStep = 1 << 20

    func append(_ octets: UnsafeRawBufferPointer) throws(SpoolError) {
        guard case .writing(let descriptor) = state.withLock({ $0 }) else {
            throw SpoolError(.closed, "\(path) is not open for writing")
        }
        let before = size
        var done = 0
        while done < octets.count {
            let count = write(descriptor, octets.baseAddress.map { $0 + done }, octets.count - done)
            if count > 0 { done += count } else if errno != EINTR { throw SpoolError(system: errno, "write \(path)") }
        }
        written.store(before + done, ordering: .relaxed)
        let step = Self.writebackStep
        if before / step != (before + done) / step {
            let start = (before / step) * step
            _ = clinux_start_writeback(descriptor, Int64(start), Int64(before + done - start))
        }
    }

    func finish() throws(SpoolError) {
        let current = state.withLock { $0 }
        switch current {
        case .finished, .stored: return
        case .discarded: throw SpoolError(.closed, "\(path) was discarded")
        case .writing(let descriptor):
            // A failed sync is final: the kernel may have dropped the pages, and a second call would lie.
            if fsync(descriptor) != 0 { throw SpoolError(system: errno, "sync \(path)") }
            try SpoolFolder.sync(folder: folder.largeFolder)
            state.withLock { if case .writing = $0 { $0 = .finished(descriptor: descriptor) } }
        }
    }

    /// The row that names the file is durable: from now on it belongs to the message.
    func markStored() {
        let descriptor = state.withLock { state -> Int32? in
            guard case .finished(let descriptor) = state else { return nil }
            state = .stored
            return descriptor
        }
        if let descriptor { close(descriptor) }
    }

    func discard() {
        let descriptor = state.withLock { state -> Int32? in
            switch state {
            case .writing(let descriptor), .finished(let descriptor):
                state = .discarded
                return descriptor
            case .stored, .discarded: return nil
            }
        }
        guard let descriptor else { return }
        unlink(path)
        close(descriptor)
    }

    /// Removes files that no row names and nobody writes.
    /// - Parameter isKnown: whether a row names this id.
    /// - Parameter keep: a folder to move them to instead, after a recovery that may have lost rows.
    /// - Returns: how many.
    static func sweep(
        _ folder: SpoolFolder, keep: String?, isKnown: (String) throws(SpoolError) -> Bool
    ) throws(SpoolError) -> Int {
        var swept = 0
        for name in try SpoolFolder.names(in: folder.largeFolder) {
            if try isKnown(name) { continue }
            let path = folder.large(name)
            let descriptor = clinux_open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0)
            if descriptor < 0 { continue }
            defer { close(descriptor) }
            // Whoever still writes it holds the lock; whoever committed it between our two looks has its row by now.
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { continue }
            if try isKnown(name) { continue }
            if let keep {
                mkdir(keep, 0o700)
                rename(path, "\(keep)/\(name)")
            } else {
                unlink(path)
            }
            swept += 1
        }
        return swept
    }
}
