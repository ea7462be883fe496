/// Replies that move the protocol on. With `Reason.reply` the whole catalogue of what the server says.
extension Reply {
    /// RFC 5321 §4.2; without enhanced code (RFC 2034 §4).
    package static func greeting(host: String) -> Reply { Reply(220, nil, "\(host) ESMTP") }

    /// To HELO and, with `extensions`, to EHLO; without enhanced code (RFC 2034 §4).
    package static func hello(host: String, extensions: [String] = []) -> Reply {
        Reply(250, nil, lines: [host] + extensions)
    }

    package static let readyForTLS = Reply(220, EnhancedCode(2, 0, 0), "ready to start TLS")
    package static let goodbye = Reply(221, EnhancedCode(2, 0, 0), "closing connection")
    package static let startContent = Reply(354, nil, "end the message with <CR><LF>.<CR><LF>")
    package static let authenticated = Reply(235, EnhancedCode(2, 7, 0), "authentication successful")
    /// RFC 5321 §3.5.3: neither confirmed nor denied.
    package static let cannotVerify = Reply(252, EnhancedCode(2, 5, 2), "send a message and see")

    /// VRFY and EXPN: `Full Name <account@domain>` (RFC 5321 §3.5.2). - Parameter mailbox: ASCII.
    package static func mailbox(_ mailbox: String) -> Reply { Reply(250, EnhancedCode(2, 1, 5), mailbox) }

    /// EXPN of what stands for several addresses: one a line.
    package static func mailboxes(_ mailboxes: [String]) -> Reply {
        Reply(250, EnhancedCode(2, 1, 5), lines: mailboxes)
    }

    /// - Parameter challenge: in base 64 (RFC 4954 §4).
    package static func challenge(_ challenge: String) -> Reply { Reply(334, nil, challenge) }

    /// - Parameter verbs: in the order to show them.
    package static func help(verbs: [String]) -> Reply {
        Reply(214, EnhancedCode(2, 0, 0), lines: ["commands: \(verbs.joined(separator: " "))", "see RFC 5321"])
    }

    package static func queued(as id: QueueID) -> Reply { Reason.queued.reply.adding("as \(id)") }

    /// The catalogue's text with something of the case at hand behind it.
    package func adding(_ detail: String) -> Reply {
        guard let last = lines.last else { return self }
        return Reply(code, enhanced, lines: lines.dropLast() + ["\(last) \(detail)"])
    }
}
