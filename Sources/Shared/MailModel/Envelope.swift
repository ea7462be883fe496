/// The argument of MAIL FROM.
package enum ReversePath: Hashable, Sendable, Codable {
    /// `<>`: reports and automatic replies; never answered (RFC 5321 §4.5.5).
    case null
    /// Nothing at all after `MAIL FROM:`; the relay rule `#blank` decides about it (R-RELAY-25).
    case blank
    case address(MailAddress)

    package var address: MailAddress? {
        if case .address(let address) = self { address } else { nil }
    }

    /// `local@domain`, or empty for the null and the blank path. What the spool stores and log lines print.
    package var text: String { address?.text ?? "" }
}

/// DSN parameters of MAIL (RFC 3461 §4.3, §4.4).
package struct SenderNotification: Hashable, Sendable, Codable {
    package enum Return: String, Hashable, Sendable, Codable { case full = "FULL", headers = "HDRS" }
    /// RET: how much of the message a failure report returns; `nil`: not given.
    package var ret: Return?
    /// ENVID, still in xtext form; at most 100 octets.
    package var envelopeID: String?

    package init(ret: Return? = nil, envelopeID: String? = nil) {
        self.ret = ret
        self.envelopeID = envelopeID
    }
}

/// One accepted RCPT TO.
package struct Recipient: Hashable, Sendable, Codable {
    /// NOTIFY of RFC 3461 §4.1; empty = the default (failure, and delay if we choose to report it).
    package struct Notify: OptionSet, Hashable, Sendable, Codable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        package static let never = Notify(rawValue: 1)
        package static let success = Notify(rawValue: 2)
        package static let failure = Notify(rawValue: 4)
        package static let delay = Notify(rawValue: 8)
        /// Not a wish but our own mark: the recipient gets a copy for the record (R-LOG-13), from the null sender, and
        /// nobody hears what became of it. Never on the wire.
        package static let copy = Notify(rawValue: 128)
    }
    package var address: MailAddress
    package var notify: Notify
    /// ORCPT as given (`rfc822;xtext`); at most 500 octets.
    package var originalRecipient: String?
    /// Where an alias led: the mail goes there, `address` is what the next hop sees (R-ALIAS-09), and no alias is
    /// looked up again. `nil`: it goes to `address`.
    package var resolved: MailAddress?

    package init(
        address: MailAddress, notify: Notify = [], originalRecipient: String? = nil, resolved: MailAddress? = nil
    ) {
        self.address = address
        self.notify = notify
        self.originalRecipient = originalRecipient
        self.resolved = resolved
    }
}

/// What travels with a message beside its content (RFC 5321 §2.3.1).
package struct Envelope: Hashable, Sendable {
    package var sender: ReversePath
    package var notification: SenderNotification
    package var recipients: [Recipient]
    /// SMTPUTF8 was asked for at MAIL (RFC 6531): the next hop must offer it too.
    package var needsSMTPUTF8: Bool
    /// BODY=8BITMIME was given (RFC 6152). Informational: content is carried as it is.
    package var is8BitMIME: Bool

    package init(
        sender: ReversePath, notification: SenderNotification = .init(), recipients: [Recipient],
        needsSMTPUTF8: Bool = false, is8BitMIME: Bool = false
    ) {
        self.sender = sender
        self.notification = notification
        self.recipients = recipients
        self.needsSMTPUTF8 = needsSMTPUTF8
        self.is8BitMIME = is8BitMIME
    }
}
