import ArgumentParser

/// A number of octets on the command line: digits, or with `K`, `M`, `G` (1,024 each).
struct Octets: ExpressibleByArgument {
    let count: Int
    init?(argument: String) {
        var digits = argument[...]
        var factor = 1
        switch argument.last?.uppercased() {
        case "K": factor = 1 << 10
        case "M": factor = 1 << 20
        case "G": factor = 1 << 30
        default: break
        }
        if factor > 1 { digits.removeLast() }
        guard let number = Int(digits), number >= 0 else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: factor)
        guard !overflow else { return nil }
        count = product
    }

    /// `0 B`, `512 B`, `10.0 KB`, `3.2 GB`
    static func text(_ count: Int) -> String {
        if count < 1024 { return "\(count) B" }
        var tenths = Int((Double(count) * 10 / 1024).rounded())
        for unit in ["KB", "MB", "GB"] {
            if tenths < 10240 || unit == "GB" { return "\(tenths / 10).\(tenths % 10) \(unit)" }
            tenths /= 1024
        }
        return "\(count) B"
    }
}
