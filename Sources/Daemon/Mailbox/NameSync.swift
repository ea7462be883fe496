import CLinux
import Glibc
import Synchronization

/// What makes the names of files durable on a file system, content having been written back before they got them.
enum NameSync: Sendable {
    /// One fsync of the file that was renamed last commits every name before it: the file system has one journal, in
    /// the order of the changes (ext4 with a journal, XFS). Seen on ext4, with and without `fast_commit`, by mounting a
    /// copy of the device taken right after the fsync: all of 64 files in 8 folders were there, whole.
    case journal
    /// The fsync of a file commits its own names only (btrfs).
    case file
    /// Nothing is promised but the portable way: content before the rename, folder after it.
    case folder

    private static let known = Mutex<[UInt: NameSync]>([:])

    /// The rule of the file system that holds `folder`, found once for each device.
    static func of(_ folder: FolderHandle) -> NameSync {
        let device = folder.identity.device
        if let rule = known.withLock({ $0[device] }) { return rule }
        let rule: NameSync =
            switch clinux_file_system(folder.descriptor) {
            case 0xEF53: hasJournal(device) ? .journal : .folder  // ext2 to ext4
            case 0x5846_5342: .journal  // XFS
            case 0x9123_683E: .file  // btrfs
            default: .folder
            }
        known.withLock { $0[device] = rule }
        return rule
    }

    /// ext2 and ext4 share a number, and ext4 can be made without a journal; the kernel names the journal's thread.
    private static func hasJournal(_ device: UInt) -> Bool {
        let major = (device >> 8) & 0xFFF | (device >> 32) & ~0xFFF
        let minor = device & 0xFF | (device >> 12) & ~0xFF
        var target = [CChar](repeating: 0, count: 1024)
        let count = readlink("/sys/dev/block/\(major):\(minor)", &target, target.count)
        guard count > 0 else { return false }
        let path = target.prefix(count).map { UInt8(bitPattern: $0) }
        guard let name = path.split(separator: UInt8(ascii: "/")).last else { return false }
        return access("/sys/fs/ext4/\(String(decoding: name, as: UTF8.self))/journal_task", F_OK) == 0
    }
}
