package enum DeliverySettings {
    /// Off: one delivery after the other (R-DLV-02).
    package static let isMultithreaded = Setting<Bool>(
        "delivery.multithread", .boolean, "true", effect: .now, source: "R-DLV-02")
    /// Deliveries at a time (R-DLV-02).
    package static let threads = Setting<Int>(
        "delivery.threads", .integer(1...200), "20", unit: .threads, effect: .now, source: "R-DLV-02")
    /// Deliveries at a time to one remote host.
    package static let perDestination = Setting<Int>(
        "delivery.per_destination", .integer(1...200), "20", unit: .connections, effect: .now,
        source: "RFC 5321 §4.5.4.1")
    /// Port of remote servers (R-DLV-12).
    package static let port = Setting<Int>("delivery.port", .integer(1...65535), "25", effect: .now, source: "R-DLV-12")

    package static let retryInterval = Setting<Int>(
        "delivery.retry_interval", .integer(10...86400), "120", unit: .seconds, effect: .now, source: "R-DLV-18")
    /// The wait is always the interval; else it grows with each try up to an hour (R-DLV-19).
    package static let retryFixed = Setting<Bool>(
        "delivery.retry_fixed", .boolean, "false", effect: .now, source: "R-DLV-19")
    /// Repetitions after a 5yz answer; 0: it is final (RFC 5321 §4.2.1; the original has 9).
    package static let retryMaxRefusals = Setting<Int>(
        "delivery.retry_max_refusals", .integer(0...999), "0", unit: .times, effect: .now, source: "R-DLV-20")
    /// Hours of trying while the remote host answers 4yz or the connection breaks (R-DLV-20).
    package static let retryHoursLine = Setting<Int>(
        "delivery.retry_hours_line", .integer(1...999), "120", unit: .hours, effect: .now, source: "R-DLV-20")
    /// Hours of trying while the remote host cannot be reached (R-DLV-20).
    package static let retryHoursUnreachable = Setting<Int>(
        "delivery.retry_hours_unreachable", .integer(1...999), "120", unit: .hours, effect: .now, source: "R-DLV-20")

    /// Hours after which the sender of a message that still waits is told; 0: never (RFC 3461 §4.1, DELAY).
    package static let warnHours = Setting<Int>(
        "delivery.warn_hours", .integer(0...999), "4", unit: .hours, effect: .now, source: "RFC 5321 §4.5.4.1")
    /// Language of the part of a report that people read (R-DLV-24).
    package static let reportLanguage = Setting<ReportLanguage>(
        "delivery.report_language", .choice(ReportLanguage.words), "both", effect: .now, source: "R-DLV-24")

    /// Wait for a connection to one address.
    package static let connectTimeout = Setting<Int>(
        "delivery.connect_timeout", .integer(1...600), "30", unit: .seconds, effect: .now,
        source: "RFC 5321 §4.5.3.2.1")
    /// Wait for an answer (RFC 5321 §4.5.3.2: 300; the answer to the end of data is waited for twice as long).
    package static let commandTimeout = Setting<Int>(
        "delivery.command_timeout", .integer(1...3600), "300", unit: .seconds, effect: .now,
        source: "RFC 5321 §4.5.3.2.2")
    /// Received fields from which on a message counts as looping (RFC 5321 §6.3).
    package static let maxHops = Setting<Int>(
        "delivery.max_hops", .integer(10...1000), "50", unit: .hops, effect: .now, source: "R-DLV-27")
    /// Seconds for which the MX data of a destination are kept once mail went there; 0: asked each time (R-DLV-16).
    package static let mxCacheTTL = Setting<Int>(
        "delivery.mx_cache_ttl", .integer(0...8_640_000), "864000", unit: .seconds, effect: .now, source: "R-DLV-16")
    /// Log in at gateways (R-DLV-22); never at hosts found by MX (R-DLV-23).
    package static let authEnabled = Setting<Bool>(
        "delivery.auth_enabled", .boolean, "false", effect: .now, source: "R-SVC-23")
    package static let authMethod = Setting<GatewayAuthentication>(
        "delivery.auth_method", .choice(GatewayAuthentication.words), "PLAIN", effect: .now, source: "R-SVC-32")
    package static let authUser = Setting<String>("delivery.auth_user", .text, effect: .now, source: "R-SVC-33")
    package static let authPassword = Setting<String>(
        "delivery.auth_password", .sealed, effect: .now, source: "R-SVC-34")
    /// XOAUTH2: prints an access token; program and arguments, no shell.
    package static let authTokenCommand = Setting<String>(
        "delivery.auth_token_command", .text, effect: .now, source: "field notes A7")
    /// The password may travel without TLS.
    package static let authInClear = Setting<Bool>(
        "delivery.auth_in_clear", .boolean, "false", effect: .now, source: "RFC 4954 §4")
    /// EPSTDS works only while this machine owns the address; empty: always (R-DLV-04).
    package static let logicalIP = Setting<String>("delivery.logical_ip", .address, effect: .now, source: "R-DLV-04")
    /// PEM file with the authorities that certificates of other servers are checked by; empty: the system's.
    package static let tlsAuthorities = Setting<String>(
        "delivery.tls_ca_file", .path, effect: .now, source: "RFC 7435 §3")
    /// Encryption towards other servers (RFC 3207).
    package static let tls = Setting<DeliveryTLS>(
        "delivery.tls", .choice(DeliveryTLS.words), "opportunistic", effect: .now, source: "RFC 3207 §4")

    /// A forward to another domain leaves with a sender of ours when its report destination is the sender (SRS), so
    /// that SPF holds.
    package static let rewritesSenders = Setting<Bool>(
        "delivery.srs", .boolean, "true", effect: .now, source: "R-CTL-10, RFC 7208 §D.1")
    /// One sender gets one automatic reply of an account in so many days; 0: one to each mail, as the original does.
    package static let replyDays = Setting<Int>(
        "delivery.reply_days", .integer(0...365), "7", unit: .days, effect: .now, source: "RFC 3834 §2, R-CTL-33")
}
