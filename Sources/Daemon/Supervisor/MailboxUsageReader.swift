import Store

/// What mailboxes hold, for lists: by their `maildirsize` file alone, so that a window of a thousand rows costs a
/// thousand small reads and no counting.
enum MailboxUsageReader {
    /// - Returns: `nil` when the mailbox has no such file (yet).
    static func usage(_ place: MailboxPlace) -> (octets: Int, messages: Int)? {
        guard let octets = SmallFile.read(place.path + "/maildirsize", limit: 64 << 10) else { return nil }
        return sum(String(decoding: octets, as: UTF8.self))
    }

    /// Maildir++: the first line is the limit, each other one `octets messages`, to be added up.
    static func sum(_ text: String) -> (octets: Int, messages: Int)? {
        var octets = 0
        var messages = 0
        for line in text.split(separator: "\n").dropFirst() {
            let numbers = line.split(separator: " ").map { Int($0) }
            guard numbers.count == 2, let more = numbers[0], let count = numbers[1] else { return nil }
            octets = octets.addingReportingOverflow(more).partialValue
            messages = messages.addingReportingOverflow(count).partialValue
        }
        return (max(0, octets), max(0, messages))
    }
}
