/// IP versions that are used for listening, connecting and address look-ups (R-DOM-09).
package enum IPVersion: String, SettingChoice {
    case ipv4, dual, ipv6
    package var usesIPv4: Bool { self != .ipv6 }
    package var usesIPv6: Bool { self != .ipv4 }
}

/// How sessions without authentication are treated (R-SVC-12 to R-SVC-14).
package enum SecurityLevel: String, SettingChoice {
    case open
    case authOnly = "auth_only"
    case authFile = "auth_file"
}

/// What must agree with the authenticated id (R-SVC-21).
package enum SenderTrust: String, SettingChoice {
    case authID = "auth_id"
    case authIDEnvelope = "auth_id_envelope"
    case authIDEnvelopeFrom = "auth_id_envelope_from"
}

/// SASL mechanisms of the receiver (R-SVC-11).
package enum AuthenticationMethod: String, SettingChoice {
    case plain = "PLAIN"
    case login = "LOGIN"
    case cramMD5 = "CRAM-MD5"
    case scramSHA256 = "SCRAM-SHA-256"
    case scramSHA256Plus = "SCRAM-SHA-256-PLUS"

    /// Needs a secret that only a password set anew, or a log-in by PLAIN or LOGIN, leaves behind.
    package var needsSecret: Bool {
        switch self {
        case .plain, .login: false
        case .cramMD5, .scramSHA256, .scramSHA256Plus: true
        }
    }
}

/// R-SVC-16
package enum ListenMode: String, SettingChoice {
    /// Every address on `receiver.port`.
    case all
    /// The pairs of `receiver.listen` only.
    case list
}

package enum ConsoleLanguage: String, SettingChoice {
    /// By the terminal's locale.
    case auto
    case ja, en
}

/// STARTTLS towards other servers.
package enum DeliveryTLS: String, SettingChoice {
    case off
    /// When the other server offers it; if that fails, in clear.
    case opportunistic
    /// Nothing is sent without it; whose certificate it is does not count.
    case required
    /// Nothing is sent without it, and without a certificate that an authority gave to the host's name.
    case verified
}

/// What people read in reports about their mail.
package enum ReportLanguage: String, SettingChoice {
    /// Japanese, then English.
    case both
    case english = "en"
}

/// How EPSTDS logs in at gateways (R-SVC-32).
package enum GatewayAuthentication: String, SettingChoice {
    case plain = "PLAIN"
    case login = "LOGIN"
    case cramMD5 = "CRAM-MD5"
    case xoauth2 = "XOAUTH2"
}
