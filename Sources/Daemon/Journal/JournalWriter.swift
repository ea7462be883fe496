import CLinux
import Glibc
import MailModel
import MessageFormat

/// The thread's side of `Journal`: files, day change, retention, trouble. Used by one thread only.
final class JournalWriter: @unchecked Sendable {
    // Sendable by hand: the two closures are set before the first event; the rest is touched by the worker's only thread.
    var settings: () -> JournalSettings = { JournalSettings() }
    var takeDropped: () -> Int = { 0 }

    private let folder: String
    private let host: String
    private let clock: @Sendable () -> (time: Int64, utcOffset: Int)
    private let warn: @Sendable (String) -> Void
    private var day = ""
    private var files: [LogFolder: LogFile] = [:]
    /// Lines that could not be written.
    private var held: [LogFolder: [UInt8]] = [:]
    private var lastWarning: [LogFolder: Int64] = [:]

    /// Octets that are kept of each log while it cannot be written.
    static let heldOctets = 1 << 20
    /// Milliseconds between two warnings about one log (R-LOG-12).
    static let warningInterval: Int64 = 60_000

    init(
        folder: String, host: String, clock: @escaping @Sendable () -> (time: Int64, utcOffset: Int),
        warn: @escaping @Sendable (String) -> Void
    ) {
        self.folder = folder
        self.host = host
        self.clock = clock
        self.warn = warn
    }

    func write(_ events: [LogEvent]) {
        let (now, utcOffset) = clock()
        let settings = settings()
        change(to: MailDate(milliseconds: now, offsetSeconds: utcOffset).dayText, now, utcOffset, settings)
        var pending: [LogFolder: [UInt8]] = [:]
        for event in events + lost(now) {
            EventText.json(event, into: &pending[.events, default: []])
            guard settings.textLogs.contains(event.kind), let log = LogFolder(event.kind) else { continue }
            EventText.line(event, host: host, utcOffset: utcOffset, into: &pending[log, default: []])
        }
        for (log, octets) in pending { append(octets, to: log, now, settings) }
    }

    private func lost(_ now: Int64) -> [LogEvent] {
        let count = takeDropped()
        guard count > 0 else { return [] }
        return [
            LogEvent(
                time: now, service: "LOG", kind: .system, level: .warning,
                text: "\(count) events were not written: the disk did not follow")
        ]
    }

    private func append(_ octets: [UInt8], to log: LogFolder, _ now: Int64, _ settings: JournalSettings) {
        let place = log.path(below: folder, host: host)
        if let known = files[log], !known.isStillThere(folder: place, day: day) { files[log] = nil }
        let file = files[log] ?? LogFile(folder: place, day: day)
        files[log] = file
        let lines = (held.removeValue(forKey: log) ?? []) + octets
        guard let file else { return failed(log, errno, lines, now, settings) }
        let (done, error) = file.append(lines)
        if error != 0 { failed(log, error, Array(lines[done...]), now, settings) }
    }

    /// What could not be written waits for better times, as far as there is room.
    private func failed(_ log: LogFolder, _ error: Int32, _ rest: [UInt8], _ now: Int64, _ settings: JournalSettings) {
        files[log] = nil
        if rest.count <= Self.heldOctets {
            held[log] = rest
        } else {
            // The beginning is kept: it says how the trouble began. The cut is at the end of a line.
            held[log] = Array(rest[...(rest[..<Self.heldOctets].lastIndex(of: 10) ?? 0)])
        }
        guard settings.warnsOnWriteFailure, now - (lastWarning[log] ?? .min / 2) >= Self.warningInterval else { return }
        lastWarning[log] = now
        warn(
            "epost: the log \(log.path(below: folder, host: host)) cannot be written: \(String(cString: strerror(error)))"
        )
    }

    private func change(to today: String, _ now: Int64, _ utcOffset: Int, _ settings: JournalSettings) {
        guard today != day else { return }
        day = today
        files = [:]
        let oldest = now - Int64(settings.keepDays) * 86_400_000
        let limit = MailDate(milliseconds: oldest, offsetSeconds: utcOffset).dayText
        for log in LogFolder.allCases { Self.prune(log.path(below: folder, host: host), before: limit) }
    }

    /// Deletes the days before `limit`; nothing else in the folder is touched.
    static func prune(_ folder: String, before limit: String) {
        for name in LogFolder.days(in: folder) where name < limit { unlink("\(folder)/\(name).log") }
    }
}

/// Where each log lies below `log/`.
enum LogFolder: String, Hashable, CaseIterable {
    case events, inlog, outlog, outlocallog, acceptlog, senderlog, faillog

    init?(_ kind: LogEvent.Kind) {
        switch kind {
        case .receive: self = .inlog
        case .send: self = .outlog
        case .accept: self = .acceptlog
        case .sender: self = .senderlog
        case .fail: self = .faillog
        case .local: self = .outlocallog
        case .session, .system: return nil
        }
    }

    func path(below folder: String, host: String) -> String {
        self == .events ? "\(folder)/events" : "\(folder)/\(rawValue)/\(host)"
    }

    /// The days that have a file, oldest first.
    static func days(in folder: String) -> [String] {
        guard let handle = opendir(folder) else { return [] }
        defer { closedir(handle) }
        var found: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { octets in
                String(decoding: octets.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard name.utf8.count == 12, name.hasSuffix(".log") else { continue }
            let day = name.dropLast(4)
            if day.utf8.allSatisfy({ (0x30...0x39).contains($0) }) { found.append(String(day)) }
        }
        return found.sorted()
    }
}
