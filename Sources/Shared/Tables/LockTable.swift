import MailModel

/// rejectsmtpip.dat, and its twin for accounts, rejectsmtpuser.dat: who is locked out (field notes A8b). A line is
/// `subject stamp [word]`: with a time stamp locked until the lock time has passed, without one for ever. The word
/// `iplock` says that too many connections were the cause; `allow` exempts from locks. A faulty line disables itself
/// and no other.
package struct LockTable: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        case address
        case account
        package var fileName: String { self == .address ? "rejectsmtpip.dat" : "rejectsmtpuser.dat" }
    }
    package enum Word: String, Hashable, Sendable {
        case iplock
        case allow
    }

    package struct Entry: Hashable, Sendable {
        /// From 1.
        package let line: Int
        /// As it stands: an address, range or wildcard, or a folded `account@domain`.
        package let subject: String
        package let pattern: IPPattern?
        /// When it was locked, seconds since 1970; `nil`: for ever.
        package let since: Int64?
        package let word: Word?
    }

    package let kind: Kind
    package let entries: [Entry]
    package let lines: TableText
    /// Places of entries that name one subject.
    private let places: [String: [Int]]
    /// Places of the others, in order.
    private let ranges: [Int]

    package var text: String { lines.text }

    package init(kind: Kind) { self.init(kind: kind, entries: [], lines: TableText(lines: [])) }

    private init(kind: Kind, entries: [Entry], lines: TableText) {
        self.kind = kind
        self.entries = entries
        self.lines = lines
        var places: [String: [Int]] = [:]
        var ranges: [Int] = []
        for (index, entry) in entries.enumerated() {
            if let pattern = entry.pattern, !pattern.isSingle {
                ranges.append(index)
            } else {
                places[entry.subject, default: []].append(index)
            }
        }
        self.places = places
        self.ranges = ranges
    }

    // MARK: Asking

    /// Entries for an address: those that name it, then ranges that hold it.
    package func entries(for address: IPAddress) -> [Entry] {
        (places[address.description] ?? []).map { entries[$0] }
            + ranges.lazy.map { entries[$0] }.filter { $0.pattern?.contains(address) == true }
    }

    package func entries(for account: String) -> [Entry] { (places[account] ?? []).map { entries[$0] } }

    // MARK: Reading

    package static func read(_ text: TableText, kind: Kind) -> TableReading<LockTable> {
        var entries: [Entry] = []
        var problems: [TableProblem] = []
        for (index, line) in text.lines.enumerated() {
            let fields = line.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == "," })
            guard let first = fields.first, !first.hasPrefix("'"), !first.hasPrefix("#") else { continue }
            if let entry = entry(index + 1, fields, kind) {
                entries.append(entry)
            } else {
                problems.append(
                    TableProblem(
                        line: index + 1, text: TableText.shown(line), code: "table.lock.line",
                        message: "A line has the form: address or account, time stamp or nothing, iplock or allow.",
                        isWarning: true))
            }
        }
        return TableReading(value: LockTable(kind: kind, entries: entries, lines: text), problems: problems)
    }

    private static func entry(_ line: Int, _ fields: [Substring], _ kind: Kind) -> Entry? {
        guard (1...3).contains(fields.count), let (subject, pattern) = subject(fields[0], kind) else { return nil }
        var since: Int64?
        var word: Word?
        for field in fields.dropFirst() {
            if since == nil, word == nil, let stamp = stamp(field) {
                since = stamp
            } else if word == nil, let known = Word(rawValue: field.lowercased()) {
                word = known
            } else {
                return nil
            }
        }
        return Entry(line: line, subject: subject, pattern: pattern, since: since, word: word)
    }

    /// The form in which a subject is compared and written; `nil` when it is none.
    package static func subject(_ text: some StringProtocol, _ kind: Kind) -> (text: String, pattern: IPPattern?)? {
        switch kind {
        case .address:
            guard let pattern = IPPattern(text) else { return nil }
            return (IPAddress(text)?.description ?? text.lowercased(), pattern)
        case .account:
            guard text.utf8.count <= 320, let at = text.lastIndex(of: "@"), at != text.startIndex else { return nil }
            return (text.lowercased(), nil)
        }
    }

    /// Seconds since 1970, or the days since 30 December 1899 that spreadsheets and the original's system count.
    private static func stamp(_ text: some StringProtocol) -> Int64? {
        guard text.utf8.count <= 20, text.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }),
            let value = Double(String(text)), value >= 0, value < 1e12
        else { return nil }
        let daysBefore1970 = 25_569.0
        return value >= 1e6 ? Int64(value) : Int64((value - daysBefore1970) * 86_400)
    }

    // MARK: Writing

    /// With one more line; what stood there of the same subject goes.
    package func adding(_ subject: String, since: Int64?, word: Word?) -> LockTable {
        var lines = removing(subject).lines.lines
        lines.append([subject, since.map(String.init), word?.rawValue].compactMap(\.self).joined(separator: " "))
        return LockTable.read(TableText(lines: lines), kind: kind).value
    }

    package func removing(_ subject: String) -> LockTable { keeping { $0.subject != subject } }

    /// Without locks that are over. Everything else stays as it is, faulty lines too.
    /// - Parameter lockTime: seconds; 0: they end by hand only.
    package func pruned(now: Int64, lockTime: Int) -> LockTable {
        lockTime <= 0 ? self : keeping { !Self.isOver($0, now: now, lockTime: lockTime) }
    }

    package static func isOver(_ entry: Entry, now: Int64, lockTime: Int) -> Bool {
        guard let since = entry.since, entry.word != .allow, lockTime > 0 else { return false }
        // A stamp in the future is a clock that was set back: the lock ends as if it were made now.
        return now >= since && now - since >= Int64(lockTime)
    }

    private func keeping(_ isKept: (Entry) -> Bool) -> LockTable {
        let gone = Set(entries.filter { !isKept($0) }.map(\.line))
        guard !gone.isEmpty else { return self }
        let left = lines.lines.enumerated().filter { !gone.contains($0.offset + 1) }.map(\.element)
        return LockTable.read(TableText(lines: left), kind: kind).value
    }
}
