import MailModel

/// What a setting may hold. Values travel as lists of texts: one element for a single value, none for an empty one.
package enum SettingType: Hashable, Sendable {
    /// One line of any text, at most 1,000 octets.
    case text
    case integer(ClosedRange<Int>)
    /// `true` or `false`.
    case boolean
    /// Exactly one of these.
    case choice([String])
    /// Any of these, also none.
    case choices([String])
    /// A password; stored as a hash, never sent to a client.
    case secret
    /// A password that we must say to others; stored under the key file, never sent to a client.
    case sealed
    /// IP address; may be empty.
    case address
    /// Absolute path of a file or folder; may be empty.
    case path
    /// Absolute path with `%USERNAME%`, or a path that begins with `%HOME%` (R-SRV-14).
    case mailboxPattern
    /// IP address or host name; may be empty.
    case host
    /// Host name; may be empty.
    case domainName
    /// Complete mail address; may be empty.
    case mailAddress
    case list(Element, maximum: Int)

    package enum Element: String, Hashable, Sendable {
        /// `192.0.2.53`, `127.0.0.1@5353`, `2001:db8::53`
        case dnsServer
        /// `192.0.2.1:25`, `[2001:db8::1]:465*`, `*.*.*.*:587`
        case listener
        /// Complete mail address.
        case mailAddress
        /// `list.example`, without a final dot.
        case domainName
        /// `10.*.*.*`, `192.168.1.0/28`, `2001:db8::/32`: the forms of effect.dat (R-RTAB-10).
        case addressPattern
    }
}

extension SettingType {
    /// The texts in the form in which they are stored: blanks around them gone, an empty single value as no element,
    /// addresses and listeners canonical, choices in catalogue order.
    /// - Returns: what is wrong with them instead, with an empty `key`.
    package func normalized(_ texts: [String]) -> Result<[String], SettingProblem> {
        var texts = texts.map { $0.trimmed }
        if texts == [""] { texts = [] }
        switch self {
        case .choices(let allowed):
            for text in texts where !allowed.contains(where: { $0.lowercased() == text.lowercased() }) {
                return .failure(Self.notAChoice(text, allowed))
            }
            return .success(allowed.filter { known in texts.contains { $0.lowercased() == known.lowercased() } })
        case .list(let element, let maximum):
            if texts.count > maximum {
                return .failure(
                    .init(
                        key: "", code: "setting.too-many", message: "at most \(maximum) entries are allowed",
                        arguments: [String(maximum)]))
            }
            return Self.normalized(texts, element)
        default:
            guard texts.count <= 1 else {
                return .failure(.init(key: "", code: "setting.one-value", message: "exactly one value is expected"))
            }
            return normalizedSingle(texts.first ?? "").map { $0.isEmpty ? [] : [$0] }
        }
    }

    private static func normalized(_ texts: [String], _ element: Element) -> Result<[String], SettingProblem> {
        var out: [String] = []
        for text in texts {
            let canonical: String? =
                switch element {
                case .dnsServer: DNSServerAddress(text)?.text
                case .listener: ListenerAddress(text)?.text
                case .mailAddress: MailAddress(typed: text)?.text
                case .domainName: domainName(text)
                case .addressPattern: IPPattern(text.lowercased()) != nil ? text.lowercased() : nil
                }
            guard let canonical else { return .failure(notAnElement(text, element)) }
            if out.contains(canonical) {
                return .failure(
                    .init(
                        key: "", code: "setting.duplicate", message: "\(canonical) is listed twice",
                        arguments: [canonical]))
            }
            out.append(canonical)
        }
        return .success(out)
    }

    private static func domainName(_ text: String) -> String? {
        let name = (text.hasSuffix(".") ? String(text.dropLast()) : text).lowercased()
        let isName = MailAddress.isPlainDomain(name) && name.utf8.allSatisfy { $0 < 0x80 } && IPAddress(name) == nil
        return isName ? name : nil
    }

    private func normalizedSingle(_ text: String) -> Result<String, SettingProblem> {
        if text.utf8.count > 1000 || text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) {
            return .failure(
                .init(
                    key: "", code: "setting.bad-text",
                    message: "the text holds control characters or is longer than 1,000 octets"))
        }
        switch self {
        case .integer(let range): return Self.integer(text, range)
        case .boolean:
            switch text.lowercased() {
            case "true", "yes", "on", "1": return .success("true")
            case "false", "no", "off", "0": return .success("false")
            default: return .failure(Self.notAChoice(text, ["true", "false"]))
            }
        case .choice(let allowed):
            guard let known = allowed.first(where: { $0.lowercased() == text.lowercased() }) else {
                return .failure(Self.notAChoice(text, allowed))
            }
            return .success(known)
        case .path: return Self.path(text)
        case .mailboxPattern: return Self.mailboxPattern(text)
        case .host, .domainName: return host(text)
        case .mailAddress:
            guard text.isEmpty || MailAddress(typed: text) != nil else {
                return .failure(
                    .init(
                        key: "", code: "setting.not-an-address",
                        message: "\"\(text)\" is not a complete mail address, such as postmaster@example.jp",
                        arguments: [text]))
            }
            return .success(text)
        case .address:
            if text.isEmpty { return .success("") }
            guard let address = IPAddress(text) else {
                return .failure(
                    .init(
                        key: "", code: "setting.not-an-ip", message: "\"\(text)\" is not an IP address",
                        arguments: [text]))
            }
            return .success(address.description)
        case .text, .secret, .sealed, .choices, .list: return .success(text)
        }
    }

    private static func integer(_ text: String, _ range: ClosedRange<Int>) -> Result<String, SettingProblem> {
        guard let value = Int(text), text.utf8.first != UInt8(ascii: "+") else {
            return .failure(
                .init(
                    key: "", code: "setting.not-a-number", message: "\"\(text)\" is not a whole number",
                    arguments: [text]))
        }
        guard range.contains(value) else {
            return .failure(
                .init(
                    key: "", code: "setting.out-of-range",
                    message: "\(value) is out of range; allowed are \(range.lowerBound) to \(range.upperBound)",
                    arguments: [String(value), String(range.lowerBound), String(range.upperBound)]))
        }
        return .success(String(value))
    }

    private static func path(_ text: String) -> Result<String, SettingProblem> {
        if text.isEmpty { return .success("") }
        guard text.hasPrefix("/"), !text.split(separator: "/").contains("..") else {
            return .failure(
                .init(
                    key: "", code: "setting.not-absolute",
                    message: "\"\(text)\" is not an absolute path without \"..\"", arguments: [text]))
        }
        return .success(text.utf8.count > 1 && text.hasSuffix("/") ? String(text.dropLast()) : text)
    }

    private static func mailboxPattern(_ text: String) -> Result<String, SettingProblem> {
        guard text.contains("%USERNAME%") || text.contains("%HOME%") else {
            return .failure(
                .init(
                    key: "", code: "setting.no-variable",
                    message: "the mailbox folder must contain %USERNAME% or %HOME%"))
        }
        return path(text.hasPrefix("%HOME%") ? "/" + text : text).map {
            text.hasPrefix("%HOME%") ? String($0.dropFirst()) : $0
        }
    }

    private func host(_ text: String) -> Result<String, SettingProblem> {
        if text.isEmpty { return .success("") }
        if self == .host, let address = IPAddress(text) { return .success(address.description) }
        guard MailAddress.isPlainDomain(text), IPAddress(text) == nil else {
            return .failure(
                .init(key: "", code: "setting.not-a-host", message: "\"\(text)\" is not a host name", arguments: [text])
            )
        }
        return .success(text)
    }

    private static func notAChoice(_ text: String, _ allowed: [String]) -> SettingProblem {
        let list = allowed.joined(separator: ", ")
        return .init(
            key: "", code: "setting.not-a-choice", message: "\"\(text)\" is not one of: \(list)",
            arguments: [text, list])
    }

    private static func notAnElement(_ text: String, _ element: Element) -> SettingProblem {
        switch element {
        case .dnsServer:
            .init(
                key: "", code: "setting.not-a-dns-server",
                message: "\"\(text)\" is not an IP address with optional port, such as 192.0.2.53 or 127.0.0.1@5353",
                arguments: [text])
        case .mailAddress:
            .init(
                key: "", code: "setting.not-an-address",
                message: "\"\(text)\" is not a complete mail address, such as postmaster@example.jp", arguments: [text])
        case .listener:
            .init(
                key: "", code: "setting.not-a-listener",
                message: "\"\(text)\" is not ADDRESS:PORT, such as 192.0.2.1:25, [2001:db8::1]:25 or *.*.*.*:465*",
                arguments: [text])
        case .domainName:
            .init(
                key: "", code: "setting.not-a-host", message: "\"\(text)\" is not a host name", arguments: [text])
        case .addressPattern:
            .init(
                key: "", code: "setting.not-a-pattern",
                message: "\"\(text)\" is not an address or range, such as 192.0.2.1, 10.*.*.* or 2001:db8::/32",
                arguments: [text])
        }
    }
}

extension String {
    /// Without blanks and tabs at both ends.
    var trimmed: String {
        let blank: (Unicode.Scalar) -> Bool = { $0 == " " || $0 == "\t" }
        var scalars = unicodeScalars[...]
        while let first = scalars.first, blank(first) { scalars.removeFirst() }
        while let last = scalars.last, blank(last) { scalars.removeLast() }
        return String(scalars)
    }
}
