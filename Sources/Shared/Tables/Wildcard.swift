/// A pattern in which `*` stands for any string, also an empty one and also across dots (R-SRV-21); letter case is
/// ignored. Matching takes at most pattern × text steps whatever the pattern.
package struct Wildcard: Hashable, Sendable {
    package let text: String
    private let octets: [UInt8]

    package init(_ text: some StringProtocol) {
        self.text = String(text)
        octets = Array(text.lowercased().utf8)
    }

    package static func == (left: Wildcard, right: Wildcard) -> Bool { left.octets == right.octets }
    package func hash(into hasher: inout Hasher) { hasher.combine(octets) }

    package var isLiteral: Bool { !octets.contains(Self.star) }
    private static let star = UInt8(ascii: "*")

    package func matches(_ other: some StringProtocol) -> Bool { matches(Self.fold(other)) }

    /// The form in which texts are compared; made once where many patterns are tried.
    package static func fold(_ text: some StringProtocol) -> [UInt8] { Array(text.lowercased().utf8) }

    /// - Parameter subject: from `fold`.
    package func matches(_ subject: [UInt8]) -> Bool {
        var pattern = 0
        var position = 0
        var lastStar: Int?
        var resume = 0
        while position < subject.count {
            if pattern < octets.count, octets[pattern] == Self.star {
                lastStar = pattern
                resume = position
                pattern += 1
            } else if pattern < octets.count, octets[pattern] == subject[position] {
                pattern += 1
                position += 1
            } else if let star = lastStar {
                pattern = star + 1
                resume += 1
                position = resume
            } else {
                return false
            }
        }
        return octets[pattern...].allSatisfy { $0 == Self.star }
    }
}
