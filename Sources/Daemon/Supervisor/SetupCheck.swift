import Control
import Glibc
import MailModel
import Policy
import Settings
import Tables

/// What a set-up would write, after all of it was looked at (R-WIZ-06 to R-WIZ-10).
struct SetupPlan: Sendable {
    /// Normalised texts by key.
    var settings: [(key: String, texts: [String])] = []
    var domains: [(name: String, address: IPAddress)] = []
    var networks: [String] = []
    var problems: [Problem] = []

    /// Looks at everything and reports everything. Pure.
    /// - Parameter localAddresses: of this machine.
    init(_ input: ServerInterface.Setup.Input, localAddresses: [IPAddress]) {
        if AccountBackend(rawValue: input.backend) == nil {
            fault("backend", "setup.backend", "\(input.backend) is not soft, system or ldap (R-WIZ-06)", input.backend)
        } else {
            settings.append((AccountSettings.backend.key, [input.backend]))
        }
        readServers(input.dnsServers)
        readDomains(input.domains, localAddresses)
        if MailAddress(typed: input.administrator) == nil {
            fault(
                "administrator", "setup.administrator",
                "\"\(input.administrator)\" is not a complete mail address, with the part after @ (R-WIZ-09)",
                input.administrator)
        } else {
            settings.append((AdminSettings.account.key, [input.administrator]))
        }
        readFolder(input.workFolder, "workFolder", ServerSettings.workFolder.definition)
        readFolder(input.mailboxFolder, "mailboxFolder", ServerSettings.mailboxFolder.definition)
        if let folder = input.accountFolder, !folder.isEmpty {
            fault(
                "accountFolder", "setup.account-folder",
                "accounts are kept in the settings store; \(folder) is not used", folder, isWarning: true)
        }
        readNetworks(input.relayNetworks)
        readAccountSettings(input.accountSettings ?? [])
    }

    /// What belongs to the way to the accounts, and nothing else: other settings have their own places.
    private mutating func readAccountSettings(_ changes: [SettingChange]) {
        for change in changes {
            guard AccountBackend.concerns(change.key), change.key != AccountSettings.backend.key,
                let definition = SettingsCatalogue.definition(of: change.key)
            else {
                fault(
                    "accountSettings", "setup.account-setting", "\(change.key) is no setting of a back-end", change.key)
                continue
            }
            guard let values = change.values else {
                settings.append((change.key, definition.defaultValues(.hierarchy)))
                continue
            }
            switch definition.normalized(values) {
            case .success(let texts): settings.append((change.key, texts))
            case .failure(let problem):
                problems.append(
                    Problem(
                        path: change.key, code: problem.code, message: problem.message, arguments: problem.arguments))
            }
        }
    }

    /// What is wrong with the way to the accounts when this is written over `settings`.
    func accountProblems(over settings: SettingsSnapshot) -> [Problem] {
        var settings = settings
        for (key, texts) in self.settings where AccountBackend.concerns(key) { settings.set(key, to: texts) }
        return settings.accountProblems().map { found in
            Problem(
                path: found.key, code: found.code, message: found.message, arguments: found.arguments,
                isWarning: found.isWarning)
        }
    }

    private mutating func fault(
        _ path: String, _ code: String, _ message: String, _ arguments: String..., isWarning: Bool = false
    ) {
        problems.append(
            Problem(path: path, code: code, message: message, arguments: arguments, isWarning: isWarning))
    }

    private mutating func readServers(_ texts: [String]) {
        let texts = texts.filter { !$0.isEmpty }
        if texts.isEmpty {
            return fault("dnsServers/0", "setup.no-dns", "at least one DNS server is needed (R-WIZ-07)")
        }
        for (index, text) in texts.enumerated() where DNSServerAddress(text) == nil {
            fault(
                "dnsServers/\(index)", "setting.not-a-dns-server",
                "\"\(text)\" is not an IP address with optional port, such as 192.0.2.53 or 127.0.0.1@5353", text)
        }
        switch ServerSettings.dnsServers.definition.normalized(texts) {
        case .success(let known): settings.append((ServerSettings.dnsServers.key, known))
        case .failure(let problem) where texts.allSatisfy({ DNSServerAddress($0) != nil }):
            fault("dnsServers/0", problem.code, problem.message)
        case .failure: break
        }
    }

    private mutating func readDomains(_ rows: [ServerInterface.Setup.Domain], _ localAddresses: [IPAddress]) {
        if rows.isEmpty || rows.count > 3 {
            return fault("domains/0/name", "setup.domains", "one to three domains are needed (R-WIZ-08)")
        }
        for (index, row) in rows.enumerated() {
            let path = "domains/\(index)"
            let name = row.name.lowercased()
            if !MailAddress.isPlainDomain(name) || IPAddress(name) != nil || !name.utf8.allSatisfy({ $0 < 0x80 }) {
                fault(path + "/name", "domain.bad-name", "\"\(row.name)\" is not a domain name in ASCII form", row.name)
                continue
            }
            if domains.contains(where: { $0.name == name }) {
                fault(path + "/name", "setup.domain-twice", "\(name) is listed twice", name)
                continue
            }
            guard let address = IPAddress(row.address) else {
                fault(path + "/address", "domain.bad-address", "\"\(row.address)\" is not an IP address", row.address)
                continue
            }
            if !localAddresses.isEmpty, !localAddresses.contains(address) {
                fault(
                    path + "/address", "setup.foreign-address",
                    "this machine does not have the address \(address) now", address.description, isWarning: true)
            }
            domains.append((name, address))
        }
    }

    private mutating func readFolder(_ text: String?, _ path: String, _ definition: SettingDefinition) {
        guard let text, !text.isEmpty else { return }
        switch definition.normalized([text]) {
        case .success(let texts): settings.append((definition.key, texts))
        case .failure(let problem): fault(path, problem.code, problem.message, text)
        }
    }

    private mutating func readNetworks(_ texts: [String]) {
        for text in texts where !text.isEmpty {
            guard let pattern = IPPattern(text) else {
                fault(
                    "relayNetworks", "setup.network",
                    "\"\(text)\" is not a network, such as 192.168.0.0/24 or 2001:db8::/32", text)
                continue
            }
            // Wider than any private network: the rest of the world would relay.
            let isTooWide =
                switch pattern {
                case .ipv4(_, let mask): mask.nonzeroBitCount < 8
                case .ipv6(_, let length): length < 16
                }
            if isTooWide {
                fault("relayNetworks", "setup.network-too-wide", "\(text) is too wide to be let relay", text)
                continue
            }
            networks.append(text)
        }
    }

    /// effect.dat for this set-up: the delivered one, or the one that is there, with the networks in front of its first
    /// rule that stands for everybody.
    func effectTable(_ current: [String]?) -> [String] {
        var lines = current ?? TableText(EffectTable.delivered).lines
        for network in networks {
            let line = "\(network) default"
            if lines.contains(line) { continue }
            let everybody = lines.firstIndex { line in
                let pattern = line.split(separator: " ").first.flatMap { IPPattern($0) }
                return pattern == IPPattern("*.*.*.*") || pattern == IPPattern("::/0")
            }
            lines.insert(line, at: everybody ?? lines.count)
        }
        return lines
    }
}

/// What this machine has and knows.
enum Machine {
    /// Addresses with their interface: `192.0.2.1 (eth0)`; link-local ones are left out.
    static func addresses() -> [(address: IPAddress, interface: String)] {
        var first: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&first) == 0 else { return [] }
        defer { freeifaddrs(first) }
        var out: [(IPAddress, String)] = []
        var next = first
        while let entry = next {
            next = entry.pointee.ifa_next
            guard let place = entry.pointee.ifa_addr, let address = address(place) else { continue }
            if !address.isIPv4, address.octets[0] == 0xFE, address.octets[1] & 0xC0 == 0x80 { continue }
            let name = entry.pointee.ifa_name.map { String(cString: $0) } ?? ""
            if !out.contains(where: { $0.0 == address }) { out.append((address, name)) }
        }
        return out
    }

    private static func address(_ place: UnsafeMutablePointer<sockaddr>) -> IPAddress? {
        switch Int32(place.pointee.sa_family) {
        case AF_INET:
            place.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { place in
                withUnsafeBytes(of: place.pointee.sin_addr) { IPAddress(octets: Array($0)) }
            }
        case AF_INET6:
            place.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { place in
                withUnsafeBytes(of: place.pointee.sin6_addr) { IPAddress(octets: Array($0)) }
            }
        default: nil
        }
    }

    /// `nameserver` lines of /etc/resolv.conf.
    static func dnsServers() -> [String] {
        guard let octets = SmallFile.read("/etc/resolv.conf", limit: 64 << 10) else { return [] }
        return String(decoding: octets, as: UTF8.self).split(separator: "\n").compactMap { line in
            let words = line.split { $0 == " " || $0 == "\t" }
            guard words.count > 1, words[0] == "nameserver", let address = IPAddress(words[1]) else { return nil }
            return address.description
        }
    }
}
