/// The content of a forwarded mail with less in it than the original (R-CTL-11, R-CTL-12). Valid MIME again.
package enum ForwardContent {
    /// - Parameters:
    ///   - octets: the mail, LF line ends.
    ///   - limit: octets of text; `nil`: no limit, 0: the header alone.
    ///   - boundary: for a multipart of ours; must not be in the mail.
    package static func reduce(
        _ octets: [UInt8], removesAttachments: Bool, limit: Int?, boundary: String
    ) -> [UInt8] {
        let bodyStart = MessageFacts(scanning: octets).bodyStart
        if let limit, octets.count - bodyStart > limit {
            let header = header(octets, bodyStart)
            if limit == 0 { return header + [0x0A] }
            return header + cut(octets, limit)
        }
        guard removesAttachments else { return octets }
        let parts = MIMEPart.leaves(of: octets)
        let kept = textParts(parts)
        let removed = parts.filter { part in !kept.contains(part) && (part.isAttachment || !part.isAlternative) }
        if removed.isEmpty { return octets }
        return header(octets, bodyStart) + join(octets, kept, removed, boundary)
    }

    /// `text/plain`, or `text/html` where there is none.
    private static func textParts(_ parts: [MIMEPart]) -> [MIMEPart] {
        let plain = parts.filter { $0.type == "text/plain" && !$0.isAttachment }
        return plain.isEmpty ? parts.filter { $0.type == "text/html" && !$0.isAttachment } : plain
    }

    /// The fields that do not speak of the content.
    private static func header(_ octets: [UInt8], _ bodyStart: Int) -> [UInt8] {
        var out: [UInt8] = []
        _ = HeaderScan.fields(in: octets.span) { field in
            let name = String(decoding: octets[field.name], as: UTF8.self).lowercased()
            if !name.hasPrefix("content-"), name != "mime-version" { out += octets[field.whole] }
            return true
        }
        if let last = out.last, last != 0x0A { out.append(0x0A) }
        return out
    }

    private static func join(
        _ octets: [UInt8], _ kept: [MIMEPart], _ removed: [MIMEPart], _ boundary: String
    ) -> [UInt8] {
        var out = LineWriter()
        out.line("MIME-Version: 1.0")
        out.line("Content-Type: multipart/mixed; boundary=\"\(boundary)\"")
        // What the parts hold is not known to be 7 bit.
        out.line("Content-Transfer-Encoding: 8bit")
        out.line()
        for part in kept {
            out.line("--\(boundary)")
            out.line("Content-Type: \(part.type)" + (part.charset.map { "; charset=\"\(word($0))\"" } ?? ""))
            out.line("Content-Transfer-Encoding: \(word(part.encoding))")
            out.line()
            out.raw(Array(octets[part.body]))
            out.line()
        }
        out.line("--\(boundary)")
        out.line("Content-Type: text/plain; charset=utf-8")
        out.line("Content-Transfer-Encoding: 8bit")
        out.line()
        for part in removed { out.line("[removed: \(part.name ?? "part without a name"), \(word(part.type))]") }
        out.line()
        out.line("--\(boundary)--")
        return out.octets
    }

    /// A word from the mail on its way into a header field: letters, digits and `-_./+` only.
    private static func word(_ text: String) -> String {
        String(
            decoding: text.utf8.filter {
                ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A) || ($0 >= 0x30 && $0 <= 0x39) || "-_./+".utf8.contains($0)
            }, as: UTF8.self)
    }

    /// The first text, cut at a line, or within its first line at a character.
    private static func cut(_ octets: [UInt8], _ limit: Int) -> [UInt8] {
        let parts = textParts(MIMEPart.leaves(of: octets))
        let text = parts.first?.text(octets) ?? ""
        var end = text.utf8.index(text.startIndex, offsetBy: min(limit, text.utf8.count))
        if end < text.endIndex {
            let line = text.utf8[..<end].lastIndex(of: 0x0A).map { text.utf8.index(after: $0) }
            while end > text.startIndex, end.samePosition(in: text.unicodeScalars) == nil {
                end = text.utf8.index(before: end)
            }
            if let line, line > text.startIndex { end = line }
        }
        let kept = Array(text.utf8[..<end])
        var out = LineWriter()
        out.line("MIME-Version: 1.0")
        out.line("Content-Type: \(parts.first?.type ?? "text/plain"); charset=utf-8")
        out.line("Content-Transfer-Encoding: 8bit")
        out.line()
        out.raw(kept)
        return out.octets
    }
}
