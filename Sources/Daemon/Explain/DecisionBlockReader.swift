import MailModel

/// Reads what `DecisionBlock` wrote. Octets from a damaged disk end the reading, nothing else.
struct DecisionBlockReader {
    private struct Damaged: Error {}
    private let octets: [UInt8]
    private let references: [UInt8]
    private var position = 0

    private init(_ octets: [UInt8], _ references: [UInt8]) {
        self.octets = octets
        self.references = references
    }

    /// All records of a block, in the order of their numbers; those behind a damage, or of a version that is not known
    /// here, are missing.
    /// - Parameter end: number of the last one that is needed.
    static func records(_ octets: [UInt8], references: [UInt8], upTo end: Int = .max) -> [DecisionRecord] {
        var reader = DecisionBlockReader(octets, references)
        var records: [DecisionRecord] = []
        guard (try? reader.octet()) == DecisionBlock.version else { return [] }
        var time: Int64 = 0
        while records.count <= end, reader.position < octets.count {
            guard let record = try? reader.record(&time, records) else { break }
            records.append(record)
        }
        return records
    }

    private mutating func record(_ time: inout Int64, _ before: [DecisionRecord]) throws(Damaged) -> DecisionRecord {
        time = time &+ (try zigzag())
        let start = before.count * 8
        guard start + 8 <= references.count,
            let reference = DecisionReference(String(decoding: references[start..<start + 8], as: UTF8.self))
        else { throw Damaged() }
        let named = try number()
        var model: DecisionRecord?
        var reason: Reason?
        if named == 0 {
            reason = Reason(rawValue: try needed(nil))
        } else {
            guard named <= UInt64(before.count) else { throw Damaged() }
            model = before[Int(named - 1)]
            reason = model?.verdict.reason
        }
        guard let reason else { throw Damaged() }
        return try fields(reference, time, reason, model)
    }

    private mutating func fields(
        _ reference: DecisionReference, _ time: Int64, _ reason: Reason, _ model: DecisionRecord?
    ) throws(Damaged) -> DecisionRecord {
        let client = try needed(model?.client)
        let listener = try needed(model?.listener)
        let hello = try text(model?.hello)
        let isTLS = try octet() == 1
        let authenticatedID = try text(model?.authenticatedID)
        let sender = try text(model?.sender)
        let recipient = try text(model?.recipient)
        let moment = try needed(model?.moment)
        let revision = (model?.settingsRevision ?? 0) &+ (try zigzag())
        let trail = try trail(model?.verdict.trail ?? [])
        let remedy = try text(model?.verdict.remedy)
        let detail = try text(model?.verdict.detail)
        return DecisionRecord(
            reference: reference, time: time, client: client, listener: listener, hello: hello, isTLS: isTLS,
            authenticatedID: authenticatedID, sender: sender, recipient: recipient, moment: moment,
            verdict: Verdict(reason, trail: trail, remedy: remedy, detail: detail), reply: try reply(reference, model),
            settingsRevision: revision)
    }

    private mutating func trail(_ model: [TrailStep]) throws(Damaged) -> [TrailStep] {
        var trail: [TrailStep] = []
        for _ in 0..<(try length()) {
            let known = trail.count < model.count ? model[trail.count] : nil
            let check = try needed(known?.check)
            let finding = try needed(known?.finding)
            let source = try source(known?.source)
            trail.append(TrailStep(check: check, finding: finding, source: source, decided: try octet() == 1))
        }
        return trail
    }

    private mutating func source(_ model: RuleSource?) throws(Damaged) -> RuleSource? {
        switch try octet() {
        case 0: return model
        case 1: return nil
        case 2:
            let file = try needed(nil)
            return .table(file: file, line: Int(truncatingIfNeeded: try zigzag()))
        case 3: return .setting(try needed(nil))
        case 4: return .builtIn(try needed(nil))
        default: throw Damaged()
        }
    }

    private mutating func reply(_ reference: DecisionReference, _ model: DecisionRecord?) throws(Damaged) -> Reply {
        let code = Int(truncatingIfNeeded: try zigzag())
        var enhanced: EnhancedCode?
        if try octet() == 1 {
            let status = Int(truncatingIfNeeded: try zigzag())
            let subject = Int(truncatingIfNeeded: try zigzag())
            enhanced = EnhancedCode(status, subject, Int(truncatingIfNeeded: try zigzag()))
        }
        var lines: [String] = []
        for index in 0..<(try length()) {
            var known: String?
            if let model, index < model.reply.lines.count {
                known = DecisionBlock.plain(model.reply.lines[index], model).text
            }
            let isNamed = try octet() == 1
            let plain = try needed(known)
            lines.append(isNamed ? plain + " (ref \(reference))" : plain)
        }
        return Reply(code, enhanced, lines: lines)
    }

    // MARK: Octets

    private mutating func octet() throws(Damaged) -> UInt8 {
        guard position < octets.count else { throw Damaged() }
        defer { position += 1 }
        return octets[position]
    }

    private mutating func number() throws(Damaged) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), through: 63, by: 7) {
            let octet = try octet()
            value |= UInt64(octet & 0x7F) << shift
            if octet < 0x80 { return value }
        }
        throw Damaged()
    }

    private mutating func zigzag() throws(Damaged) -> Int64 {
        let value = try number()
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    /// How many of something follow, each at least one octet.
    private mutating func length() throws(Damaged) -> Int {
        let value = try number()
        guard value <= UInt64(octets.count - position) else { throw Damaged() }
        return Int(value)
    }

    private mutating func text(_ model: String?) throws(Damaged) -> String? {
        let tag = try number()
        if tag == 0 { return model }
        if tag == 1 { return nil }
        guard tag - 2 <= UInt64(octets.count - position) else { throw Damaged() }
        let end = position + Int(tag - 2)
        defer { position = end }
        return String(decoding: octets[position..<end], as: UTF8.self)
    }

    private mutating func needed(_ model: String?) throws(Damaged) -> String {
        guard let text = try text(model) else { throw Damaged() }
        return text
    }
}
