/// Names from outside in LDAP filters and distinguished names.
package enum DirectoryText {
    /// A value in a filter (RFC 4515 §3): what has a meaning there, and all that is not plain ASCII, as `\xx`.
    package static func filterValue(_ text: String) -> String {
        escape(text) { octet in
            switch octet {
            case UInt8(ascii: "*"), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "\\"), 0...0x1F, 0x7F...0xFF:
                true
            default: false
            }
        }
    }

    /// A value in a distinguished name (RFC 4514 §2.4), as `\xx` where it is not plain.
    package static func nameValue(_ text: String) -> String {
        let count = text.utf8.count
        var position = 0
        return escape(text) { octet in
            defer { position += 1 }
            switch octet {
            case UInt8(ascii: "\""), UInt8(ascii: "+"), UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "<"),
                UInt8(ascii: ">"), UInt8(ascii: "\\"), UInt8(ascii: "="), 0...0x1F, 0x7F...0xFF:
                return true
            case UInt8(ascii: "#"): return position == 0
            case UInt8(ascii: " "): return position == 0 || position == count - 1
            default: return false
            }
        }
    }

    private static func escape(_ text: String, _ isSpecial: (UInt8) -> Bool) -> String {
        var out: [UInt8] = []
        let digits = Array("0123456789abcdef".utf8)
        for octet in text.utf8 {
            if isSpecial(octet) {
                out += [UInt8(ascii: "\\"), digits[Int(octet >> 4)], digits[Int(octet & 15)]]
            } else {
                out.append(octet)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// Fills `{name}`, `{domain}` and `{address}` in one pass: what was filled in is not looked at again.
    /// - Parameter escape: how a value is made safe where it goes.
    package static func fill(
        _ template: String, name: String, domain: String, _ escape: (String) -> String
    ) -> String {
        var out = ""
        var rest = template[...]
        let values = [("{name}", name), ("{domain}", domain), ("{address}", "\(name)@\(domain)")]
        while let first = rest.first {
            if first == "{", let (mark, value) = values.first(where: { rest.hasPrefix($0.0) }) {
                out += escape(value)
                rest = rest.dropFirst(mark.count)
            } else {
                out.append(first)
                rest = rest.dropFirst()
            }
        }
        return out
    }

    /// The filter that finds everybody whom `template` finds by some name.
    package static func everybody(_ template: String) -> String {
        ["{address}", "{name}", "{domain}"].reduce(template) { $0.replacing($1, with: "*") }
            .replacing("*@*", with: "*")
    }

    /// Who a user logs in as by a template.
    /// - Returns: `nil` when the name cannot be told from the syntax around it.
    package static func bindName(_ template: String, name: String, domain: String) -> String? {
        if template.contains("=") { return fill(template, name: name, domain: domain, nameValue) }
        // `{name}@corp.example` and `CORP\{name}` have no quoting: only names without a meaning go in.
        let isPlain = name.utf8.allSatisfy { octet in
            octet > 0x20 && octet != 0x7F && !"\"+,;<>\\=@/#*()".utf8.contains(octet)
        }
        return isPlain && !name.isEmpty ? fill(template, name: name, domain: domain) { $0 } : nil
    }

    /// Whether an attribute `userAccountControl` of Active Directory says that an account is switched off
    /// (ADS_UF_ACCOUNTDISABLE, 2).
    package static func isDisabled(userAccountControl text: String) -> Bool { (Int64(text) ?? 0) & 2 != 0 }
}
