import MailModel

/// `key=value` parameters of MAIL and RCPT (RFC 5321 §4.1.2 Mail-parameters). Each may be given once.
enum CommandParameters {
    /// RFC 3461 §4.4: ENVID up to 100 octets; §4.2: ORCPT up to 500.
    static let envelopeIDOctets = 100
    static let originalRecipientOctets = 500
    /// RFC 4954 §5: the AUTH parameter adds up to 500.
    static let authOctets = 500

    private struct Parameter {
        let key: String
        let value: UnsafeRawBufferPointer?
    }

    /// The next parameter; `nil` at the end of the line.
    private static func next(_ reader: inout OctetReader) throws(CommandError) -> Parameter? {
        reader.skipBlanks()
        if reader.isAtEnd { return nil }
        let key = reader.take { octet in
            switch OctetReader.uppercased(octet) {
            case 0x30...0x39, 0x41...0x5A, UInt8(ascii: "-"): true
            default: false
            }
        }
        guard (1...32).contains(key.count) else { throw CommandError(.syntaxError) }
        var value: UnsafeRawBufferPointer?
        if reader.skip(UInt8(ascii: "=")) {
            let octets = reader.take { $0 > 0x20 }
            guard !octets.isEmpty else { throw CommandError(.syntaxError) }
            value = octets
        }
        guard reader.isAtEnd || reader.peek == 0x20 || reader.peek == 0x09 else { throw CommandError(.syntaxError) }
        return Parameter(key: String(decoding: key.map(OctetReader.uppercased), as: UTF8.self), value: value)
    }

    static func read(_ reader: inout OctetReader, into mail: inout MailArguments) throws(CommandError) {
        var seen: Set<String> = []
        while let parameter = try next(&reader) {
            mail.hasParameters = true
            guard seen.insert(parameter.key).inserted else { throw CommandError(.syntaxError) }
            switch (parameter.key, parameter.value) {
            case ("SIZE", let value?):
                var digits = OctetReader(value)
                guard let size = digits.number(), digits.isAtEnd else { throw CommandError(.syntaxError) }
                mail.size = size
            case ("BODY", let value?):
                switch uppercased(value) {
                case "7BIT": mail.is8BitMIME = false
                case "8BITMIME": mail.is8BitMIME = true
                // BINARYMIME (RFC 3030) is not offered: lines are stored, octets without lines are not.
                default: throw CommandError(.parameterUnknown)
                }
            case ("SMTPUTF8", nil): mail.needsSMTPUTF8 = true
            case ("RET", let value?):
                guard let ret = SenderNotification.Return(rawValue: uppercased(value)) else {
                    throw CommandError(.syntaxError)
                }
                mail.notification.ret = ret
            case ("ENVID", let value?):
                guard value.count <= envelopeIDOctets, isXText(value) else { throw CommandError(.syntaxError) }
                mail.notification.envelopeID = value.text
            case ("AUTH", let value?):
                // RFC 4954 §5: its form is checked; nobody is trusted to assert it, so it counts as AUTH=<>.
                guard value.count <= authOctets, isXText(value) || value.text == "<>" else {
                    throw CommandError(.syntaxError)
                }
            case ("SIZE", nil), ("BODY", nil), ("SMTPUTF8", _?), ("RET", nil), ("ENVID", nil), ("AUTH", nil):
                throw CommandError(.syntaxError)
            default: throw CommandError(.parameterUnknown)
            }
        }
        if !mail.needsSMTPUTF8, mail.path.address?.isInternational == true {
            throw CommandError(.senderNeedsSMTPUTF8)  // RFC 6531 §3.5
        }
    }

    static func read(_ reader: inout OctetReader, into recipient: inout RecipientArguments) throws(CommandError) {
        var seen: Set<String> = []
        while let parameter = try next(&reader) {
            recipient.hasParameters = true
            guard seen.insert(parameter.key).inserted else { throw CommandError(.syntaxError) }
            switch (parameter.key, parameter.value) {
            case ("NOTIFY", let value?): recipient.recipient.notify = try notify(value)
            case ("ORCPT", let value?):
                guard value.count <= originalRecipientOctets, isOriginalRecipient(value) else {
                    throw CommandError(.syntaxError)
                }
                recipient.recipient.originalRecipient = value.text
            case ("NOTIFY", nil), ("ORCPT", nil): throw CommandError(.syntaxError)
            default: throw CommandError(.parameterUnknown)
            }
        }
    }

    /// RFC 3461 §4.1: NEVER alone, or a list of the others, each once.
    private static func notify(_ value: UnsafeRawBufferPointer) throws(CommandError) -> Recipient.Notify {
        var all: Recipient.Notify = []
        for word in uppercased(value).split(separator: ",", omittingEmptySubsequences: false) {
            let one: Recipient.Notify
            switch word {
            case "NEVER": one = .never
            case "SUCCESS": one = .success
            case "FAILURE": one = .failure
            case "DELAY": one = .delay
            default: throw CommandError(.syntaxError)
            }
            guard all.isDisjoint(with: one) else { throw CommandError(.syntaxError) }
            all.formUnion(one)
        }
        guard all == .never || !all.contains(.never) else { throw CommandError(.syntaxError) }
        return all
    }

    /// `addr-type ";" xtext` (RFC 3461 §4.2); type `utf-8` may carry UTF-8 as it is (RFC 6533 §3).
    private static func isOriginalRecipient(_ value: UnsafeRawBufferPointer) -> Bool {
        guard let semicolon = value.firstIndex(of: UInt8(ascii: ";")), semicolon > 0 else { return false }
        let type = UnsafeRawBufferPointer(rebasing: value[..<semicolon])
        let address = UnsafeRawBufferPointer(rebasing: value[(semicolon + 1)...])
        guard type.allSatisfy(MailAddress.isAtomOctet), !address.isEmpty else { return false }
        if uppercased(type) == "UTF-8" { return address.printableText != nil }
        return isXText(address)
    }

    /// RFC 3461 §4: printable ASCII; `+` and `=` only as `+HH` in upper-case hexadecimal.
    private static func isXText(_ value: UnsafeRawBufferPointer) -> Bool {
        var reader = OctetReader(value)
        while let octet = reader.next() {
            switch octet {
            case UInt8(ascii: "+"):
                for _ in 0..<2 {
                    guard let digit = reader.next() else { return false }
                    guard (0x30...0x39).contains(digit) || (0x41...0x46).contains(digit) else { return false }
                }
            case UInt8(ascii: "="): return false
            case 0x21...0x7E: break
            default: return false
            }
        }
        return !value.isEmpty
    }

    private static func uppercased(_ value: UnsafeRawBufferPointer) -> String {
        String(decoding: value.map(OctetReader.uppercased), as: UTF8.self)
    }
}
