/// What travels between a service and `epost-directory` on their Unix socket: a length, a number that joins question
/// and answer, a kind, and fields of octets. Big-endian numbers of 4 octets; at most 64 KiB a frame.
package struct DirectoryFrame: Hashable, Sendable {
    package enum Kind: UInt8, Sendable {
        // Questions.
        case configure = 1
        case find
        case check
        case list
        case test
        // Answers.
        case found = 16
        case missing
        case right
        case wrong
        case unavailable
        case page
        case report
    }
    package var id: UInt32
    package var kind: Kind
    package var fields: [[UInt8]]

    package init(id: UInt32, kind: Kind, fields: [[UInt8]] = []) {
        self.id = id
        self.kind = kind
        self.fields = fields
    }

    package init(id: UInt32, kind: Kind, texts: [String]) {
        self.init(id: id, kind: kind, fields: texts.map { Array($0.utf8) })
    }

    /// Octets of one frame without its length.
    package static let maximumOctets = 64 << 10

    package var texts: [String] { fields.map { String(decoding: $0, as: UTF8.self) } }

    package func encoded() -> [UInt8] {
        var body: [UInt8] = []
        Self.append(id, to: &body)
        body.append(kind.rawValue)
        for field in fields {
            Self.append(UInt32(truncatingIfNeeded: field.count), to: &body)
            body += field
        }
        var out: [UInt8] = []
        out.reserveCapacity(body.count + 4)
        Self.append(UInt32(truncatingIfNeeded: body.count), to: &out)
        return out + body
    }

    /// Octets that a frame with these fields takes, without its length.
    package static func octets(of fields: [[UInt8]]) -> Int { fields.reduce(5) { $0 + 4 + $1.count } }

    fileprivate init?(body: ArraySlice<UInt8>) {
        var rest = body
        guard let id = Self.number(&rest), let octet = rest.popFirst(), let kind = Kind(rawValue: octet) else {
            return nil
        }
        var fields: [[UInt8]] = []
        while !rest.isEmpty {
            guard let count = Self.number(&rest), count <= UInt32(rest.count) else { return nil }
            fields.append(Array(rest.prefix(Int(count))))
            rest = rest.dropFirst(Int(count))
        }
        self.init(id: id, kind: kind, fields: fields)
    }

    fileprivate static func number(_ rest: inout ArraySlice<UInt8>) -> UInt32? {
        guard rest.count >= 4 else { return nil }
        let value = rest.prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        rest = rest.dropFirst(4)
        return value
    }

    private static func append(_ number: UInt32, to octets: inout [UInt8]) {
        for shift in [UInt32(24), 16, 8, 0] { octets.append(UInt8(truncatingIfNeeded: number >> shift)) }
    }
}

/// Cuts a stream into frames.
package struct DirectoryFrameDecoder: Sendable {
    /// Octets that are no frame: the connection is of no more use.
    package struct Fault: Error, Equatable {}
    private var held: [UInt8] = []

    package init() {}

    package mutating func feed(_ octets: some Sequence<UInt8>) throws(Fault) -> [DirectoryFrame] {
        held += octets
        var out: [DirectoryFrame] = []
        var rest = held[...]
        while true {
            var next = rest
            guard let count = DirectoryFrame.number(&next) else { break }
            guard count <= UInt32(DirectoryFrame.maximumOctets) else { throw Fault() }
            guard next.count >= Int(count) else { break }
            guard let frame = DirectoryFrame(body: next.prefix(Int(count))) else { throw Fault() }
            out.append(frame)
            rest = next.dropFirst(Int(count))
        }
        held = Array(rest)
        return out
    }
}
