import MailModel

/// What the refusals rest on that no decision about mail made: the grammar, the order of commands, the limits of a
/// session, our own trouble. Records of decisions bring steps of their own.
package enum ProtocolRefusals {
    /// A verdict with the one step that decided.
    /// - Parameter moment: the verb, or `LINE`, `STOP`, `TIMEOUT`.
    package static func verdict(_ reason: Reason, at moment: String) -> Verdict {
        let (source, remedy) = basis(of: reason)
        let step = TrailStep(
            check: "session.\(moment.lowercased())", finding: reason.reply.lines.joined(separator: " "),
            source: source, decided: true)
        return Verdict(reason, trail: [step], remedy: remedy)
    }

    private static func basis(of reason: Reason) -> (RuleSource, remedy: String?) {
        command(reason) ?? authentication(reason) ?? limit(reason) ?? trouble(reason) ?? (.builtIn("RFC 5321"), nil)
    }

    private static func command(_ reason: Reason) -> (RuleSource, String?)? {
        switch reason {
        case .unknownCommand:
            (.builtIn("RFC 5321 §4.2.4"), "the client must send a command of this server's EHLO reply")
        case .syntaxError: (.builtIn("RFC 5321 §4.1"), "the client must correct the arguments of the command")
        case .badSequence: (.builtIn("RFC 5321 §4.1.4"), "the client must send its commands in the order of RFC 5321")
        case .heloRequired: (.builtIn("RFC 5321 §4.1.4"), "the client must send EHLO first")
        case .parameterUnknown:
            (.builtIn("RFC 5321 §4.1.1.11"), "the client must leave parameters out that EHLO does not offer")
        case .bareLineEnd: (.builtIn("RFC 5321 §2.3.8"), "the client must end its lines with CR LF")
        case .senderSyntax: (.builtIn("RFC 5321 §4.1.2"), "the sender must have the form <local-part@domain> or <>")
        case .recipientSyntax: (.builtIn("RFC 5321 §4.1.2"), "the recipient must have the form <local-part@domain>")
        case .senderNeedsSMTPUTF8: (.builtIn("RFC 6531 §3.5"), "the client must ask for SMTPUTF8 at MAIL")
        case .noValidRecipients:
            (.builtIn("RFC 5321 §3.3"), "at least one recipient must be accepted: look at the refusals of RCPT before")
        case .bareLineEndInContent:
            (
                .setting("receiver.tolerate_bare_line_ends"),
                "the client must end its lines with CR LF, or set receiver.tolerate_bare_line_ends to true"
            )
        case .nulInContent: (.builtIn("RFC 5321 §2.3.8"), "the client must encode binary content (base64)")
        case .commandDisabled:
            (.setting("receiver.vrfy_expn"), "set receiver.vrfy_expn to true, or receiver.auth_methods for AUTH")
        case .unknownRecipient: (.builtIn("R-RCV-09"), "add an account, an alias or a list of this name")
        default: nil
        }
    }

    private static func authentication(_ reason: Reason) -> (RuleSource, String?)? {
        switch reason {
        case .tlsNotAvailable: (.setting("tls.certificate_file"), "set a certificate that can be read")
        case .tlsAlreadyActive: (.builtIn("RFC 3207 §4.2"), nil)
        case .tlsRequired:
            (.setting("receiver.auth_requires_tls"), "the client must send STARTTLS first, or use a port with TLS")
        case .authenticationFailed: (.builtIn("R-RCV-18"), "the right login name and password")
        case .authenticationMalformed: (.builtIn("RFC 4954 §4"), "the client must send base64 of the mechanism's form")
        case .authenticationCancelled: (.builtIn("RFC 4954 §4"), nil)
        case .authenticationNotOffered:
            (.setting("receiver.auth_methods"), "the client must take a mechanism that EHLO offers")
        case .authenticationTwice: (.builtIn("RFC 4954 §4"), "the client must open a new session for another user")
        case .authenticationRequired: (.setting("receiver.security_level"), "authenticate before MAIL")
        case .authenticationUnavailable:
            (.builtIn("RFC 4954 §6"), "nothing: the directory or the threads for passwords were not there in time")
        case .tooManyAuthenticationFailures:
            (.setting("receiver.max_auth_failures"), "the right password within receiver.max_auth_failures tries")
        default: nil
        }
    }

    private static func limit(_ reason: Reason) -> (RuleSource, String?)? {
        switch reason {
        case .lineTooLong:
            (.setting("receiver.max_command_line"), "send shorter lines, or raise receiver.max_command_line")
        case .tooManyErrors: (.setting("receiver.max_errors"), "raise receiver.max_errors")
        case .tooManyCommands: (.setting("receiver.max_commands"), "raise receiver.max_commands")
        case .tooManyRecipients: (.setting("receiver.max_recipients"), "raise receiver.max_recipients, or set it to 0")
        case .messageTooLarge, .announcedSizeTooLarge:
            (.setting("receiver.max_message_size"), "raise receiver.max_message_size, or set it to 0")
        case .idleTimeout:
            (.setting("receiver.command_timeout"), "the client must answer sooner, or raise receiver.command_timeout")
        default: nil
        }
    }

    /// All temporary: the client tries again by itself.
    private static func trouble(_ reason: Reason) -> (RuleSource, String?)? {
        switch reason {
        case .shuttingDown: (.builtIn("RFC 5321 §3.8"), "nothing: EPSTRS was being stopped")
        case .storageFailed: (.builtIn("RFC 5321 §6.1"), "the log of EPSTRS names the fault of the queue")
        case .diskFull: (.builtIn("RFC 1870 §6.1"), "free space on the disk of server.work_dir")
        case .directoryUnavailable: (.builtIn("R-RCV-22"), "the log of EPSTRS names the fault of the store")
        case .internalError: (.builtIn("RFC 5321 §4.2.4.2"), "the log of EPSTRS names the fault")
        default: nil
        }
    }
}
