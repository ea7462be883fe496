/// What a line of the structured log can be found by: queue id, message id, addresses and their domains, client or
/// remote address, reference, session. Read from the octets of our own writer's form, without a decoder: millions of
/// lines a day go through here.
enum IndexKeys {
    /// 32 bits over the folded octets. Two words may share one: what is found is compared again.
    static func hash(_ word: some Sequence<UInt8>) -> UInt32 {
        var hash = Hasher()
        for octet in word { hash.add(octet) }
        return hash.value
    }

    /// As `hash` for what people type: `<…>` around an address or message id is dropped.
    static func hash(typed text: String) -> UInt32 {
        var text = text[...]
        if text.hasPrefix("<"), text.hasSuffix(">"), text.count > 2 { text = text.dropFirst().dropLast() }
        return hash(text.utf8)
    }

    /// FNV-1a, ASCII letters folded; what JSON escapes is passed over on both sides.
    struct Hasher {
        private var state: UInt64 = 0xcbf2_9ce4_8422_2325
        mutating func add(_ octet: UInt8) {
            if octet == 0x5C || octet == 0x22 || octet == 0x3C || octet == 0x3E { return }
            let folded = octet &- 0x41 < 26 ? octet | 0x20 : octet
            state = (state ^ UInt64(folded)) &* 0x100_0000_01b3
        }
        var value: UInt32 { UInt32(truncatingIfNeeded: state ^ (state >> 32)) }
    }

    /// Calls `body` with the hash of each key of the line.
    static func forEach(in line: UnsafeRawBufferPointer, _ body: (UInt32) -> Void) {
        var place = 0
        let count = line.count
        while place < count {
            // A name begins behind `,"` or `{"`; values hold no bare quote.
            guard line[place] == 0x22 else {
                place += 1
                continue
            }
            let name = place + 1
            var end = name
            while end < count, line[end] != 0x22 { end += 1 }
            guard end + 1 < count, line[end + 1] == 0x3A else {
                place = end + 1
                continue
            }
            let kind = Field(line, name, end)
            place = end + 2
            guard place < count, line[place] == 0x22 else { continue }
            place = value(line, place + 1, kind, body)
        }
    }

    private enum Field {
        case plain, address, none

        /// By length and first letters: the names of our own form.
        init(_ line: UnsafeRawBufferPointer, _ from: Int, _ to: Int) {
            func isName(_ name: StaticString) -> Bool {
                guard name.utf8CodeUnitCount == to - from else { return false }
                for offset in 0..<(to - from) where name.utf8Start[offset] != line[from + offset] { return false }
                return true
            }
            switch to - from {
            case 6: self = isName("sender") ? .address : isName("parent") ? .plain : .none
            case 7: self = isName("queueID") || isName("address") || isName("session") ? .plain : .none
            case 9: self = isName("recipient") ? .address : isName("reference") || isName("messageID") ? .plain : .none
            default: self = .none
            }
        }
    }

    /// - Returns: the place behind the value's closing quote.
    private static func value(
        _ line: UnsafeRawBufferPointer, _ from: Int, _ kind: Field, _ body: (UInt32) -> Void
    ) -> Int {
        var place = from
        var whole = Hasher()
        var domain: Hasher?
        while place < line.count, line[place] != 0x22 {
            let octet = line[place]
            if octet == 0x5C, place + 1 < line.count {
                place += 1
                if line[place] == 0x22 || line[place] == 0x5C {
                    place += 1
                    continue
                }
            }
            if kind != .none {
                whole.add(line[place])
                domain?.add(line[place])
                if octet == 0x40, kind == .address { domain = Hasher() }
            }
            place += 1
        }
        if kind != .none, place > from {
            body(whole.value)
            if let domain { body(domain.value) }
        }
        return place + 1
    }
}
