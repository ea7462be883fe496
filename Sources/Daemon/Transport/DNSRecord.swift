import MailModel

/// Record data off the wire (RFC 1035 §3.3, RFC 3596): everything in it was written by somebody else.
enum DNSRecord {
    static let typeA: Int32 = 1
    static let typePTR: Int32 = 12
    static let typeMX: Int32 = 15
    static let typeAAAA: Int32 = 28

    /// Preference and exchange; the host is empty for the root (null MX). `nil`: malformed, or no host name.
    static func mailExchange(_ data: UnsafeRawBufferPointer) -> MailExchange? {
        guard data.count >= 3 else { return nil }
        let preference = Int(data[0]) << 8 | Int(data[1])
        guard let host = name(UnsafeRawBufferPointer(rebasing: data[2...])) else { return nil }
        return MailExchange(preference: preference, host: host)
    }

    /// An uncompressed name as text, lower case, without final dot. Names that could not be host names (other octets
    /// than letters, digits, `-`, `_`) are refused: they would have to be printed, compared and put into commands.
    static func name(_ data: UnsafeRawBufferPointer) -> String? {
        var out: [UInt8] = []
        var position = 0
        while position < data.count {
            let length = Int(data[position])
            if length == 0 { return position == data.count - 1 ? String(decoding: out, as: UTF8.self) : nil }
            guard length <= 63, position + 1 + length < data.count, out.count + length <= 255 else { return nil }
            if !out.isEmpty { out.append(UInt8(ascii: ".")) }
            for octet in data[(position + 1)...(position + length)] {
                switch octet {
                case UInt8(ascii: "A")...UInt8(ascii: "Z"): out.append(octet + 32)
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
                    UInt8(ascii: "_"):
                    out.append(octet)
                default: return nil
                }
            }
            position += 1 + length
        }
        return nil
    }

    /// What a set of MX records means (RFC 5321 §5.1, RFC 7505 §3). Malformed records are left out.
    /// - Returns: `nil` when there are records and none is usable.
    static func meaning(of records: [MailExchange], malformed: Int) -> MailExchanges? {
        if records.isEmpty { return malformed == 0 ? MailExchanges.none : nil }
        let hosts = records.filter { !$0.host.isEmpty }
        if hosts.isEmpty { return .null }
        return .hosts(hosts)
    }
}
