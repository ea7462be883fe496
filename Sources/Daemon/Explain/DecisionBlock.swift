import Glibc
import MailModel
import Policy

/// Records of refusals that are written together, as octets.
///
/// A flood tells the same story over and over, so each record stands as what differs from the last one of its reason.
/// That makes the octets few, which is what writing them costs, and the encoding little more than comparing.
///
/// Layout, numbers as LEB128: per record the time since the one before (zigzag), then 0 and the reason's text, or 1 + the
/// number of the record that it differs from; then the fields in the order of `append`. A text is 0 (as there), 1 (none)
/// or 2 + its length and its UTF-8. `DecisionBlockReader` is the other half.
struct DecisionBlock: Sendable {
    /// What a record was decided from.
    struct Facts: Sendable, Codable {
        /// The record's number in the block.
        let item: Int
        /// Refusals that it stands for.
        let weight: Int
        let evidence: Evidence
    }
    /// How often a reason comes in the block, and its last record.
    struct Tally: Sendable, Codable {
        var reason: Reason
        var count: Int
        var time: Int64
        var item: Int
    }

    static let version: UInt8 = 1
    /// Records of a block at most.
    static let most = 512
    /// Octets at which one is full: names that clients make up may be long.
    private static let fullOctets = 256 << 10
    /// Milliseconds that the times of a block may lie apart: blocks go as a whole when they are old.
    private static let span: UInt64 = 60_000

    private(set) var count = 0
    /// Of the earliest and the latest record.
    private(set) var first: Int64 = .max
    private(set) var last: Int64 = .min
    private(set) var octets: [UInt8] = [version]
    /// The raw values of the references, 8 octets each.
    private(set) var references: [UInt8] = []
    private(set) var facts: [Facts] = []
    private(set) var tallies: [Tally] = []
    private var latest: Int64 = 0
    /// The last record of each tally's reason.
    private var models: [DecisionRecord] = []

    /// Whether a record of this time may join.
    func takes(_ time: Int64, limit: Int) -> Bool {
        guard count > 0 else { return true }
        let apart = UInt64(bitPattern: max(last, time) &- min(first, time))
        return count < limit && octets.count < Self.fullOctets && apart <= Self.span
    }

    mutating func append(_ record: DecisionRecord, _ evidence: Evidence?, weight: Int) {
        zigzag(record.time &- latest)
        latest = record.time
        first = min(first, record.time)
        last = max(last, record.time)
        references.append(contentsOf: record.reference.rawValue.utf8)
        if let evidence { facts.append(Facts(item: count, weight: weight, evidence: evidence)) }
        if let known = tallies.firstIndex(where: { $0.reason == record.verdict.reason }) {
            number(UInt64(tallies[known].item + 1))
            fields(of: record, like: models[known])
            models[known] = record
            tallies[known].count += 1
            tallies[known].time = record.time
            tallies[known].item = count
        } else {
            number(0)
            text(record.verdict.reason.rawValue, like: nil)
            fields(of: record, like: nil)
            models.append(record)
            tallies.append(Tally(reason: record.verdict.reason, count: 1, time: record.time, item: count))
        }
        count += 1
    }

    // MARK: Fields

    private mutating func fields(of record: DecisionRecord, like model: DecisionRecord?) {
        text(record.client, like: model?.client)
        text(record.listener, like: model?.listener)
        text(record.hello, like: model?.hello)
        octets.append(record.isTLS ? 1 : 0)
        text(record.authenticatedID, like: model?.authenticatedID)
        text(record.sender, like: model?.sender)
        text(record.recipient, like: model?.recipient)
        text(record.moment, like: model?.moment)
        zigzag(record.settingsRevision &- (model?.settingsRevision ?? 0))
        trail(record.verdict.trail, like: model?.verdict.trail ?? [])
        text(record.verdict.remedy, like: model?.verdict.remedy)
        text(record.verdict.detail, like: model?.verdict.detail)
        reply(of: record, like: model)
    }

    private mutating func trail(_ trail: [TrailStep], like model: [TrailStep]) {
        number(UInt64(trail.count))
        for (index, step) in trail.enumerated() {
            let known = index < model.count ? model[index] : nil
            text(step.check, like: known?.check)
            text(step.finding, like: known?.finding)
            source(step.source, like: known?.source)
            octets.append(step.decided ? 1 : 0)
        }
    }

    /// 0: as in the model; else which kind, and what belongs to it.
    private mutating func source(_ source: RuleSource?, like model: RuleSource?) {
        switch (source, model) {
        case (nil, _): octets.append(1)
        case (.table(let file, let line), .table(let known, let place)) where line == place && Self.isSame(file, known):
            octets.append(0)
        case (.setting(let key), .setting(let known)) where Self.isSame(key, known): octets.append(0)
        case (.builtIn(let name), .builtIn(let known)) where Self.isSame(name, known): octets.append(0)
        case (.table(let file, let line), _):
            octets.append(2)
            text(file, like: nil)
            zigzag(Int64(line))
        case (.setting(let key), _):
            octets.append(3)
            text(key, like: nil)
        case (.builtIn(let name), _):
            octets.append(4)
            text(name, like: nil)
        }
    }

    /// The reference at the end of a reply is no news.
    private mutating func reply(of record: DecisionRecord, like model: DecisionRecord?) {
        let reply = record.reply
        zigzag(Int64(reply.code))
        octets.append(reply.enhanced == nil ? 0 : 1)
        if let enhanced = reply.enhanced {
            for part in [enhanced.status, enhanced.subject, enhanced.detail] { zigzag(Int64(part)) }
        }
        number(UInt64(reply.lines.count))
        for (index, line) in reply.lines.enumerated() {
            var known: String?
            if let model, index < model.reply.lines.count { known = Self.plain(model.reply.lines[index], model).text }
            let (plain, isNamed) = Self.plain(line, record)
            octets.append(isNamed ? 1 : 0)
            text(plain, like: known)
        }
    }

    /// A line without the record's reference behind it: ` (ref 7K2Q-93HD)`.
    static func plain(_ line: String, _ record: DecisionRecord) -> (text: String, isNamed: Bool) {
        let suffix = 16
        let isNamed = line.utf8.withContiguousStorageIfAvailable { octets in
            record.reference.rawValue.utf8.withContiguousStorageIfAvailable { name in
                guard octets.count >= suffix, name.count == 8 else { return false }
                let end = octets[(octets.count - suffix)...]
                return end.prefix(6).elementsEqual(" (ref ".utf8)
                    && end.dropFirst(6).prefix(4).elementsEqual(name[..<4])
                    && end.dropFirst(10).first == UInt8(ascii: "-")
                    && end.dropFirst(11).prefix(4).elementsEqual(name[4...]) && end.last == UInt8(ascii: ")")
            }
        }
        guard (isNamed ?? nil) == true else { return (line, false) }
        return (String(line.utf8.dropLast(suffix)) ?? line, true)
    }

    // MARK: Octets

    private mutating func text(_ text: String?, like model: String?) {
        guard let text else { return octets.append(model == nil ? 0 : 1) }
        if let model, Self.isSame(text, model) { return octets.append(0) }
        number(UInt64(text.utf8.count) + 2)
        octets.append(contentsOf: text.utf8)
    }

    /// Octet for octet: canonical equivalence is not enough to be quoted.
    private static func isSame(_ one: String, _ other: String) -> Bool {
        let same = one.utf8.withContiguousStorageIfAvailable { one in
            other.utf8.withContiguousStorageIfAvailable { other in
                guard one.count == other.count else { return false }
                guard let first = one.baseAddress, let second = other.baseAddress else { return one.isEmpty }
                return memcmp(first, second, one.count) == 0
            }
        }
        return (same ?? nil) ?? one.utf8.elementsEqual(other.utf8)
    }

    private mutating func zigzag(_ value: Int64) {
        number(UInt64(bitPattern: (value << 1) ^ (value >> 63)))
    }

    private mutating func number(_ value: UInt64) {
        var rest = value
        while rest > 0x7F {
            octets.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        octets.append(UInt8(truncatingIfNeeded: rest))
    }
}
