import CLinux
import Glibc

/// A message on its way from `tmp` to `new`. Closed with the last reference.
///
/// A crash must never leave a name in `new` whose content is missing, and after `commit` neither name nor content may
/// get lost. The portable way is two syncs a message: the file, then after the rename the folder. Where the file system
/// keeps the order of things (`NameSync`), the content is written back and waited for without a commit, and one fsync
/// commits the names of a whole batch: 64 messages cost one commit of the journal instead of 64 waits for one.
final class MaildirFile {
    let name: String
    let folder: Maildir
    private let descriptor: Int32

    init(_ descriptor: Int32, name: String, in folder: Maildir) {
        self.descriptor = descriptor
        self.name = name
        self.folder = folder
    }

    deinit { close(descriptor) }

    /// The content is complete: the device may begin with it while others are written.
    func start() {
        if folder.nameSync != .folder { _ = clinux_start_writeback(descriptor, 0, 0) }
    }

    /// Waits until the content is in the device's hands: from now on it may get names.
    func settle() throws(MailboxError) {
        if folder.nameSync != .folder, clinux_write_back(descriptor) == 0 { return }
        try sync()
    }

    /// Makes content and names durable, as `Maildir.nameSync` says.
    /// - Parameter folders: where it got a name.
    func commit(in folders: [Maildir]) throws(MailboxError) {
        if folder.nameSync == .folder {
            for folder in folders { try folder.sync() }
        } else {
            try sync()
        }
    }

    /// A failed sync is final: the kernel may have dropped the pages, and a second call would lie.
    private func sync() throws(MailboxError) {
        if fsync(descriptor) != 0 { throw MailboxError(system: errno, "sync \(folder.root.path)/\(name)") }
    }
}
