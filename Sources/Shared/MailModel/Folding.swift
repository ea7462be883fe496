@_spi(_Unicode) import Swift

/// The form in which names are compared: letter case and Unicode form (NFC, NFD) make no difference, so that two names
/// that look alike are one, in memory, in the store and on file systems that think so too.
package enum Folding {
    package static func text(_ text: String) -> String {
        let lower = text.lowercased()
        // SQLite and file names compare octets, Swift compares letters: only one form of each is stored.
        return lower.utf8.allSatisfy { $0 < 0x80 } ? lower : composed(lower)
    }

    /// NFC.
    private static func composed(_ text: String) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in text._nfc { scalars.append(scalar) }
        return String(scalars)
    }
}
