import MailModel

/// What a server offered in its answer to EHLO (RFC 5321 §4.1.1.1). Empty after HELO.
package struct ClientFeatures: Hashable, Sendable {
    package var pipelining = false
    package var startTLS = false
    package var eightBitMIME = false
    package var smtpUTF8 = false
    package var dsn = false
    /// SIZE was offered; octets, 0 = no limit named (RFC 1870 §3).
    package var size: Int?
    /// Most recipients of a transaction, where the server names one (RFC 9422 RCPTMAX).
    package var recipientLimit: Int?
    /// Mechanisms behind AUTH, upper case.
    package var authentication: [String] = []

    package init() {}

    /// Keywords and parameters that are malformed or unknown are passed over: an offer not understood is not used.
    package init(ehlo reply: Reply) {
        for line in reply.lines.dropFirst() {
            // `AUTH=LOGIN PLAIN` is the form of old servers.
            let words = line.split(maxSplits: 32, whereSeparator: { $0 == " " || $0 == "=" }).map { $0.uppercased() }
            guard let keyword = words.first else { continue }
            let parameters = words.dropFirst()
            switch keyword {
            case "PIPELINING": pipelining = true
            case "STARTTLS": startTLS = true
            case "8BITMIME": eightBitMIME = true
            case "SMTPUTF8": smtpUTF8 = true
            case "DSN": dsn = true
            case "SIZE": size = max(0, parameters.first.flatMap { Int($0) } ?? 0)
            case "AUTH": authentication += parameters
            case "LIMITS": readLimits(line)
            default: continue
            }
        }
    }

    private mutating func readLimits(_ line: String) {
        for word in line.split(separator: " ").dropFirst() {
            let pair = word.split(separator: "=", maxSplits: 1)
            if pair.count == 2, pair[0].uppercased() == "RCPTMAX", let most = Int(pair[1]), most > 0 {
                recipientLimit = most
            }
        }
    }
}
