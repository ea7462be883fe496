import MailModel

/// The messages of SCRAM (RFC 5802 §7, RFC 7677), the server's side: octets in, parts out. Computing with them is the
/// driver's.
enum SCRAM {
    /// What the client says about channel binding (RFC 5802 §6).
    enum Binding: Hashable, Sendable {
        /// `n`: it has none.
        case none
        /// `y`: it has, and believes that we have not.
        case believedMissing
        /// `p=`: it uses this one.
        case used(String)
    }

    /// `gs2-header client-first-message-bare`.
    struct ClientFirst: Hashable, Sendable {
        var binding: Binding
        /// As sent, with its last comma: part of what `c=` repeats.
        var gs2Header: [UInt8]
        /// Empty when not given.
        var authorizationName: String
        var name: String
        var nonce: [UInt8]
        /// Behind the header, as sent: part of what is signed.
        var bare: [UInt8]
    }

    /// An exchange whose first two messages are said.
    struct Exchange: Hashable, Sendable {
        var mechanism: AuthMechanism
        var first: ClientFirst
        var serverFirst: [UInt8]
        /// The client's part and ours.
        var nonce: [UInt8]
        /// What `c=` must hold.
        var channel: [UInt8]
    }

    struct ClientFinal: Hashable, Sendable {
        var channel: [UInt8]
        var nonce: [UInt8]
        /// 32 octets.
        var proof: [UInt8]
        /// Everything in front of `,p=`.
        var withoutProof: [UInt8]
    }

    /// - Returns: `nil` when it is not well formed, or has an extension that must be understood (`m=`).
    static func clientFirst(_ message: [UInt8]) -> ClientFirst? {
        let fields = message.split(separator: comma, maxSplits: 2, omittingEmptySubsequences: false)
        guard fields.count == 3, let binding = binding(fields[0]) else { return nil }
        var authorizationName = ""
        if !fields[1].isEmpty {
            guard let name = value(fields[1], of: "a").flatMap(saslName) else { return nil }
            authorizationName = name
        }
        let bare = fields[2].split(separator: comma, omittingEmptySubsequences: false)
        guard bare.count >= 2, let name = value(bare[0], of: "n").flatMap(saslName),
            let nonce = value(bare[1], of: "r"), isNonce(nonce)
        else { return nil }
        return ClientFirst(
            binding: binding, gs2Header: Array(message[..<fields[2].startIndex]), authorizationName: authorizationName,
            name: name, nonce: Array(nonce), bare: Array(fields[2]))
    }

    /// `r=…,s=…,i=…` in answer to it.
    static func serverFirst(nonce: [UInt8], salt: [UInt8], iterations: Int) -> [UInt8] {
        Array("r=".utf8) + nonce + Array(",s=".utf8) + Base64.encode(salt) + Array(",i=\(iterations)".utf8)
    }

    static func clientFinal(_ message: [UInt8]) -> ClientFinal? {
        let fields = message.split(separator: comma, omittingEmptySubsequences: false)
        guard fields.count >= 3, let last = fields.last, let channel = value(fields[0], of: "c").flatMap(Base64.decode),
            let nonce = value(fields[1], of: "r"), let proof = value(last, of: "p").flatMap(Base64.decode),
            proof.count == proofOctets
        else { return nil }
        return ClientFinal(
            channel: channel, nonce: Array(nonce), proof: proof,
            withoutProof: Array(message[..<(last.startIndex - 1)]))
    }

    /// `v=…`: shows the client that we know its keys too.
    static func serverFinal(signature: [UInt8]) -> [UInt8] { Array("v=".utf8) + Base64.encode(signature) }

    /// Of HMAC-SHA-256.
    static let proofOctets = 32

    private static let comma = UInt8(ascii: ",")

    private static func binding(_ field: ArraySlice<UInt8>) -> Binding? {
        if field.elementsEqual("n".utf8) { return Binding.none }
        if field.elementsEqual("y".utf8) { return .believedMissing }
        guard let name = value(field, of: "p"), (1...64).contains(name.count),
            name.allSatisfy({ isNameOctet($0) })
        else { return nil }
        return .used(String(decoding: name, as: UTF8.self))
    }

    private static func isNameOctet(_ octet: UInt8) -> Bool {
        switch octet {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    /// Printable ASCII without comma; a client sends some 24 octets.
    private static func isNonce(_ nonce: ArraySlice<UInt8>) -> Bool {
        (1...256).contains(nonce.count) && nonce.allSatisfy { (0x21...0x7E).contains($0) }
    }

    private static func value(_ field: ArraySlice<UInt8>, of letter: Character) -> ArraySlice<UInt8>? {
        guard field.count >= 2, field.first == letter.asciiValue, field[field.startIndex + 1] == UInt8(ascii: "=")
        else { return nil }
        return field.dropFirst(2)
    }

    /// `=2C` is a comma, `=3D` an equals sign; another `=` is a fault.
    private static func saslName(_ field: ArraySlice<UInt8>) -> String? {
        guard (1...320).contains(field.count) else { return nil }
        var out: [UInt8] = []
        var index = field.startIndex
        while index < field.endIndex {
            guard field[index] == UInt8(ascii: "=") else {
                out.append(field[index])
                index += 1
                continue
            }
            let code = field[index...].prefix(3)
            if code.elementsEqual("=2C".utf8) {
                out.append(comma)
            } else if code.elementsEqual("=3D".utf8) {
                out.append(UInt8(ascii: "="))
            } else {
                return nil
            }
            index += 3
        }
        guard let name = out.withUnsafeBytes(\.printableText) else { return nil }
        // RFC 5802 §5.1: prepared; one that SASLprep prohibits is nobody's and stays as it is.
        let prepared = SASLprep.prepare(name) ?? name
        return prepared.isEmpty ? nil : prepared
    }
}
