import MailModel

package enum AdminSettings {
    /// System management password, as a hash (R-SRV-10).
    package static let passwordHash = Setting<String>("admin.password_hash", .secret, effect: .now, source: "R-SRV-10")
    /// Gets copies of error mail, is the From of our own mail; complete address (R-DOM-14).
    package static let account = Setting<String>("admin.account", .mailAddress, effect: .now, source: "R-DOM-14")
    /// Copy error mail to the administrator (R-DOM-15).
    package static let copyBounces = Setting<Bool>(
        "admin.copy_bounces", .boolean, "false", effect: .now, source: "R-DOM-15")
}

package enum ServerSettings {
    /// Takes mail for external domains instead of their MX; port `delivery.port` (R-SRV-11).
    package static let smtpGateway = Setting<String>("server.smtp_gateway", .host, effect: .now, source: "R-SRV-11")
    /// Mail for operated domains goes to the gateway too, not into mailboxes (R-SRV-12).
    package static let forwardAllToGateway = Setting<Bool>(
        "server.forward_all_to_gateway", .boolean, "false", effect: .now, source: "R-SRV-12")
    /// Mail working folder: the queue of each machine below its name (R-SRV-13).
    package static let workFolder = Setting<String>(
        "server.work_dir", .path, effect: .restartServices, source: "R-SRV-13", default: { $0.spool })
    /// Mailbox folder pattern (R-SRV-14).
    package static let mailboxFolder = Setting<String>(
        "server.mailbox_dir", .mailboxPattern, effect: .now, source: "R-SRV-14", default: { $0.mail + "/%USERNAME%" })
    /// Asked for MX and addresses in this order; empty: the system's resolver configuration (R-SRV-17).
    package static let dnsServers = Setting<[DNSServerAddress]>(
        "server.dns_servers", .list(.dnsServer, maximum: 3), effect: .now, source: "R-SRV-17")
}

package enum ConsoleSettings {
    /// Closing the main screen with OK opens the Account Manager (R-SRV-18).
    package static let launchAccountManager = Setting<Bool>(
        "console.launch_account_manager", .boolean, "true", effect: .now, source: "R-SRV-18")
    package static let language = Setting<ConsoleLanguage>(
        "console.language", .choice(ConsoleLanguage.words), "auto", effect: .now, source: "R-SYS-24")
}

package enum TLSSettings {
    /// PEM, own certificate first, then the chain. Empty: no TLS (R-SSL-03).
    package static let certificateFile = Setting<String>(
        "tls.certificate_file", .path, effect: .newSessions, source: "R-SSL-01")
    /// PEM, without passphrase.
    package static let privateKeyFile = Setting<String>(
        "tls.private_key_file", .path, effect: .newSessions, source: "R-SSL-02")
}

package enum NetSettings {
    package static let ipVersion = Setting<IPVersion>(
        "net.ip_version", .choice(IPVersion.words), "ipv4", effect: .now, source: "R-DOM-09")
    /// Own name on IPv6 connections; empty: `net.host_name` (R-DOM-10).
    package static let ipv6HostName = Setting<String>(
        "net.ipv6_hostname", .domainName, effect: .newSessions, source: "R-DOM-10")
    /// Own name in greeting, EHLO and Received fields; empty: the system's fully qualified name (RFC 5321 §4.1.3).
    package static let hostName = Setting<String>(
        "net.host_name", .domainName, effect: .newSessions, source: "RFC 5321 §4.1.3")
}

/// Which of the text logs are written (spec file 12); the structured log is always kept.
package enum LogSettings {
    package static let receive = Setting<Bool>("log.receive", .boolean, "true", effect: .now, source: "R-LOG-03")
    package static let send = Setting<Bool>("log.send", .boolean, "true", effect: .now, source: "R-LOG-04")
    package static let accept = Setting<Bool>("log.accept", .boolean, "true", effect: .now, source: "R-LOG-05")
    package static let sender = Setting<Bool>("log.sender", .boolean, "false", effect: .now, source: "R-LOG-06")
    package static let fail = Setting<Bool>("log.fail", .boolean, "true", effect: .now, source: "R-LOG-07")
    /// A failed write is a warning in syslog (R-LOG-12).
    package static let warnOnWriteFailure = Setting<Bool>(
        "log.warn_on_write_failure", .boolean, "true", effect: .now, source: "R-LOG-12")
    /// All received mail is copied to these addresses (R-LOG-13).
    package static let copyEnabled = Setting<Bool>(
        "log.copy_enabled", .boolean, "false", effect: .newSessions, source: "R-LOG-13")
    package static let copyAddresses = Setting<[MailAddress]>(
        "log.copy_addresses", .list(.mailAddress, maximum: 20), effect: .newSessions, source: "R-LOG-13")
    /// Log files older than this are deleted.
    package static let keepDays = Setting<Int>(
        "log.keep_days", .integer(1...3650), "90", unit: .days, effect: .now, source: "R-LOG-02")
}

package enum ExplainSettings {
    /// Records behind the references of refusals are kept this long.
    package static let keepDays = Setting<Int>(
        "explain.keep_days", .integer(1...365), "30", unit: .days, effect: .now, source: "architecture, section 6")
    /// Beyond so many records of refusals, or of accepted mail, the oldest go earlier; a record takes 1 to 4 KiB, in a
    /// flood of refusals some 100 octets. With 0 none are made, and refusals have no reference.
    package static let maxRecords = Setting<Int>(
        "explain.max_records", .integer(0...100_000_000), "200000", effect: .now,
        source: "architecture, section 6")
}
