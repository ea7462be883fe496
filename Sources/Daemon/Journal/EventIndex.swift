import CLinux
import Glibc
import Synchronization

/// Finds lines of the structured log by their keys, over any number of days, without reading the days. It lives beside
/// the log and is made from it alone: mail handling writes lines and knows nothing of it. `advance` is called by one
/// background thread; searches come from any thread at any time and read what is not indexed yet line by line.
///
/// Each block of 32 KiB of log leaves the hashes of its keys; sorted stretches of them are files in `log/index/`.
package final class EventIndex: Sendable {
    /// Entries of a stretch that are held in memory at most: 8 octets each.
    static let stretch = 1 << 20
    /// Octets of log that one step reads.
    static let step = 1 << 20

    struct Day: Sendable {
        var segments: [IndexSegment] = []
        /// Entries of the stretch that is being made, each step's sorted; it begins where the last segment ends.
        var pending: [[UInt64]] = []
        var pendingFrom = 0
        var pendingCount: Int { pending.reduce(0) { $0 + $1.count } }
        /// All lines that begin before it are indexed.
        var to = 0
    }

    let events: String
    /// `log/`.
    let folder: String
    private let place: String
    private let days = Mutex<[String: Day]>([:])

    /// - Parameter folder: `log/`.
    package init(folder: String) {
        events = "\(folder)/events"
        self.folder = folder
        place = "\(folder)/index"
        mkdir(place, 0o700)
        load()
    }

    /// Stretches of an earlier run; what does not fit together is made anew.
    private func load() {
        guard let listing = opendir(place) else { return }
        defer { closedir(listing) }
        var names: [String] = []
        while let entry = readdir(listing) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasSuffix(".idx") { names.append(name) }
        }
        days.withLock { days in
            for name in names.sorted() {
                let day = String(name.prefix(8))
                var known = days[day] ?? Day()
                guard let segment = IndexSegment(path: "\(place)/\(name)"), segment.from == known.to else {
                    unlink("\(place)/\(name)")
                    continue
                }
                known.segments.append(segment)
                known.to = segment.to
                known.pendingFrom = segment.to
                days[day] = known
            }
        }
    }

    // MARK: - Making it

    /// Indexes the next part of what was written, the newest day first.
    /// - Returns: `false` when nothing is left to do now.
    package func advance() -> Bool {
        let written = LogFolder.days(in: events)
        forget(except: Set(written))
        for day in written.reversed() {
            guard let file = DayFile("\(events)/\(day).log") else { continue }
            let state = days.withLock { $0[day] ?? Day() }
            if file.size < state.to {
                // Another file under the same name.
                reset(day)
                return true
            }
            if file.size > state.to, take(day, file, from: state.to) { return true }
        }
        return false
    }

    /// - Returns: `false` when there is no whole line yet.
    private func take(_ day: String, _ file: DayFile, from: Int) -> Bool {
        let octets = file.read(at: from, count: Self.step)
        guard let last = octets.lastIndex(of: 10) else {
            // A line longer than a step is none of ours: passed over.
            guard octets.count == Self.step else { return false }
            days.withLock { $0[day, default: Day()].to = from + octets.count }
            return true
        }
        let entries = Self.entries(octets[...last], from: from)
        let full: Day? = days.withLock { days in
            days[day, default: Day()].pending.append(entries)
            days[day]?.to = from + last + 1
            return days[day].flatMap { $0.pendingCount >= Self.stretch ? $0 : nil }
        }
        if let full { close(day, full) }
        return true
    }

    private static func entries(_ octets: ArraySlice<UInt8>, from: Int) -> [UInt64] {
        var seen = Set<UInt64>()
        octets.withUnsafeBytes { octets in
            var start = 0
            while start < octets.count {
                let rest = octets.count - start
                guard let base = octets.baseAddress, let end = memchr(base.advanced(by: start), 10, rest) else { break }
                let length = UnsafeRawPointer(end) - base - start
                let block = (from + start) / IndexSegment.blockOctets
                IndexKeys.forEach(in: UnsafeRawBufferPointer(rebasing: octets[start..<(start + length)])) {
                    seen.insert(IndexSegment.entry($0, block: block))
                }
                start += length + 1
            }
        }
        return seen.sorted()
    }

    /// Puts a full stretch on disk.
    private func close(_ day: String, _ state: Day) {
        let number = String(state.segments.count)
        let name = "\(day).\(String(repeating: "0", count: max(0, 5 - number.count)))\(number).idx"
        // A disk that is full costs searches their speed, nothing else; it is tried again with the next step.
        guard
            let segment = IndexSegment.write(
                Array(state.pending.joined()), from: state.pendingFrom, to: state.to, path: "\(place)/\(name)")
        else { return }
        days.withLock { days in
            days[day]?.segments.append(segment)
            days[day]?.pending = []
            days[day]?.pendingFrom = segment.to
        }
    }

    private func reset(_ day: String) {
        let old = days.withLock { $0.removeValue(forKey: day) }
        for segment in old?.segments ?? [] { unlink(segment.path) }
    }

    /// The log of a day was deleted: so is its index.
    private func forget(except days: Set<String>) {
        let gone = self.days.withLock { $0.keys.filter { !days.contains($0) } }
        for day in gone { reset(day) }
    }

    // MARK: - Looking

    /// Blocks of a day that may hold the key, newest first; lines behind `unindexed` are in none of them.
    func blocks(of hash: UInt32, on day: String) -> (blocks: [Int], unindexed: Int) {
        guard let state = days.withLock({ $0[day] }) else { return ([], 0) }
        var found: [Int] = []
        // Stretches follow each other: only the block at a border may come twice.
        func add(_ blocks: [Int]) { found += blocks.first == found.last ? blocks[...].dropFirst() : blocks[...] }
        for segment in state.segments { add(segment.blocks(of: hash)) }
        for run in state.pending { add(IndexSegment.blocks(of: hash, in: run)) }
        return (found.reversed(), state.to)
    }

    /// Octets of log that are not indexed yet, for tests and the state of the server.
    package var backlog: Int {
        LogFolder.days(in: events).reduce(0) { sum, day in
            let size = DayFile("\(events)/\(day).log")?.size ?? 0
            return sum + max(0, size - days.withLock { $0[day]?.to ?? 0 })
        }
    }
}
