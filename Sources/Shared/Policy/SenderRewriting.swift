import MailModel

/// The sender rewriting scheme (SRS): a forwarded mail leaves with a sender of our domain, so that SPF holds, and a
/// report to that sender finds its way back. `SRS0=hash=day=domain=local@ours`, and `SRS1=hash=host==rest@ours` for what
/// another server rewrote before. Forgery-proof by the hash, so that nobody relays through it; expires after 21 days.
package struct SenderRewriting: Sendable {
    package typealias Code = @Sendable ([UInt8]) -> [UInt8]
    /// A keyed hash of 16 octets or more.
    private let code: Code

    package init(code: @escaping Code) { self.code = code }

    /// Days after which a rewritten address is not taken any more.
    package static let lifetime = 21
    /// Octets of a local part at most (RFC 5321 §4.5.3.1.1).
    private static let localPartOctets = 64
    private static let digits = Array("0123456789abcdefghijklmnopqrstuv".utf8)
    private static let hashLength = 8

    /// - Parameter day: days since 1970.
    /// - Returns: `nil` when the rewritten name would be too long: the sender then stays as it is.
    package func rewrite(_ sender: MailAddress, domain: String, day: Int) -> MailAddress? {
        let lower = sender.localPart.lowercased()
        let rest: String
        let mark: String
        if lower.hasPrefix("srs0="), sender.localPart.utf8.count > 5 {
            mark = "SRS1"
            rest = "\(sender.domain.lowercased())==\(sender.localPart.dropFirst(5))"
        } else if lower.hasPrefix("srs1="), let first = sender.localPart.dropFirst(5).firstIndex(of: "=") {
            // Its hash is another server's: ours takes the place.
            mark = "SRS1"
            rest = String(sender.localPart[sender.localPart.index(after: first)...])
        } else {
            mark = "SRS0"
            rest = "\(Self.stamp(day))=\(sender.domain.lowercased())=\(sender.localPart)"
        }
        let local = "\(mark)=\(hash(rest))=\(rest)"
        guard local.utf8.count <= Self.localPartOctets else { return nil }
        return MailAddress(localPart: local, domain: domain)
    }

    /// The address behind a name of ours; `nil` for other names, a wrong hash and an expired one.
    package func original(of localPart: String, day: Int) -> MailAddress? {
        let lower = localPart.lowercased()
        guard lower.hasPrefix("srs0=") || lower.hasPrefix("srs1="), localPart.utf8.count <= 320 else { return nil }
        let text = localPart.dropFirst(5)
        guard let end = text.firstIndex(of: "=") else { return nil }
        let rest = String(text[text.index(after: end)...])
        guard text[..<end].lowercased() == hash(rest) else { return nil }
        if lower.hasPrefix("srs1=") {
            guard let mark = rest.firstRange(of: "==") else { return nil }
            return MailAddress(typed: "SRS0=\(rest[mark.upperBound...])@\(rest[..<mark.lowerBound])")
        }
        let parts = rest.split(separator: "=", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, Self.age(parts[0], day: day) else { return nil }
        return MailAddress(typed: "\(parts[2])@\(parts[1])")
    }

    /// Case is not part of it: servers on the way may change it.
    private func hash(_ rest: String) -> String {
        let octets = code(Array(rest.lowercased().utf8))
        return String(decoding: octets.prefix(Self.hashLength).map { Self.digits[Int($0 & 31)] }, as: UTF8.self)
    }

    private static func stamp(_ day: Int) -> String {
        let value = ((day % 1024) + 1024) % 1024
        return String(decoding: [digits[value >> 5], digits[value & 31]], as: UTF8.self)
    }

    private static func age(_ stamp: String, day: Int) -> Bool {
        (0...lifetime).contains { Self.stamp(day - $0) == stamp.lowercased() }
    }
}
