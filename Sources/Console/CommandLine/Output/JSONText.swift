import FoundationEssentials

/// JSON for `--json`: one document, keys sorted, nothing in it that could steer a terminal.
enum JSONText {
    static func document(_ value: some Encodable) -> String {
        encode(value, [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes])
    }
    /// For streams: one line.
    static func line(_ value: some Encodable) -> String { encode(value, [.sortedKeys, .withoutEscapingSlashes]) }

    private static func encode(_ value: some Encodable, _ formatting: JSONEncoder.OutputFormatting) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = formatting
        // Our own types always encode.
        guard let octets = try? encoder.encode(value) else { return "null\n" }
        return escaped(String(decoding: octets, as: UTF8.self)) + "\n"
    }

    /// DEL, C1 controls, line separators and bidirectional controls as `\uXXXX`; the encoder does so for C0 only.
    static func escaped(_ json: String) -> String {
        guard json.unicodeScalars.contains(where: isDangerous) else { return json }
        var result = ""
        for scalar in json.unicodeScalars {
            if isDangerous(scalar) {
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func isDangerous(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x7F...0x9F, 0x61C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}
