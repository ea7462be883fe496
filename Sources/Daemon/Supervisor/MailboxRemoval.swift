import CLinux
import Glibc
import Store

/// Deletes a mailbox folder with everything in it, without following a link anywhere below its base.
enum MailboxRemoval {
    private static let deepest = 32

    /// - Returns: why it could not be deleted, English; `nil` when it is gone or was never there.
    static func remove(_ place: MailboxPlace) -> String? {
        var folder = clinux_open(place.base, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        guard folder >= 0 else { return errno == ENOENT ? nil : SmallFile.errorText(errno) }
        defer { close(folder) }
        for name in place.folders.dropLast() {
            let next = clinux_openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0)
            guard next >= 0 else { return errno == ENOENT ? nil : SmallFile.errorText(errno) }
            close(folder)
            folder = next
        }
        guard let last = place.folders.last else { return nil }
        return remove(last, in: folder, depth: 0)
    }

    private static func remove(_ name: String, in folder: Int32, depth: Int) -> String? {
        if unlinkat(folder, name, 0) == 0 { return nil }
        if errno == ENOENT { return nil }
        guard errno == EISDIR || errno == EPERM else { return SmallFile.errorText(errno) }
        guard depth < deepest else { return "folders are nested too deeply" }
        let own = clinux_openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0)
        guard own >= 0 else { return SmallFile.errorText(errno) }
        for entry in entries(of: own) {
            if let failure = remove(entry, in: own, depth: depth + 1) {
                close(own)
                return failure
            }
        }
        close(own)
        return unlinkat(folder, name, AT_REMOVEDIR) == 0 ? nil : SmallFile.errorText(errno)
    }

    private static func entries(of folder: Int32) -> [String] {
        let copy = fcntl(folder, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0, let listing = fdopendir(copy) else {
            if copy >= 0 { close(copy) }
            return []
        }
        defer { closedir(listing) }
        var names: [String] = []
        while let entry = readdir(listing) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}
