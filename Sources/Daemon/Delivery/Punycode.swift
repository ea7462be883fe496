/// Domain names with UTF-8 as the DNS knows them (RFC 5891 §4.4, RFC 3492): each label that is not ASCII becomes
/// `xn--…`. Labels are folded to lower case first; composed forms are expected, as mail clients send them.
enum Punycode {
    /// - Returns: the A-label form in lower case; `nil` when a label would be longer than 63 octets.
    static func domain(_ name: String) -> String? {
        if name.utf8.allSatisfy({ $0 < 0x80 }) { return name.lowercased() }
        var labels: [String] = []
        // The full-width and ideographic full stops separate labels too (RFC 3490 §3.1).
        for label in name.lowercased().split(omittingEmptySubsequences: false, whereSeparator: { ".。．｡".contains($0) })
        {
            if label.utf8.allSatisfy({ $0 < 0x80 }) {
                labels.append(String(label))
                continue
            }
            guard let encoded = encode(label.unicodeScalars.map(\.value)), encoded.count <= 59 else { return nil }
            labels.append("xn--" + String(decoding: encoded, as: UTF8.self))
        }
        return labels.joined(separator: ".")
    }

    private static let base: UInt32 = 36
    private static let tMin: UInt32 = 1
    private static let tMax: UInt32 = 26

    /// RFC 3492 §6.3; `nil` on overflow.
    static func encode(_ input: [UInt32]) -> [UInt8]? {
        guard input.count <= 63 else { return nil }
        var output = input.filter { $0 < 0x80 }.map { UInt8(truncatingIfNeeded: $0) }
        let basic = UInt32(output.count)
        var handled = basic
        if basic > 0 { output.append(UInt8(ascii: "-")) }
        var n: UInt32 = 128
        var delta: UInt32 = 0
        var bias: UInt32 = 72
        while handled < UInt32(input.count) {
            guard let next = input.filter({ $0 >= n }).min() else { return nil }
            let (step, overflow) = (next - n).multipliedReportingOverflow(by: handled + 1)
            guard !overflow, delta <= .max - step else { return nil }
            delta += step
            n = next
            for scalar in input {
                if scalar < n { delta += 1 }
                guard scalar == n else { continue }
                write(delta, bias: bias, to: &output)
                bias = adapt(delta, points: handled + 1, isFirst: handled == basic)
                delta = 0
                handled += 1
            }
            delta += 1
            n += 1
        }
        return output
    }

    /// A number in the variable-length form of RFC 3492 §3.3.
    private static func write(_ number: UInt32, bias: UInt32, to output: inout [UInt8]) {
        var q = number
        var k = base
        while true {
            let t = k <= bias ? tMin : min(k - bias, tMax)
            guard q >= t else { break }
            output.append(digit(t + (q - t) % (base - t)))
            q = (q - t) / (base - t)
            k += base
        }
        output.append(digit(q))
    }

    private static func digit(_ value: UInt32) -> UInt8 {
        UInt8(truncatingIfNeeded: value < 26 ? 97 + value : 22 + value)
    }

    private static func adapt(_ delta: UInt32, points: UInt32, isFirst: Bool) -> UInt32 {
        var delta = isFirst ? delta / 700 : delta / 2
        delta += delta / points
        var k: UInt32 = 0
        while delta > (base - tMin) * tMax / 2 {
            delta /= base - tMin
            k += base
        }
        return k + (base - tMin + 1) * delta / (delta + 38)
    }
}
