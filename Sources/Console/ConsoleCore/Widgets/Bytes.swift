/// Sizes for people: powers of 1,024 with one decimal (`4.0 GB`), and back.
package enum Bytes {
    private static let units = ["B", "KB", "MB", "GB", "TB", "PB"]

    package static func text(_ octets: Int) -> String {
        var tenths = octets
        var unit = 0
        guard octets >= 1_024 else { return "\(octets) B" }
        // Kept in tenths of the unit so that no floating point is needed.
        var remainder = 0
        while tenths >= 1_024, unit + 1 < units.count {
            remainder = tenths % 1_024
            tenths /= 1_024
            unit += 1
        }
        return "\(tenths).\(remainder * 10 / 1_024) \(units[unit])"
    }

    /// `4294967296`, `4G`, `1.5 MB`; `nil` for anything else and for what no Int holds.
    package static func parse(_ text: String) -> Int? {
        var digits = text.filter { $0 != " " }
        if digits.last == "b" || digits.last == "B" { digits.removeLast() }
        var shift = 0
        if let unit = digits.last, let power = ["k": 10, "m": 20, "g": 30, "t": 40][unit.lowercased()] {
            shift = power
            digits.removeLast()
        }
        let parts = digits.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first.flatMap({ Int($0) }), whole >= 0 else { return nil }
        let (value, overflow) = whole.multipliedReportingOverflow(by: 1 << shift)
        guard !overflow else { return nil }
        guard parts.count == 2 else { return value }
        guard shift > 0, let tenth = parts[1].first.flatMap({ $0.wholeNumberValue }), parts[1].count == 1 else {
            return nil
        }
        let (sum, tooLarge) = value.addingReportingOverflow(tenth * (1 << shift) / 10)
        return tooLarge ? nil : sum
    }
}
