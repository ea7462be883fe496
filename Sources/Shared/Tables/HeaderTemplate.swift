import MessageFormat

/// header.dat: the `Received:` field that the receiver puts on top of each mail (R-RCV-36 to 39). Read once, filled in
/// per message without searching.
package struct HeaderTemplate: Sendable {
    package static let fileName = "header.dat"

    /// In force when the file is missing, empty or refused (R-RCV-39).
    package static let delivered = """
        Received: from %HELO% (%CLIENTNAME% [%CLIENTIP%])
        \tby %HOSTNAME% (%PRODUCT%) with %PROTOCOL%
        \tid <%ID%@%HOSTNAME%>; %DATE%

        """

    /// R-RCV-38.
    package enum PlaceHolder: String, Hashable, Sendable, CaseIterable {
        case helo = "HELO"
        case clientName = "CLIENTNAME"
        case clientIP = "CLIENTIP"
        case hostName = "HOSTNAME"
        case localIP = "LOCALIP"
        case product = "PRODUCT"
        case protocolName = "PROTOCOL"
        case id = "ID"
        case recipient = "RCPT"
        case authUser = "AUTHUSER"
        case date = "DATE"
        case tls = "TLSINFO"

        /// The original knows `SSLINFO` as well (A9).
        init?(named name: String) { self.init(rawValue: name == "SSLINFO" ? "TLSINFO" : name) }
    }

    enum Segment: Hashable, Sendable {
        case text([UInt8])
        case value(PlaceHolder)
    }
    let segments: [Segment]
    package let lines: TableText

    /// The built-in template.
    package static let standard = HeaderTemplate(lines: TableText(delivered))

    private init(lines: TableText) {
        self.lines = lines
        segments = Self.compile(lines.lines)
    }

    package var text: String { lines.text }

    /// A refused text gives the built-in template, because the trace field must stay valid (RFC 5321 §4.4).
    package static func read(_ text: TableText) -> TableReading<HeaderTemplate> {
        var lines = text.lines
        while let last = lines.last, last.trimmingBlanks().isEmpty { lines.removeLast() }
        if lines.isEmpty { return TableReading(value: .standard, problems: []) }
        let problems = check(lines)
        if problems.contains(where: { !$0.isWarning }) { return TableReading(value: .standard, problems: problems) }
        return TableReading(value: HeaderTemplate(lines: TableText(lines: lines)), problems: problems)
    }

    package static func read(_ text: String) -> TableReading<HeaderTemplate> { read(TableText(text)) }

    private static func check(_ lines: [String]) -> [TableProblem] {
        var problems: [TableProblem] = []
        func fault(
            _ index: Int, _ code: String, _ message: String, _ arguments: [String] = [], isWarning: Bool = false
        ) {
            problems.append(
                TableProblem(
                    line: index + 1, text: TableText.shown(lines[index]), code: "table.header.\(code)",
                    arguments: arguments, message: message, isWarning: isWarning))
        }
        if !lines[0].lowercased().hasPrefix("received:") {
            fault(0, "received", "The template must begin with 'Received:'.")
        }
        for (index, line) in lines.enumerated() {
            if index > 0, !(line.hasPrefix(" ") || line.hasPrefix("\t")) {
                fault(index, "folding", "A continuation line begins with a blank or a TAB.")
            }
            if line.trimmingBlanks().isEmpty { fault(index, "empty", "An empty line would end the header.") }
            if line.utf8.contains(where: { ($0 < 0x20 && $0 != 0x09) || $0 == 0x7F }) {
                fault(index, "control", "The line holds a control character.")
            }
            if line.utf8.count > 500 { fault(index, "length", "The line is longer than 500 octets.") }
            for case .name(let name, let written) in split(line) where PlaceHolder(named: name) == nil {
                let shown = TableText.shown(written)
                // A lone ampersand may be meant as text.
                fault(
                    index, "place-holder", "'\(shown)' is not a place-holder.", [shown],
                    isWarning: written.hasPrefix("&"))
            }
        }
        let last = lines.count - 1
        let end = lines[last].trimmingBlanks()
        if !end.hasSuffix("; %DATE%"), !end.hasSuffix("; &DATE") {
            fault(last, "date", "The template must end with '; %DATE%', the date of the trace field.")
        }
        return problems
    }

    private enum Piece {
        case text(String)
        /// As written: `%HELO%`, `&HELO`.
        case name(String, written: String)
    }

    /// Names are capital letters between two `%`, or behind an `&` as the original writes them (A9).
    private static func split(_ line: String) -> [Piece] {
        var pieces: [Piece] = []
        var text: [UInt8] = []
        let octets = Array(line.utf8)
        var index = 0
        while index < octets.count {
            let octet = octets[index]
            guard octet == UInt8(ascii: "%") || octet == UInt8(ascii: "&") else {
                text.append(octet)
                index += 1
                continue
            }
            let end = octets[(index + 1)...].firstIndex { !(0x41...0x5A).contains($0) } ?? octets.count
            let name = String(decoding: octets[(index + 1)..<end], as: UTF8.self)
            let isClosed = octet == UInt8(ascii: "%") && end < octets.count && octets[end] == octet
            guard !name.isEmpty, isClosed || octet == UInt8(ascii: "&") else {
                text.append(octet)
                index += 1
                continue
            }
            if !text.isEmpty { pieces.append(.text(String(decoding: text, as: UTF8.self))) }
            text = []
            index = isClosed ? end + 1 : end
            pieces.append(.name(name, written: isClosed ? "%\(name)%" : "&\(name)"))
        }
        if !text.isEmpty { pieces.append(.text(String(decoding: text, as: UTF8.self))) }
        return pieces
    }

    private static func compile(_ lines: [String]) -> [Segment] {
        var segments: [Segment] = []
        var pending: [UInt8] = []
        for line in lines {
            for piece in split(line) {
                switch piece {
                case .text(let text): pending.append(contentsOf: text.utf8)
                case .name(let name, let written):
                    guard let holder = PlaceHolder(named: name) else {
                        pending.append(contentsOf: written.utf8)
                        continue
                    }
                    segments.append(.text(pending))
                    segments.append(.value(holder))
                    pending = []
                }
            }
            pending.append(0x0A)
        }
        segments.append(.text(pending))
        return segments
    }
}

/// What a trace field tells about one message; texts from the network are cleaned when they are filled in.
package struct TraceValues: Sendable {
    package var helo: String
    /// Reverse name of the client; `nil`: `unverified`.
    package var clientName: String?
    package var clientIP: String
    package var hostName: String
    package var localIP: String
    package var product: String
    /// `SMTP`, `ESMTP`, `ESMTPS`, `ESMTPA`, `ESMTPSA`, or their UTF8 forms (RFC 3848, RFC 6531 §3.7.3).
    package var protocolName: String
    package var id: String
    /// `nil` when there are several, so that no recipient learns of another.
    package var recipient: String?
    package var authUser: String?
    /// TLS version and cipher; empty without TLS.
    package var tls: String
    package var date: MailDate

    package init(
        helo: String, clientName: String? = nil, clientIP: String, hostName: String, localIP: String, product: String,
        protocolName: String, id: String, recipient: String? = nil, authUser: String? = nil, tls: String = "",
        date: MailDate
    ) {
        self.helo = helo
        self.clientName = clientName
        self.clientIP = clientIP
        self.hostName = hostName
        self.localIP = localIP
        self.product = product
        self.protocolName = protocolName
        self.id = id
        self.recipient = recipient
        self.authUser = authUser
        self.tls = tls
        self.date = date
    }
}

extension TraceValues {
    /// Made-up values for a preview: a message that comes in over TLS from an authenticated client.
    package static func example(hostName: String, product: String = "epost", now: MailDate) -> TraceValues {
        TraceValues(
            helo: "pc7.example.jp", clientName: "pc7.example.jp", clientIP: "192.0.2.7", hostName: hostName,
            localIP: "192.0.2.25", product: product, protocolName: "ESMTPSA", id: "B0000123123",
            recipient: "hanako@example.com", authUser: "taro@example.jp", tls: "TLSv1.3 TLS_AES_256_GCM_SHA384",
            date: now)
    }
}

extension HeaderTemplate {
    /// The field that a text of header.dat results in, line by line, with the text's problems; a refused text gives the
    /// built-in template's field, as at run time (R-RCV-39).
    package static func preview(
        of text: String, _ values: TraceValues
    ) -> (lines: [String], problems: [TableProblem]) {
        let reading = read(text)
        var octets: [UInt8] = []
        reading.value.render(values, into: &octets)
        return (TableText(octets: octets).lines, reading.problems)
    }

    /// Appends the complete field with LF line ends, the last one included.
    package func render(_ values: TraceValues, into out: inout [UInt8]) {
        for segment in segments {
            switch segment {
            case .text(let octets): out.append(contentsOf: octets)
            case .value(.date): values.date.append(to: &out)
            case .value(.helo): Self.append(values.helo, to: &out)
            case .value(.clientName): Self.append(values.clientName ?? "unverified", to: &out)
            case .value(.clientIP): Self.append(values.clientIP, to: &out)
            case .value(.hostName): Self.append(values.hostName, to: &out)
            case .value(.localIP): Self.append(values.localIP, to: &out)
            case .value(.product): Self.append(values.product, to: &out, isTrusted: true)
            case .value(.protocolName): Self.append(values.protocolName, to: &out)
            case .value(.id): Self.append(values.id, to: &out)
            case .value(.recipient): Self.append(values.recipient ?? "", to: &out)
            case .value(.authUser): Self.append(values.authUser ?? "", to: &out)
            case .value(.tls): Self.append(values.tls, to: &out, isTrusted: true)
            }
        }
    }

    /// Octets of one value that are kept; a longer one cannot stretch the line beyond RFC 5322 §2.1.1.
    private static let valueOctets = 255

    /// A value never ends its line, its comment or the trace field: controls and `( ) \ ;` become `?`.
    private static func append(_ value: String, to out: inout [UInt8], isTrusted: Bool = false) {
        for octet in value.utf8.prefix(valueOctets) {
            let isStructure = octet == 0x28 || octet == 0x29 || octet == 0x5C || octet == 0x3B
            let isHarmful = octet < 0x20 || octet == 0x7F || (isStructure && !isTrusted)
            out.append(isHarmful ? UInt8(ascii: "?") : octet)
        }
    }
}
