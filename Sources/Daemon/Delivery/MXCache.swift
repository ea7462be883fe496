import MailModel
import Transport

/// MX data of destinations (R-DLV-16, R-DLV-17). Used for as long as the name servers allow; once mail went there, for
/// `delivery.mx_cache_ttl` seconds. A value: its owner guards it.
struct MXCache {
    struct Entry: Hashable, Sendable {
        var exchanges: MailExchanges
        /// Milliseconds since 1970.
        var asked: Int64
        /// Until when the name servers' own word counts.
        var expires: Int64
        /// Mail went there since it was asked.
        var isConfirmed: Bool
    }

    /// Entries at most; the oldest go first.
    static let limit = 20_000
    /// The name servers' TTL counts up to this many seconds.
    static let longestTTL = 86_400

    private(set) var entries: [String: Entry] = [:]
    /// Something was changed since it was written down.
    var isDirty = false

    /// - Parameter ttl: `delivery.mx_cache_ttl`; 0 = no cache at all.
    mutating func exchanges(of domain: String, ttl: Int, now: Int64) -> MailExchanges? {
        guard ttl > 0, let entry = entries[domain] else { return nil }
        let end =
            entry.isConfirmed ? entry.asked + Int64(ttl) * 1_000 : min(entry.expires, entry.asked + Int64(ttl) * 1_000)
        // A clock that went back must not make an entry immortal.
        if now < end, now >= entry.asked - 1_000 { return entry.exchanges }
        remove(domain)
        return nil
    }

    mutating func keep(_ answer: NameAnswer<MailExchanges>, for domain: String, now: Int64) {
        if entries.count >= Self.limit, let oldest = entries.min(by: { $0.value.asked < $1.value.asked })?.key {
            entries[oldest] = nil
        }
        let expires = now + Int64(min(answer.ttl, Self.longestTTL)) * 1_000
        entries[domain] = Entry(exchanges: answer.value, asked: now, expires: expires, isConfirmed: false)
    }

    /// Mail went to the domain with these data.
    mutating func confirm(_ domain: String) {
        guard entries[domain]?.isConfirmed == false else { return }
        entries[domain]?.isConfirmed = true
        isDirty = true
    }

    mutating func remove(_ domain: String) {
        if entries.removeValue(forKey: domain)?.isConfirmed == true { isDirty = true }
    }
}

extension MXCache {
    private static let title = "epost mxcache 1"

    /// The confirmed entries as text: a title with the version, then `domain TAB asked TAB preference host, …`.
    var text: String {
        var out = Self.title + "\n"
        for (domain, entry) in entries.sorted(by: { $0.key < $1.key }) where entry.isConfirmed {
            let hosts: [MailExchange]
            switch entry.exchanges {
            case .hosts(let found): hosts = found
            case .none: hosts = []
            case .null: continue
            }
            let list = hosts.map { "\($0.preference) \($0.host)" }.joined(separator: ",")
            out += "\(domain)\t\(entry.asked)\t\(list)\n"
        }
        return out
    }

    /// Reads what `text` wrote. It is a cache: lines that are not understood are left out, another version too.
    init(text: String) {
        let lines = text.split(separator: "\n")
        guard lines.first == Self.title[...] else { return }
        for line in lines.dropFirst().prefix(Self.limit) {
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
            guard fields.count == 3, let asked = Int64(fields[1]), MailAddress.isPlainDomain(String(fields[0])) else {
                continue
            }
            let hosts = fields[2].split(separator: ",").compactMap { item -> MailExchange? in
                let parts = item.split(separator: " ")
                guard parts.count == 2, let preference = Int(parts[0]), MailAddress.isPlainDomain(String(parts[1]))
                else {
                    return nil
                }
                return MailExchange(preference: preference, host: String(parts[1]))
            }
            entries[String(fields[0])] = Entry(
                exchanges: hosts.isEmpty ? .none : .hosts(hosts), asked: asked, expires: asked, isConfirmed: true)
        }
    }
}
