import Glibc

/// A file that holds one secret key, mode 0600.
package enum KeyFile {
    /// - Parameter octets: how many it may have; at most 4,096.
    /// - Returns: `nil` when there is no such file, or its length is another; links are not followed.
    package static func read(_ path: String, octets: ClosedRange<Int>) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var key = [UInt8](repeating: 0, count: min(octets.upperBound, 4096) + 1)
        let count = Glibc.read(descriptor, &key, key.count)
        return octets.contains(count) ? Array(key.prefix(count)) : nil
    }

    /// Makes a key where there is none. A whole file appears under its name or none, whatever is cut off: another
    /// process may be making it too, and the first one wins.
    /// - Returns: errno, or `nil` when there is a file now.
    package static func make(_ path: String, octets: Int) -> Int32? {
        guard let key = Random.octets(octets) else { return EIO }
        let draft = "\(path).\(getpid()).\(UInt32.random(in: 0 ... .max))"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return errno }
        defer { unlink(draft) }
        let written = write(descriptor, key, key.count)
        let isSafe = written == key.count && fsync(descriptor) == 0
        let code = written >= 0 && written < key.count ? ENOSPC : errno
        close(descriptor)
        guard isSafe else { return code }
        return link(draft, path) == 0 || errno == EEXIST ? nil : errno
    }
}
