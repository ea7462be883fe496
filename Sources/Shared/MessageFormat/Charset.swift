import Glibc

/// A character set that mail and old data files use. Conversion is done by the C library's `iconv`, a pure computation.
package enum Charset: Hashable, Sendable, CaseIterable {
    case utf8, iso2022JP, shiftJIS, eucJP, latin1

    /// By its name in MIME (RFC 2978); letter case is ignored. `nil`: a set that we don't read.
    package init?(named name: some StringProtocol) {
        switch name.lowercased() {
        case "utf-8", "utf8", "us-ascii", "ascii", "ansi_x3.4-1968": self = .utf8
        case "iso-2022-jp", "csiso2022jp", "iso-2022-jp-2", "iso-2022-jp-3", "iso-2022-jp-ms": self = .iso2022JP
        case "shift_jis", "shift-jis", "sjis", "x-sjis", "ms_kanji", "windows-31j", "cswindows31j", "cp932":
            self = .shiftJIS
        case "euc-jp", "x-euc-jp", "eucjp", "cseucpkdfmtjapanese", "cp51932": self = .eucJP
        case "iso-8859-1", "latin1", "iso_8859-1", "l1", "windows-1252", "cp1252": self = .latin1
        default: return nil
        }
    }

    /// Its name in MIME.
    package var name: String {
        switch self {
        case .utf8: "UTF-8"
        case .iso2022JP: "ISO-2022-JP"
        case .shiftJIS: "Shift_JIS"
        case .eucJP: "EUC-JP"
        case .latin1: "ISO-8859-1"
        }
    }

    /// Text of `octets`; what is not valid in the set becomes U+FFFD, so nothing is ever lost in silence.
    package func decode(_ octets: [UInt8]) -> String {
        if self == .utf8 { return String(decoding: octets, as: UTF8.self) }
        if octets.isEmpty { return "" }
        var best: String?
        for name in iconvNames {
            guard let result = Self.convert(octets, from: name) else { continue }
            if result.faults == 0 { return result.text }
            if best == nil { best = result.text }
        }
        return best ?? String(octets.map { $0 < 0x80 ? Character(UnicodeScalar($0)) : "\u{FFFD}" })
    }

    /// Text of `octets`, or `nil` when they are not valid in this set.
    package func decodeStrictly(_ octets: [UInt8]) -> String? {
        if self == .utf8 { return String(validating: octets, as: UTF8.self) }
        if octets.isEmpty { return "" }
        for name in iconvNames {
            if let result = Self.convert(octets, from: name), result.faults == 0 { return result.text }
        }
        return nil
    }

    /// The octets of `text` in this set; `nil` when it holds a character that the set lacks.
    package func encode(_ text: String) -> [UInt8]? {
        let octets = Array(text.utf8)
        if self == .utf8 || octets.isEmpty { return octets }
        for name in iconvNames {
            if let result = Self.convertOctets(octets, from: "UTF-8", to: name), result.faults == 0 {
                return result.octets
            }
        }
        return nil
    }

    /// The text of a data file or of raw 8-bit header octets (R-SYS-19): UTF-8, BOM ignored; ISO-2022-JP when it holds
    /// escape sequences; Shift_JIS when it is not valid UTF-8.
    package static func guess(_ octets: [UInt8]) -> (text: String, charset: Charset) {
        let content = octets.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(octets.dropFirst(3)) : octets
        if holdsEscapeSequence(content), let text = Charset.iso2022JP.decodeStrictly(content) {
            return (text, .iso2022JP)
        }
        if let text = String(validating: content, as: UTF8.self) { return (text, .utf8) }
        if let text = Charset.shiftJIS.decodeStrictly(content) { return (text, .shiftJIS) }
        return (String(decoding: content, as: UTF8.self), .utf8)
    }

    /// ESC followed by `$` or `(`: a shift of ISO-2022-JP (RFC 1468).
    private static func holdsEscapeSequence(_ octets: [UInt8]) -> Bool {
        zip(octets, octets.dropFirst()).contains { $0 == 0x1B && ($1 == 0x24 || $1 == 0x28) }
    }

    /// In the order in which they are tried: the wide Windows variants first, as mail in the wild is written in them.
    private var iconvNames: [String] {
        switch self {
        case .utf8: ["UTF-8"]
        case .iso2022JP: ["ISO-2022-JP", "ISO-2022-JP-3"]
        case .shiftJIS: ["CP932", "SHIFT_JISX0213"]
        case .eucJP: ["EUC-JP-MS", "EUC-JP"]
        case .latin1: ["CP1252", "ISO-8859-1"]
        }
    }

    /// - Returns: `nil` when the C library does not know the set.
    private static func convert(_ octets: [UInt8], from name: String) -> (text: String, faults: Int)? {
        convertOctets(octets, from: name, to: "UTF-8").map { (String(decoding: $0.octets, as: UTF8.self), $0.faults) }
    }

    /// What is not valid becomes U+FFFD in UTF-8; whoever converts to another set looks at `faults`.
    private static func convertOctets(
        _ octets: [UInt8], from name: String, to goal: String
    ) -> (octets: [UInt8], faults: Int)? {
        guard let handle = iconv_open(goal, name), Int(bitPattern: handle) != -1 else { return nil }
        defer { iconv_close(handle) }
        var input = octets.map { CChar(bitPattern: $0) }
        var out: [UInt8] = []
        out.reserveCapacity(octets.count * 2)
        var faults = 0
        var buffer = [CChar](repeating: 0, count: 4096)
        input.withUnsafeMutableBufferPointer { source in
            guard let start = source.baseAddress else { return }
            var next: UnsafeMutablePointer<CChar>? = start
            var left = source.count
            // Each turn uses up input or ends the loop: E2BIG with an empty output buffer cannot happen at 4,096 octets.
            while left > 0 {
                let (stopped, error, written) = step(handle, &next, &left, &buffer)
                out.append(contentsOf: buffer.prefix(written).lazy.map { UInt8(bitPattern: $0) })
                if !stopped { break }
                if error == E2BIG && written > 0 { continue }
                faults += 1
                out.append(contentsOf: [0xEF, 0xBF, 0xBD])
                next = next?.advanced(by: 1)
                left -= 1
            }
            // A set with shifts (ISO-2022-JP) ends in its first state.
            var nothing: UnsafeMutablePointer<CChar>?
            var none = 0
            out.append(contentsOf: flush(handle, &nothing, &none))
        }
        return (out, faults)
    }

    private static func flush(
        _ handle: iconv_t, _ next: inout UnsafeMutablePointer<CChar>?, _ left: inout Int
    ) -> [UInt8] {
        var buffer = [CChar](repeating: 0, count: 16)
        let (_, _, written) = step(handle, &next, &left, &buffer)
        return buffer.prefix(written).map { UInt8(bitPattern: $0) }
    }

    private static func step(
        _ handle: iconv_t, _ next: inout UnsafeMutablePointer<CChar>?, _ left: inout Int, _ buffer: inout [CChar]
    ) -> (stopped: Bool, error: Int32, written: Int) {
        let room = buffer.count
        return buffer.withUnsafeMutableBufferPointer { target in
            var position = target.baseAddress
            var free = room
            let result = iconv(handle, &next, &left, &position, &free)
            let error = errno
            // (size_t)-1 marks a stop: E2BIG, EILSEQ or EINVAL.
            return (result == -1, error, room - free)
        }
    }
}
