import CLinux
import Glibc
import MailModel

/// One Maildir, open: its folders and the names in them.
///
/// A message's name is made of its queue id and the position of the recipient, and of nothing else that could change:
/// `<seconds>.Q<id>R<index>.epost,S=<octets>`. So a repetition after a crash finds what an earlier attempt stored.
struct Maildir: Sendable {
    let root: FolderHandle
    /// How names become durable here.
    let nameSync: NameSync
    private let temporary: FolderHandle
    private let new: FolderHandle

    /// Opens it; makes what is missing, at the first delivery all of it.
    init(_ location: MailboxLocation) throws(MailboxError) {
        var folder = try FolderHandle.base(location.base)
        for name in location.folders { folder = try folder.folder(name) }
        root = folder
        temporary = try folder.folder("tmp")
        new = try folder.folder("new")
        // Readers expect it; here it is opened when it is searched.
        _ = try folder.folder("cur")
        nameSync = NameSync.of(new)
    }

    /// Whether the folders that it writes to still stand where their paths say.
    var isInPlace: Bool {
        FolderHandle.identity(atPath: root.path) == root.identity && root.identity(of: "new") == new.identity
            && root.identity(of: "tmp") == temporary.identity
    }

    /// Opens the top folder of a mailbox; `nil` when it does not exist.
    static func existingRoot(_ location: MailboxLocation) throws(MailboxError) -> FolderHandle? {
        var folder = try FolderHandle.base(location.base)
        for name in location.folders {
            guard let below = try folder.existing(name) else { return nil }
            folder = below
        }
        return folder
    }

    /// The part of a name that a repetition has again, whatever size or flags follow.
    static func stem(id: QueueID, index: Int) -> String {
        "\(id.milliseconds / 1000).Q\(id)R\(index).epost"
    }

    static func name(id: QueueID, index: Int, size: Int) -> String { "\(stem(id: id, index: index)),S=\(size)" }

    /// Whether an earlier attempt stored the message, whole.
    /// - Parameter looksInCurrent: also among the messages that a reader has seen; reads the whole folder.
    func holds(_ name: String, size: Int, looksInCurrent: Bool) throws(MailboxError) -> Bool {
        if let info = new.status(name) { return isWhole(info, size) }
        guard looksInCurrent, let end = name.lastIndex(of: ",") else { return false }
        let stem = name[...end]
        var isThere = false
        for folder in [new, try root.folder("cur")] where !isThere {
            try folder.forEachName { other throws(MailboxError) in
                if other.hasPrefix(stem), let info = folder.status(other) { isThere = isWhole(info, size) }
                return !isThere
            }
        }
        return isThere
    }

    /// A power cut may have left a name without its content; such a file is written again.
    private func isWhole(_ info: stat, _ size: Int) -> Bool {
        info.st_mode & S_IFMT == S_IFREG && Int(info.st_size) == size
    }

    /// Writes header and content to `tmp`, and starts its way to the device.
    func write(_ name: String, _ delivery: MailboxDelivery) throws(MailboxError) -> MaildirFile {
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        var descriptor = clinux_openat(temporary.descriptor, name, flags, 0o600)
        if descriptor < 0, errno == EEXIST {
            // Left by an attempt that a crash cut off.
            unlinkat(temporary.descriptor, name, 0)
            descriptor = clinux_openat(temporary.descriptor, name, flags, 0o600)
        }
        guard descriptor >= 0 else { throw MailboxError(system: errno, "create \(temporary.path)/\(name)") }
        let file = MaildirFile(descriptor, name: name, in: self)
        do throws(MailboxError) {
            switch delivery.content {
            case .octets(let octets): try OctetCopy.write(delivery.header, octets, to: descriptor)
            case .file(let source, let size, _):
                try OctetCopy.write(delivery.header, [], to: descriptor)
                try OctetCopy.copy(size, from: source, to: descriptor)
            }
            file.start()
            return file
        } catch {
            unlinkat(temporary.descriptor, name, 0)
            throw error
        }
    }

    /// Gives what lies in `tmp` its name in `new`.
    func publish(_ name: String) throws(MailboxError) {
        if renameat(temporary.descriptor, name, new.descriptor, name) != 0 {
            let code = errno
            unlinkat(temporary.descriptor, name, 0)
            throw MailboxError(system: code, "rename to \(new.path)/\(name)")
        }
    }

    /// Gives a file that lies in another `tmp` a name in this `new`, too.
    /// - Returns: `false` when the two folders cannot share a file.
    func link(_ name: String, to file: MaildirFile) throws(MailboxError) -> Bool {
        // What a cut-off attempt left under the name is not whole, or it would have been found.
        if new.contains(name) { unlinkat(new.descriptor, name, 0) }
        if linkat(file.folder.temporary.descriptor, file.name, new.descriptor, name, 0) == 0 { return true }
        switch errno {
        case EXDEV, EMLINK, EPERM, EOPNOTSUPP: return false
        default: throw MailboxError(system: errno, "link \(new.path)/\(name)")
        }
    }

    /// Takes back what lies in `tmp`.
    func discard(_ name: String) { unlinkat(temporary.descriptor, name, 0) }

    /// Takes back a name whose content could not be made durable.
    func withdraw(_ name: String) { unlinkat(new.descriptor, name, 0) }

    /// Makes the names in `new` durable.
    func sync() throws(MailboxError) { try new.sync() }
}

/// Whole writes, whatever the kernel takes at a time.
enum OctetCopy {
    /// Octets copied at a time: what a delivery holds in memory of large content.
    private static let step = 256 << 10

    /// Header and content, at one go where the kernel takes them.
    static func write(_ header: [UInt8], _ octets: [UInt8], to descriptor: Int32) throws(MailboxError) {
        let (total, isTooLarge) = header.count.addingReportingOverflow(octets.count)
        guard !isTooLarge else { throw MailboxError(.io, "write: too large") }
        let count = header.withUnsafeBytes { first in
            octets.withUnsafeBytes { second in
                let parts = [
                    iovec(iov_base: UnsafeMutableRawPointer(mutating: first.baseAddress), iov_len: first.count),
                    iovec(iov_base: UnsafeMutableRawPointer(mutating: second.baseAddress), iov_len: second.count),
                ]
                return writev(descriptor, parts, 2)
            }
        }
        if count == total { return }
        let done = max(0, count)
        try write(Array(header.dropFirst(done)), to: descriptor)
        try write(Array(octets.dropFirst(max(0, done - header.count))), to: descriptor)
    }

    static func write(_ octets: [UInt8], to descriptor: Int32) throws(MailboxError) {
        let code = octets.withUnsafeBytes { write($0, to: descriptor) }
        if code != 0 { throw MailboxError(system: code, "write") }
    }

    static func copy(_ size: Int, from source: Int32, to descriptor: Int32) throws(MailboxError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: min(step, max(size, 1)), alignment: 16)
        defer { buffer.deallocate() }
        var position = 0
        while position < size {
            let got = pread(source, buffer.baseAddress, min(buffer.count, size - position), off_t(position))
            if got < 0 {
                if errno == EINTR { continue }
                throw MailboxError(.io, "read content: \(String(cString: strerror(errno)))")
            }
            if got == 0 { throw MailboxError(.io, "content ends after \(position) of \(size) octets") }
            let code = write(UnsafeRawBufferPointer(rebasing: buffer[..<got]), to: descriptor)
            if code != 0 { throw MailboxError(system: code, "write") }
            position += got
        }
    }

    /// - Returns: 0, or the errno.
    private static func write(_ octets: UnsafeRawBufferPointer, to descriptor: Int32) -> Int32 {
        var done = 0
        while done < octets.count {
            let count = Glibc.write(descriptor, octets.baseAddress.map { $0 + done }, octets.count - done)
            if count > 0 { done += count } else if errno != EINTR { return errno }
        }
        return 0
    }
}
