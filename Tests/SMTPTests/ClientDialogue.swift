import MailModel

@testable import SMTP

/// Plays a scripted server against a `ClientSession` in memory: the edge that obeys every event at once.
struct ClientDialogue {
    var session: ClientSession
    let content: [UInt8]
    /// Transactions still to be begun, each when the session is ready or idle again.
    var transactions: [ClientTransaction]
    private(set) var sent: [UInt8] = []
    private(set) var results: [ClientTransactionResult] = []
    private(set) var end: ClientEnd?
    private(set) var handshakes = 0
    var handshakeFails = false

    init(
        _ settings: ClientSettings = ClientSettings(hello: "client.example", tls: .off),
        _ transactions: [ClientTransaction] = [.plain()], content: String = "Subject: x\n\nhello\n"
    ) {
        session = ClientSession(settings: settings)
        self.content = Array(content.utf8)
        self.transactions = transactions
    }

    var sentText: String { String(decoding: sent, as: UTF8.self) }
    var outcomes: [ClientOutcome] { results.flatMap(\.outcomes) }

    /// What went out since the last call, CR LF shown as line ends.
    mutating func takeSent() -> String {
        defer { sent = [] }
        return sentText.replacing("\r\n", with: "\n")
    }

    mutating func takeOctets() -> [UInt8] {
        defer { sent = [] }
        return sent
    }

    mutating func server(_ text: String) { server(octets: Array(text.replacing("\n", with: "\r\n").utf8)) }

    mutating func server(octets: [UInt8]) {
        var events: [ClientEvent] = []
        octets.withUnsafeBytes { session.receive($0, events: &events) }
        obey(events)
    }

    mutating func lose() {
        var events: [ClientEvent] = []
        session.connectionLost(events: &events)
        obey(events)
    }

    mutating func timeOut() {
        var events: [ClientEvent] = []
        session.timedOut(events: &events)
        obey(events)
    }

    private mutating func obey(_ events: [ClientEvent]) {
        takeOutput()
        for event in events {
            switch event {
            case .ready: next()
            case .transactionEnded(let result):
                results.append(result)
                next()
            case .sendContent:
                sent += encoded(content)
                session.contentSent()
            case .startTLS:
                handshakes += 1
                if handshakeFails {
                    var more: [ClientEvent] = []
                    session.tlsFailed("bad certificate", events: &more)
                    obey(more)
                } else {
                    session.tlsEstablished()
                }
            case .ended(let reason): end = reason
            }
            takeOutput()
        }
    }

    private mutating func next() {
        guard session.isIdle, !transactions.isEmpty else { return }
        var events: [ClientEvent] = []
        session.begin(transactions.removeFirst(), events: &events)
        obey(events)
    }

    private mutating func takeOutput() {
        sent += session.output
        session.output = []
    }
}

/// Content as it goes behind DATA, in pieces of `size` octets.
func encoded(_ content: [UInt8], pieces size: Int = .max) -> [UInt8] {
    var encoder = ClientContentEncoder()
    var out: [UInt8] = []
    var start = 0
    while start < content.count {
        let piece = Array(content[start..<min(content.count, start + min(size, content.count))])
        start += piece.count
        out += piece.withUnsafeBytes { octets in
            [UInt8](unsafeUninitializedCapacity: ClientContentEncoder.room(for: octets)) { buffer, count in
                count = encoder.encode(octets, into: UnsafeMutableRawBufferPointer(buffer))
            }
        }
    }
    out += [UInt8](unsafeUninitializedCapacity: ClientContentEncoder.roomToFinish) { buffer, count in
        count = encoder.finish(into: UnsafeMutableRawBufferPointer(buffer))
    }
    return out
}

extension ClientTransaction {
    static func plain(
        _ recipients: String..., sender: ReversePath = .address(MailAddress(localPart: "a", domain: "client.example")),
        size: Int = 20, needsSMTPUTF8: Bool = false, is8Bit: Bool = false
    ) -> ClientTransaction {
        let names = recipients.isEmpty ? ["b"] : recipients
        return ClientTransaction(
            sender: sender,
            recipients: names.map { Recipient(address: MailAddress(localPart: $0, domain: "b.example")) }, size: size,
            needsSMTPUTF8: needsSMTPUTF8, is8Bit: is8Bit)
    }
}
