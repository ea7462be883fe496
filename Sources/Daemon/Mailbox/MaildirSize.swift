/// The text of a `maildirsize` file: the limit, then a line with octets and messages for each change
/// (Maildir++, "Maildir++ quota"; https://www.courier-mta.org/imap/README.maildirquota.html). Pure.
struct MaildirSize: Equatable {
    /// Octets; 0 = no limit on octets.
    var octetLimit: Int
    /// 0 = no limit on messages.
    var messageLimit: Int
    var used: MailboxUsage
    /// Lines behind the first.
    var changes: Int

    /// A larger file is calculated again, so that it stays short.
    static let largestFile = 5_120

    init(octetLimit: Int, messageLimit: Int = 0, used: MailboxUsage, changes: Int = 1) {
        self.octetLimit = octetLimit
        self.messageLimit = messageLimit
        self.used = used
        self.changes = changes
    }

    /// - Returns: `nil` for a file that must be calculated again: too long, or not of this form.
    init?(_ text: [UInt8]) {
        guard text.count < Self.largestFile, text.last == UInt8(ascii: "\n") else { return nil }
        let lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true)
        guard let first = lines.first, let limits = Self.limits(first) else { return nil }
        var used = MailboxUsage()
        for line in lines.dropFirst() {
            let fields = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: true)
            guard fields.count == 2, let octets = Self.number(fields[0]), let messages = Self.number(fields[1]) else {
                return nil
            }
            let sums = (
                used.octets.addingReportingOverflow(octets), used.messages.addingReportingOverflow(messages)
            )
            if sums.0.overflow || sums.1.overflow { return nil }
            used = MailboxUsage(octets: sums.0.partialValue, messages: sums.1.partialValue)
        }
        // Less than nothing: changes were counted twice.
        guard used.octets >= 0, used.messages >= 0 else { return nil }
        self.init(
            octetLimit: limits.octets, messageLimit: limits.messages, used: used, changes: lines.count - 1)
    }

    /// `1000000S,1000C`, in any order, each part at most once.
    private static func limits(_ line: ArraySlice<UInt8>) -> (octets: Int, messages: Int)? {
        var octets: Int?
        var messages: Int?
        for part in line.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: true) {
            guard let number = number(part.dropLast()), number >= 0 else { return nil }
            switch part.last {
            case UInt8(ascii: "S") where octets == nil: octets = number
            case UInt8(ascii: "C") where messages == nil: messages = number
            default: return nil
            }
        }
        return (octets ?? 0, messages ?? 0)
    }

    private static func number(_ text: ArraySlice<UInt8>) -> Int? { Int(String(decoding: text, as: UTF8.self)) }

    var text: String {
        let messages = messageLimit > 0 ? ",\(messageLimit)C" : ""
        return "\(octetLimit)S\(messages)\n\(used.octets) \(used.messages)\n"
    }

    /// Octets of a message by its name: `,S=<octets>` (Maildir++), before a `:` or a further `,`.
    static func octets(inName name: String) -> Int? {
        guard let start = name.utf8.firstRange(of: ",S=".utf8)?.upperBound else { return nil }
        let digits = name.utf8[start...].prefix { (0x30...0x39).contains($0) }
        guard !digits.isEmpty, digits.count <= 15 else { return nil }
        return Int(String(decoding: digits, as: UTF8.self))
    }
}
