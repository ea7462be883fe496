import MailModel

/// gateway.dat: destinations by recipient (R-SRV-19 to 23). Top to bottom, the first match wins.
package struct GatewayTable: Sendable {
    package static let fileName = "gateway.dat"

    package struct Rule: Hashable, Sendable {
        package let line: Int
        /// Matched against the recipient's domain, or against the whole address when it holds `@`.
        package let target: Wildcard
        /// Only for this envelope sender (`target|sender`); `nil`: any sender.
        package let sender: Wildcard?
        /// Host name, or IP address without brackets; `nil`: the recipient's domain by DNS, written `<dns>`.
        package let host: String?
        /// `host|method|name`: how to log in there.
        package let login: GatewayLogin?
        /// `nil`: `delivery.port`.
        package let port: Int?
        /// `*` behind the port: TLS from the first octet.
        package let isImplicitTLS: Bool
        /// As written.
        package let text: String

        var isAddress: Bool { target.text.utf8.contains(UInt8(ascii: "@")) }
        package var source: RuleSource { .table(file: GatewayTable.fileName, line: line) }
    }

    package let rules: [Rule]
    package let lines: TableText

    package static let empty = GatewayTable(rules: [], lines: TableText(lines: []))

    package func firstMatch(recipient: MailAddress, sender: ReversePath) -> Rule? {
        if rules.isEmpty { return nil }
        let domain = Wildcard.fold(recipient.domain)
        let address = Wildcard.fold(recipient.text)
        let from = Wildcard.fold(sender.text)
        return rules.first { rule in
            rule.target.matches(rule.isAddress ? address : domain) && rule.sender?.matches(from) ?? true
        }
    }

    package var text: String { lines.text }

    package static func read(_ text: TableText) -> TableReading<GatewayTable> {
        var rules: [Rule] = []
        var problems: [TableProblem] = []
        for (index, line) in text.lines.enumerated() {
            // Rule 1 of R-SRV-20: an apostrophe or a blank begins a comment.
            if line.isEmpty || line.hasPrefix("'") || line.hasPrefix(" ") { continue }
            switch parse(line, index + 1) {
            case .success(let rule):
                if let earlier = rules.first(where: { $0.target == rule.target && $0.sender == rule.sender }) {
                    problems.append(covered(index + 1, line, by: earlier.line))
                }
                rules.append(rule)
            case .failure(let fault): problems.append(fault.problem(index + 1, line))
            }
        }
        return TableReading(value: GatewayTable(rules: rules, lines: text), problems: problems)
    }

    package static func read(_ text: String) -> TableReading<GatewayTable> { read(TableText(text)) }

    private static func covered(_ line: Int, _ text: String, by earlier: Int) -> TableProblem {
        TableProblem(
            line: line, text: TableText.shown(text), code: "table.gateway.covered", arguments: [String(earlier)],
            message: "The line never decides: line \(earlier) has the same target.", isWarning: true)
    }

    private static func parse(_ line: String, _ number: Int) -> Result<Rule, Fault> {
        let fields = line.split(separator: ",", omittingEmptySubsequences: false).map { $0.trimmingBlanks() }
        guard fields.count == 2 || fields.count == 3 else { return .failure(.fields) }
        let target = fields[0].split(separator: "|", omittingEmptySubsequences: false).map { $0.trimmingBlanks() }
        guard let pattern = target.first, target.count <= 2, isTarget(pattern) else { return .failure(.target) }
        if target.count == 2, !isTarget(target[1]) { return .failure(.target) }
        let gateway = fields[1].split(separator: "|", omittingEmptySubsequences: false).map { $0.trimmingBlanks() }
        var login: GatewayLogin?
        if gateway.count > 1 {
            guard gateway.count == 3, let read = GatewayLogin(method: gateway[1], name: gateway[2]) else {
                return .failure(.credentials)
            }
            login = read
        }
        let isDNS = gateway.count == 1 && gateway[0].lowercased() == "<dns>"
        guard isDNS || isHost(gateway[0]) else { return .failure(.host(gateway[0])) }
        var port: Int?
        var isImplicitTLS = false
        if fields.count == 3, !fields[2].isEmpty {
            isImplicitTLS = fields[2].hasSuffix("*")
            let digits = isImplicitTLS ? String(fields[2].dropLast()).trimmingBlanks() : fields[2]
            guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let value = Int(digits),
                (1...65_535).contains(value)
            else { return .failure(.port(fields[2])) }
            port = value
        }
        return .success(
            Rule(
                line: number, target: Wildcard(pattern), sender: target.count == 2 ? Wildcard(target[1]) : nil,
                host: isDNS ? nil : bare(gateway[0]), login: login, port: port, isImplicitTLS: isImplicitTLS && !isDNS,
                text: line))
    }

    /// Domain or address characters and `*`; no blank, which would be a forgotten comma.
    private static func isTarget(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 320
            && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "<") && $0 != UInt8(ascii: ">") }
    }

    private static func isHost(_ text: String) -> Bool {
        IPAddress(bare(text)) != nil || (MailAddress.isPlainDomain(text) && !looksLikeAddress(text))
    }

    /// `10.0.0.300` is a mistyped address, not a host name.
    private static func looksLikeAddress(_ text: String) -> Bool {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2E }
    }

    /// Brackets around an IPv6 address are tolerated.
    private static func bare(_ text: String) -> String {
        text.hasPrefix("[") && text.hasSuffix("]") ? String(text.dropFirst().dropLast()) : text
    }

    private enum Fault: Error {
        case fields, target, credentials
        case host(String)
        case port(String)

        func problem(_ line: Int, _ text: String) -> TableProblem {
            let (code, arguments, message): (String, [String], String) =
                switch self {
                case .fields:
                    ("table.gateway.fields", [], "A rule has the form: target-domain,gateway,port[*]")
                case .target:
                    ("table.gateway.target", [], "The target is a domain or an address, with * where needed.")
                case .credentials:
                    (
                        "table.gateway.credentials", [],
                        "Credentials have the form host|method|name; methods are PLAIN, LOGIN, CRAM-MD5 and XOAUTH2, the name is that of a file in conf/credentials."
                    )
                case .host(let host):
                    (
                        "table.gateway.host", [TableText.shown(host)],
                        "'\(TableText.shown(host))' is no host name and no IP address."
                    )
                case .port(let port):
                    (
                        "table.gateway.port", [TableText.shown(port)],
                        "'\(TableText.shown(port))' is no port: 1 to 65535, with * behind it for TLS from the start."
                    )
                }
            return TableProblem(
                line: line, text: TableText.shown(text), code: code, arguments: arguments, message: message)
        }
    }
}
