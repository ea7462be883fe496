/// Base 64 with padding, as SASL uses it (RFC 4648 §4, RFC 4954 §4): strict, because two readings of one credential
/// are one too many.
package enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    private static let values: [UInt8] = {
        var table = [UInt8](repeating: 0xFF, count: 256)
        for (value, octet) in alphabet.enumerated() { table[Int(octet)] = UInt8(value) }
        return table
    }()

    /// - Returns: `nil` unless the length is a multiple of four, every octet is in the alphabet, padding stands at the
    ///   end alone and unused bits are zero.
    package static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        guard text.count.isMultiple(of: 4) else { return nil }
        let padding = text.suffix(2).reversed().prefix { $0 == 0x3D }.count
        var out: [UInt8] = []
        out.reserveCapacity(text.count / 4 * 3)
        var bits: UInt32 = 0
        var held = 0
        for octet in text.dropLast(padding) {
            let value = values[Int(octet)]
            guard value != 0xFF else { return nil }
            bits = bits << 6 | UInt32(value)
            held += 6
            if held >= 8 {
                held -= 8
                out.append(UInt8(truncatingIfNeeded: bits >> UInt32(held)))
                bits &= (1 << UInt32(held)) - 1
            }
        }
        return bits == 0 ? out : nil
    }

    package static func encode(_ octets: some Collection<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity((octets.count + 2) / 3 * 4)
        var bits: UInt32 = 0
        var held: UInt32 = 0
        for octet in octets {
            bits = bits << 8 | UInt32(octet)
            held += 8
            while held >= 6 {
                held -= 6
                out.append(alphabet[Int(bits >> held & 63)])
            }
            bits &= (1 << held) - 1
        }
        if held > 0 { out.append(alphabet[Int(bits << (6 - held) & 63)]) }
        while !out.count.isMultiple(of: 4) { out.append(0x3D) }
        return out
    }
}
