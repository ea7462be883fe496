import Glibc
import Settings

/// Names of this machine, without asking DNS.
package enum SystemName {
    /// The host name up to the first dot; names the folders of this machine. `localhost` when there is none.
    package static let node: String = {
        let name = host.split(separator: ".").first.map(String.init) ?? ""
        let isPlain =
            !name.isEmpty
            && name.utf8.allSatisfy { octet in
                octet == UInt8(ascii: "-") || octet == UInt8(ascii: "_")
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(octet)
                    || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(octet | 0x20)
            }
        return isPlain ? name : "localhost"
    }()

    private static let host: String = {
        var octets = [CChar](repeating: 0, count: 256)
        guard gethostname(&octets, octets.count - 1) == 0 else { return "localhost" }
        return String(decoding: octets.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }()

    /// The fully qualified name: the host name when it has a dot, else the name with a dot that `/etc/hosts` gives it,
    /// else the host name.
    package static let full: String = {
        if host.contains(".") { return host }
        guard let file = fopen("/etc/hosts", "re") else { return host }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 1024)
        while fgets(&line, Int32(line.count), file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            if let found = fullName(of: host, inHostsLine: text) { return found }
        }
        return host
    }()

    static func fullName(of host: String, inHostsLine line: String) -> String? {
        let content = line.split(separator: "#", omittingEmptySubsequences: false).first ?? ""
        let names = content.split { $0 == " " || $0 == "\t" || $0 == "\n" || $0 == "\r\n" }.dropFirst()
        guard names.contains(where: { $0.lowercased() == host.lowercased() }) else { return nil }
        return names.first { $0.contains(".") && $0.lowercased().hasPrefix(host.lowercased() + ".") }.map(String.init)
    }
}

extension SettingsSnapshot {
    /// Own name in greeting, EHLO and Received fields (R-DOM-10, R-RCV-07).
    package func ownName(onIPv6: Bool) -> String {
        if onIPv6, self[NetSettings.ipVersion].usesIPv6, !self[NetSettings.ipv6HostName].isEmpty {
            return self[NetSettings.ipv6HostName]
        }
        let name = self[NetSettings.hostName]
        return name.isEmpty ? SystemName.full : name
    }
}
