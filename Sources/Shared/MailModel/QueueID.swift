/// Names one entry of the spool: 14 characters of Crockford's base 32 without look-alikes, upper case, safe in file
/// names of any file system. Nine characters hold the milliseconds since 1970 (until the year 3084), two the node, three
/// a sequence number, so that ids sort by time and two nodes never give the same one.
package struct QueueID: Hashable, Sendable, Codable, Comparable {
    package let rawValue: String

    /// - Returns: `nil` unless the text has the form above; letter case is ignored.
    package init?(_ text: some StringProtocol) {
        let upper = text.uppercased()
        guard upper.utf8.count == Self.length, upper.utf8.allSatisfy({ Base32.value(of: $0) != nil }) else {
            return nil
        }
        rawValue = upper
    }

    init(unchecked: String) { rawValue = unchecked }

    package static let length = 14

    package static func < (left: QueueID, right: QueueID) -> Bool { left.rawValue < right.rawValue }

    /// When the id was given out, milliseconds since 1970.
    package var milliseconds: Int64 {
        var value: Int64 = 0
        for octet in rawValue.utf8.prefix(9) { value = value << 5 | Int64(Base32.value(of: octet) ?? 0) }
        return value
    }

    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let id = QueueID(text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "not a queue id: \(text)"))
        }
        self = id
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }
}

extension QueueID: CustomStringConvertible {
    package var description: String { rawValue }
}

/// Gives out queue ids. A value: its owner guards it. Never gives an id twice, though the clock stands still or goes
/// back, as long as `last` is carried over a restart by starting from the spool's newest id.
package struct QueueIDGenerator: Sendable {
    private var milliseconds: Int64
    private var sequence: Int64
    private let node: Int64
    private let sequences: ClosedRange<Int64>

    /// - Parameters:
    ///   - node: 0–1023, from `QueueIDGenerator.node(named:)`.
    ///   - lane: 0–3; processes of one node that give out ids at the same time take different ones. `nil`: there is
    ///     one process only.
    package init(node: Int, lane: Int? = nil, after newest: QueueID? = nil) {
        self.node = Int64(node & 1023)
        if let lane {
            let first = Int64(lane & 3) * Self.laneWidth
            sequences = first...(first + Self.laneWidth - 1)
        } else {
            sequences = 0...(4 * Self.laneWidth - 1)
        }
        milliseconds = (newest?.milliseconds ?? 0)
        sequence = sequences.upperBound
    }

    /// As above, carrying on behind every id of `afterMilliseconds` and before.
    package init(node: Int, lane: Int, afterMilliseconds: Int64) {
        self.init(node: node, lane: lane)
        milliseconds = max(0, afterMilliseconds)
    }

    /// Ids a millisecond and lane: a quarter of the three base-32 digits.
    private static let laneWidth: Int64 = 32 * 32 * 32 / 4

    /// A stable number for a host name (FNV-1a, 10 bits).
    package static func node(named name: String) -> Int {
        var hash: UInt32 = 2_166_136_261
        for octet in name.utf8 { hash = (hash ^ UInt32(octet)) &* 16_777_619 }
        return Int((hash ^ hash >> 10 ^ hash >> 20) & 1023)
    }

    /// - Parameter now: milliseconds since 1970.
    package mutating func next(now: Int64) -> QueueID {
        if now > milliseconds {
            milliseconds = now
            sequence = sequences.lowerBound
        } else if sequence < sequences.upperBound {
            sequence += 1
        } else {
            milliseconds += 1
            sequence = sequences.lowerBound
        }
        var out: [UInt8] = []
        out.reserveCapacity(QueueID.length)
        Base32.append(milliseconds, digits: 9, to: &out)
        Base32.append(node, digits: 2, to: &out)
        Base32.append(sequence, digits: 3, to: &out)
        return QueueID(unchecked: String(decoding: out, as: UTF8.self))
    }
}

/// Names one explained decision: eight characters shown as `7K2Q-93HD`, at the end of every refusal.
package struct DecisionReference: Hashable, Sendable, Codable {
    /// Without the hyphen.
    package let rawValue: String

    /// - Parameter random: 40 bits are used; the caller draws them.
    package init(random: UInt64) {
        var out: [UInt8] = []
        Base32.append(Int64(random & 0xFF_FFFF_FFFF), digits: 8, to: &out)
        rawValue = String(decoding: out, as: UTF8.self)
    }

    /// Reads it as an administrator types it: any letter case, with or without hyphen, `O` for 0, `I` and `L` for 1.
    package init?(_ text: some StringProtocol) {
        var out = ""
        for character in text.uppercased() where character != "-" && character != " " {
            switch character {
            case "O": out += "0"
            case "I", "L": out += "1"
            default: out.append(character)
            }
        }
        guard out.utf8.count == 8, out.utf8.allSatisfy({ Base32.value(of: $0) != nil }) else { return nil }
        rawValue = out
    }
}

extension DecisionReference: CustomStringConvertible {
    package var description: String { "\(rawValue.prefix(4))-\(rawValue.suffix(4))" }
}

/// Crockford's base 32: digits and upper-case letters without I, L, O, U.
enum Base32 {
    static let alphabet: [UInt8] = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)

    static func append(_ value: Int64, digits: Int, to out: inout [UInt8]) {
        for position in stride(from: digits - 1, through: 0, by: -1) {
            out.append(alphabet[Int(truncatingIfNeeded: value >> Int64(position * 5)) & 31])
        }
    }

    static func value(of octet: UInt8) -> Int? { alphabet.firstIndex(of: octet) }
}
