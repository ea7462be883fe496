import CLinux
import Glibc

/// A finished part of the index: sorted pairs of a key's hash and the number of a block of a day's log, for a stretch of
/// that log. Written once, whole, and never changed.
struct IndexSegment: Sendable {
    /// Octets of log in one block: what one hit costs to read.
    static let blockOctets = 32 << 10
    private static let magic: UInt64 = 0x3158_4449_5450_4531  // "1EPTIDX1"
    private static let headOctets = 32

    let path: String
    /// Where it begins and ends in the day's log.
    let from: Int
    let to: Int
    let count: Int

    /// `nil` when there is no sound segment.
    init?(path: String) {
        let descriptor = clinux_open(path, O_RDONLY | O_CLOEXEC, 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        let head = Self.words(descriptor, at: 0, count: 4)
        guard fstat(descriptor, &status) == 0, head.count == 4, head[0] == Self.magic,
            let from = Int(exactly: head[1]), let to = Int(exactly: head[2]), let count = Int(exactly: head[3]),
            from <= to, count <= 1 << 32, Int(status.st_size) == Self.headOctets + count * 8
        else { return nil }
        self.path = path
        self.from = from
        self.to = to
        self.count = count
    }

    /// Sorts the entries and writes them; a crash leaves the old state.
    static func write(_ entries: [UInt64], from: Int, to: Int, path: String) -> IndexSegment? {
        let words = [magic, UInt64(from), UInt64(to), UInt64(entries.count)] + entries.sorted()
        let draft = path + ".new"
        let descriptor = clinux_open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return nil }
        let isWritten = words.withUnsafeBytes { octets in
            var done = 0
            while done < octets.count {
                let count = Glibc.write(descriptor, octets.baseAddress?.advanced(by: done), octets.count - done)
                if count < 0, errno == EINTR { continue }
                if count <= 0 { return false }
                done += count
            }
            return true
        }
        // Not synced: what a power cut takes is read from the log again, and the size tells a torn file.
        guard close(descriptor) == 0, isWritten, rename(draft, path) == 0 else {
            unlink(draft)
            return nil
        }
        return IndexSegment(path: path)
    }

    static func entry(_ hash: UInt32, block: Int) -> UInt64 {
        UInt64(hash) << 32 | UInt64(UInt32(truncatingIfNeeded: block))
    }

    /// Blocks that hold the key, ascending.
    func blocks(of hash: UInt32) -> [Int] {
        let descriptor = clinux_open(path, O_RDONLY | O_CLOEXEC, 0)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        let wanted = UInt64(hash) << 32
        var low = 0
        var high = count
        while high - low > 512 {
            let middle = (low + high) / 2
            guard let value = Self.words(descriptor, at: Self.headOctets + middle * 8, count: 1).first else {
                return []
            }
            if value < wanted { low = middle } else { high = middle }
        }
        var found: [Int] = []
        while low < count {
            let words = Self.words(descriptor, at: Self.headOctets + low * 8, count: min(1_024, count - low))
            if words.isEmpty { return found }
            for word in words where word >= wanted {
                guard word >> 32 == UInt64(hash) else { return found }
                found.append(Int(UInt32(truncatingIfNeeded: word)))
            }
            low += words.count
        }
        return found
    }

    /// As `blocks(of:)` in sorted entries that are in memory.
    static func blocks(of hash: UInt32, in entries: [UInt64]) -> [Int] {
        let wanted = UInt64(hash) << 32
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle] < wanted { low = middle + 1 } else { high = middle }
        }
        return entries[low...].prefix { $0 >> 32 == UInt64(hash) }.map { Int(UInt32(truncatingIfNeeded: $0)) }
    }

    private static func words(_ descriptor: Int32, at offset: Int, count: Int) -> [UInt64] {
        var words = [UInt64](repeating: 0, count: count)
        let read = words.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, off_t(offset)) }
        return read == count * 8 ? words : Array(words.prefix(max(0, read) / 8))
    }
}
