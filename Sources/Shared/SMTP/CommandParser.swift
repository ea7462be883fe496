import MailModel

/// The command grammar: one line without its CR LF in, one command or the reason for the refusal out.
package enum CommandParser {
    /// - Parameter line: without CR LF; may hold any octet.
    package static func parse(_ line: UnsafeRawBufferPointer) throws(CommandError) -> Command {
        var reader = OctetReader(line)
        guard let verb = verb(of: &reader) else { throw CommandError(.unknownCommand) }
        for octet in line where octet < 0x20 || octet == 0x7F {
            // A tab may stand between words; everything else below blank has no place in a command (RFC 5321 §4.1.2).
            if octet != 0x09 { throw CommandError(.syntaxError, verb: verb, chunk: verb == .bdat ? nil : 0) }
        }
        do throws(CommandError) {
            return try arguments(of: verb, &reader)
        } catch {
            throw CommandError(error.reason, verb: verb, chunk: error.chunk)
        }
    }

    private static func arguments(of verb: Verb, _ reader: inout OctetReader) throws(CommandError) -> Command {
        switch verb {
        case .ehlo: return .ehlo(try hello(&reader))
        case .helo: return .helo(try hello(&reader))
        case .mail: return .mail(try mail(&reader))
        case .rcpt: return .rcpt(try recipient(&reader))
        case .bdat: return try chunk(&reader)
        case .auth: return try authentication(&reader)
        case .vrfy: return .vrfy(try subject(&reader))
        case .expn: return .expn(try subject(&reader))
        case .noop: return .noop  // RFC 5321 §4.1.1.9: a parameter is ignored
        case .help: return .help
        case .data: return try bare(.data, &reader)
        case .rset: return try bare(.rset, &reader)
        case .quit: return try bare(.quit, &reader)
        case .starttls: return try bare(.starttls, &reader)
        }
    }

    /// The verb ends at a blank or at the end of the line.
    private static func verb(of reader: inout OctetReader) -> Verb? {
        var code: UInt64 = 0
        var length = 0
        while let octet = reader.peek, octet != 0x20, octet != 0x09 {
            guard length < 8 else { return nil }
            code = code << 8 | UInt64(OctetReader.uppercased(octet))
            length += 1
            _ = reader.next()
        }
        return verbs[code]
    }

    /// Verbs by their octets, packed.
    private static let verbs: [UInt64: Verb] = Dictionary(
        uniqueKeysWithValues: Verb.allCases.map { verb in
            (verb.rawValue.utf8.reduce(0) { $0 << 8 | UInt64($1) }, verb)
        })

    private static func bare(_ command: Command, _ reader: inout OctetReader) throws(CommandError) -> Command {
        reader.skipBlanks()
        guard reader.isAtEnd else { throw CommandError(.syntaxError) }
        return command
    }

    /// RFC 5321 §4.1.4: what stands here is never a reason to refuse mail, and clients put all sorts of host names here
    /// (underscores, Shift_JIS). It goes into trace headers and logs, so foreign octets become `?`.
    private static func hello(_ reader: inout OctetReader) throws(CommandError) -> String {
        reader.skipBlanks()
        let name = reader.take { $0 != 0x20 && $0 != 0x09 }
        reader.skipBlanks()
        guard (1...255).contains(name.count), reader.isAtEnd else { throw CommandError(.syntaxError) }
        let isClean = name.allSatisfy(isHostOctet)
        return isClean ? name.text : String(decoding: name.map { isHostOctet($0) ? $0 : 0x3F }, as: UTF8.self)
    }

    private static func isHostOctet(_ octet: UInt8) -> Bool {
        switch octet {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ":"), UInt8(ascii: "["),
            UInt8(ascii: "]"):
            true
        default: false
        }
    }

    private static func mail(_ reader: inout OctetReader) throws(CommandError) -> MailArguments {
        reader.skipBlanks()
        guard reader.skip(word: "FROM:") else { throw CommandError(.syntaxError) }
        reader.skipBlanks()  // not in the grammar, but seen in every log
        var arguments = MailArguments(path: try PathParser.reversePath(&reader))
        try CommandParameters.read(&reader, into: &arguments)
        return arguments
    }

    private static func recipient(_ reader: inout OctetReader) throws(CommandError) -> RecipientArguments {
        reader.skipBlanks()
        guard reader.skip(word: "TO:") else { throw CommandError(.syntaxError) }
        reader.skipBlanks()
        let address = try PathParser.forwardPath(&reader)
        var arguments = RecipientArguments(recipient: Recipient(address: address))
        try CommandParameters.read(&reader, into: &arguments)
        return arguments
    }

    /// RFC 3030 §2. The chunk follows the line whatever we think of the rest of it, so a readable size is kept in the
    /// error; without one the position of the next command is unknown.
    private static func chunk(_ reader: inout OctetReader) throws(CommandError) -> Command {
        reader.skipBlanks()
        guard let octets = reader.number(), octets < Int.max else { throw CommandError(.syntaxError, chunk: nil) }
        guard reader.isAtEnd || reader.peek == 0x20 || reader.peek == 0x09 else {
            throw CommandError(.syntaxError, chunk: nil)
        }
        reader.skipBlanks()
        let isLast = reader.skip(word: "LAST")
        reader.skipBlanks()
        guard reader.isAtEnd else { throw CommandError(.syntaxError, chunk: octets) }
        return .bdat(octets: octets, isLast: isLast)
    }

    private static func authentication(_ reader: inout OctetReader) throws(CommandError) -> Command {
        reader.skipBlanks()
        let mechanism = reader.take { octet in
            switch OctetReader.uppercased(octet) {
            case 0x30...0x39, 0x41...0x5A, UInt8(ascii: "-"), UInt8(ascii: "_"): true
            default: false
            }
        }
        guard (1...20).contains(mechanism.count) else { throw CommandError(.syntaxError) }
        let name = String(decoding: mechanism.map(OctetReader.uppercased), as: UTF8.self)
        guard !reader.isAtEnd else { return .auth(mechanism: name, initialResponse: nil) }
        guard reader.skip(0x20) else { throw CommandError(.syntaxError) }
        reader.skipBlanks()
        let response = Array(reader.takeRest())
        return .auth(mechanism: name, initialResponse: response.isEmpty ? nil : response)
    }

    /// The argument of VRFY and EXPN: text of at most 320 octets, brackets taken off.
    private static func subject(_ reader: inout OctetReader) throws(CommandError) -> String {
        reader.skipBlanks()
        let rest = reader.takeRest()
        guard (1...322).contains(rest.count), var text = rest.printableText else { throw CommandError(.syntaxError) }
        while text.hasSuffix(" ") { text.removeLast() }
        if text.hasPrefix("<"), text.hasSuffix(">") { text = String(text.dropFirst().dropLast()) }
        guard !text.isEmpty else { throw CommandError(.syntaxError) }
        return text
    }
}
