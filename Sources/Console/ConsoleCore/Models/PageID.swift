/// The pages of the console: the eleven tabs of Mail Control in the original's order (R-MC-02), the Account Manager, and
/// the monitor's tabs. Raw values are the shell's tab ids.
enum PageID: String, CaseIterable, Hashable, Sendable {
    case server, ssl, domain, service, relay, alias, lists, logs, filter, virus, about
    case accounts
    case dashboard, queue, log, trace, simulate, senders, history

    static let control: [PageID] = [
        .server, .ssl, .domain, .service, .relay, .alias, .lists, .logs, .filter, .virus, .about,
    ]
    static let monitor: [PageID] = [.dashboard, .queue, .log, .trace, .simulate, .senders, .history]

    /// Catalogue keys: the short name in the tab bar and the full title in row 2.
    var name: Phrase { Phrase("tab.\(rawValue)") }
    var title: Phrase { Phrase("page.\(rawValue)") }
    /// How others see it behind `@`; the same in every language.
    var presenceName: String { rawValue.prefix(1).uppercased() + rawValue.dropFirst() }

    /// Which page a place of the configuration is edited on.
    static func of(path: String) -> PageID {
        if path.hasPrefix("account/") || path.hasPrefix("file/") { return .accounts }
        if path == "alias" || path.hasPrefix("alias/") { return .alias }
        if path.hasPrefix(RevertRecord.prefix) { return .history }
        if path.hasPrefix("domain/") { return .domain }
        if path.hasPrefix("table/") {
            return path == "table/gateway" ? .server : path == "table/effect" ? .relay : .service
        }
        if let page = places[path] { return page }
        switch path.prefix(while: { $0 != "." }) {
        case "server", "console": return .server
        case "tls": return .ssl
        case "net", "accounts", "ldap", "admin": return .domain
        case "receiver", "delivery": return .service
        default: return .logs
        }
    }

    private static let places: [String: PageID] = [
        "admin.password_hash": .server,
        "receiver.max_message_size": .relay, "receiver.mailbox_quota": .relay, "receiver.max_recipients": .relay,
        "receiver.dnsbl_zones": .relay, "receiver.dnsbl_exempt": .relay, "table/hiddensmtpip": .service,
    ]
}
