import MailModel

package enum ReceiverSettings {
    /// Port in listen mode `all` (R-SVC-08).
    package static let port = Setting<Int>(
        "receiver.port", .integer(1...65535), "25", effect: .now, source: "R-SVC-08")
    package static let listenMode = Setting<ListenMode>(
        "receiver.listen_mode", .choice(ListenMode.words), "all", effect: .now, source: "R-SVC-16")
    /// Where the receiver listens in listen mode `list` (R-SVC-20).
    package static let listen = Setting<[ListenerAddress]>(
        "receiver.listen", .list(.listener, maximum: 64), effect: .now, source: "R-SVC-20")

    /// Sessions at a time, 0 = unlimited (R-SVC-19).
    package static let maxSessions = Setting<Int>(
        "receiver.max_sessions", .integer(0...1_000_000), "0", unit: .sessions, effect: .newSessions,
        source: "R-SVC-19")
    /// Sessions of one client address at a time; loopback addresses are not counted. 0 = unlimited.
    package static let maxSessionsPerClient = Setting<Int>(
        "receiver.max_sessions_per_client", .integer(0...1_000_000), "100", unit: .sessions, effect: .newSessions,
        source: "RFC 5321 §7.8")
    package static let answersVRFYAndEXPN = Setting<Bool>(
        "receiver.vrfy_expn", .boolean, "true", effect: .newSessions, source: "R-RCV-08")

    /// Empty: authentication is not offered, the original's NO (R-SVC-11).
    package static let authMethods = Setting<[AuthenticationMethod]>(
        "receiver.auth_methods", .choices(AuthenticationMethod.words), "PLAIN", "LOGIN", effect: .newSessions,
        source: "R-SVC-11")
    /// Offer authentication inside TLS only (RFC 4954 §4, RFC 8314 §3.3).
    package static let authRequiresTLS = Setting<Bool>(
        "receiver.auth_requires_tls", .boolean, "true", effect: .newSessions, source: "RFC 4954 §4")
    package static let securityLevel = Setting<SecurityLevel>(
        "receiver.security_level", .choice(SecurityLevel.words), "open", effect: .newSessions, source: "R-SVC-12")
    package static let senderTrust = Setting<SenderTrust>(
        "receiver.sender_trust", .choice(SenderTrust.words), "auth_id_envelope", effect: .newSessions,
        source: "R-SVC-21")

    /// 0 = unlimited (R-RCV-28).
    package static let maxMessageSize = Setting<Int>(
        "receiver.max_message_size", .integer(0...1_099_511_627_776), "0", unit: .octets, effect: .newSessions,
        source: "R-RCV-28")
    /// Limit of mailboxes whose account names none, 0 = unlimited (R-RCV-25).
    package static let mailboxQuota = Setting<Int>(
        "receiver.mailbox_quota", .integer(0...1_099_511_627_776), "0", unit: .octets, effect: .newSessions,
        source: "R-RCV-25")
    /// Recipients of one message, 0 = unlimited (R-RCV-24; RFC 5321 §4.5.3.1.8 asks for 100 or more).
    package static let maxRecipients = Setting<Int>(
        "receiver.max_recipients", .integer(0...1_000_000), "0", unit: .recipients, effect: .newSessions,
        source: "R-RCV-24")
    /// Convert bare CR and LF inside content instead of refusing the message; never in the end marker.
    package static let toleratesBareLineEnds = Setting<Bool>(
        "receiver.tolerate_bare_line_ends", .boolean, "false", effect: .newSessions, source: "RFC 5321 §2.3.8")

    /// Octets of a command line, CR LF included (RFC 5321 §4.5.3.1.4: 512 or more, and what SIZE, AUTH, DSN and
    /// SMTPUTF8 add to it).
    package static let maxCommandLine = Setting<Int>(
        "receiver.max_command_line", .integer(2048...65536), "2048", unit: .octets, effect: .newSessions,
        source: "RFC 5321 §4.5.3.1.4")
    /// Commands in a row that bring no message; counted anew after each accepted one. RCPT does not count.
    package static let maxCommands = Setting<Int>(
        "receiver.max_commands", .integer(10...1_000_000), "1000", unit: .commands, effect: .newSessions,
        source: "RFC 5321 §7.8")
    /// Refused commands of a session (recipients included) before it is closed.
    package static let maxErrors = Setting<Int>(
        "receiver.max_errors", .integer(1...100_000), "20", unit: .times, effect: .newSessions,
        source: "RFC 5321 §7.8")
    /// Failed authentications of a session before it is closed (R-RCV-18).
    package static let maxAuthFailures = Setting<Int>(
        "receiver.max_auth_failures", .integer(1...100), "3", unit: .times, effect: .newSessions, source: "R-RCV-18")
    /// Failed authentications of one client address within `lockWindow` that lock it; 0 = never (field notes A8b).
    package static let lockAddressFailures = Setting<Int>(
        "receiver.lock_address_failures", .integer(0...100_000), "10", unit: .times, effect: .now,
        source: "field notes A8b")
    /// Failed authentications of one account within `lockWindow` that lock it; 0 = never. Addresses from which it logged
    /// in before stay open to it.
    package static let lockAccountFailures = Setting<Int>(
        "receiver.lock_account_failures", .integer(0...100_000), "20", unit: .times, effect: .now,
        source: "field notes A8b")
    /// Time in which failures count together.
    package static let lockWindow = Setting<Int>(
        "receiver.lock_window", .integer(1...86_400), "600", unit: .seconds, effect: .now, source: "field notes A8b")
    /// How long a lock lasts; 0 = until it is released.
    package static let lockTime = Setting<Int>(
        "receiver.lock_time", .integer(0...31_536_000), "1800", unit: .seconds, effect: .now,
        source: "field notes A8b")
    /// Connections of one client address within `lockConnectionWindow` that lock it; 0 = never.
    package static let lockConnections = Setting<Int>(
        "receiver.lock_connections", .integer(0...1_000_000), "0", unit: .connections, effect: .now,
        source: "field notes A8b")
    package static let lockConnectionWindow = Setting<Int>(
        "receiver.lock_connection_window", .integer(1...86_400), "60", unit: .seconds, effect: .now,
        source: "field notes A8b")
    /// How much longer each failed authentication of an address waits for its answer, 10 seconds at most.
    package static let authFailureDelay = Setting<Int>(
        "receiver.auth_failure_delay", .integer(0...10), "1", unit: .seconds, effect: .now, source: "RFC 4954 §9")
    /// Wait for the next command (RFC 5321 §4.5.3.2.7: 300 or more).
    package static let commandTimeout = Setting<Int>(
        "receiver.command_timeout", .integer(1...3600), "300", unit: .seconds, effect: .newSessions,
        source: "RFC 5321 §4.5.3.2.7")
    /// Wait for the next octets of content (RFC 5321 §4.5.3.2.5: 180 or more).
    package static let dataTimeout = Setting<Int>(
        "receiver.data_timeout", .integer(1...3600), "180", unit: .seconds, effect: .newSessions,
        source: "RFC 5321 §4.5.3.2.5")
    /// Octets a second that content must bring on average over each `data_timeout`; slower sessions are ended, so that
    /// a peer cannot hold one for ever by sending an octet now and then. 0 = no floor.
    package static let minRate = Setting<Int>(
        "receiver.min_rate", .integer(0...1_000_000), "20", unit: .octets, effect: .newSessions,
        source: "RFC 5321 §4.5.3.2.5")

    /// DNS block lists asked about each client at MAIL FROM (R-RTAB-05).
    package static let dnsblZones = Setting<[String]>(
        "receiver.dnsbl_zones", .list(.domainName, maximum: 16), effect: .newSessions, source: "R-RTAB-05")
    /// Clients about whom no list is asked (R-RTAB-06).
    package static let dnsblExempt = Setting<[IPPattern]>(
        "receiver.dnsbl_exempt", .list(.addressPattern, maximum: 256), effect: .newSessions, source: "R-RTAB-06")
}
