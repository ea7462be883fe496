import Spool

/// One way in which a server misbehaves at one stage of a conversation, and what must come of it.
struct FaultCell: Hashable, Sendable, CustomStringConvertible {
    enum Fault: String, CaseIterable, Sendable {
        case temporary, permanent
        case temporaryLines = "temporary-lines"
        case permanentLines = "permanent-lines"
        case temporaryOctets = "temporary-octets"
        case permanentOctets = "permanent-octets"
        /// The usual answer, octet by octet.
        case usualOctets = "usual-octets"
        /// 421, and gone.
        case closing
        /// 451, and gone.
        case farewell
        case close, reset, garbage
        /// Lines with different codes.
        case mixed
        /// A line without an end in sight.
        case tooLong = "too-long"
        /// A reply without an end in sight.
        case endless
        /// A good answer to another question.
        case wrong
        /// A TLS alert in the place of the handshake.
        case alert
        case silence
        /// Octets that never become a line.
        case drip
    }
    enum Fate: Equatable {
        /// With TLS or in clear.
        case delivered(secured: Bool)
        /// - Parameter words: how the reply begins; the whole of it where the remote gave it.
        case waits(FailureClass, words: String)
    }

    var stage: SinkServer.Stage
    var fault: Fault

    var description: String { "\(fault.rawValue).\(stage.rawValue.lowercased())" }
    var domain: String { description + ".example" }
    /// Of this machine, and of this cell alone.
    var address: String {
        let stages = SinkServer.Stage.allCases
        let faults = Fault.allCases
        return "127.1.\(stages.firstIndex(of: stage) ?? 0).\((faults.firstIndex(of: fault) ?? 0) + 1)"
    }
    /// STARTTLS is offered.
    var hasTLS: Bool { stage == .startTLS || stage == .handshake || stage == .securedEHLO }
    /// The time limit has to pass.
    var isSlow: Bool { fault == .silence || fault == .drip }

    /// All that can happen. RSET aside: it is said behind a refused recipient only. And a reset in the place of a
    /// greeting: it may come before the connection stands, or after that.
    static let all: [FaultCell] = SinkServer.Stage.allCases.flatMap { stage -> [FaultCell] in
        switch stage {
        case .rset: []
        case .handshake:
            [.close, .reset, .garbage, .alert, .silence].map { FaultCell(stage: stage, fault: $0) }
        case .greeting:
            Fault.allCases.filter { $0 != .alert && $0 != .reset }.map { FaultCell(stage: stage, fault: $0) }
        default: Fault.allCases.filter { $0 != .alert }.map { FaultCell(stage: stage, fault: $0) }
        }
    }
}

// What the server does.
extension FaultCell {
    func answer(at now: SinkServer.Stage) -> SinkServer.Answer? { now == stage ? answer : nil }

    private var answer: SinkServer.Answer {
        switch fault {
        case .temporary: .reply("451 4.7.1 later \(self)")
        case .permanent: .reply("554 5.7.1 never \(self)")
        case .temporaryLines: .reply("451-4.7.1 later\n451-4.7.1 much later\n451 4.7.1 \(self)")
        case .permanentLines: .reply("554-5.7.1 never\n554-5.7.1 ever\n554 5.7.1 \(self)")
        case .temporaryOctets: .octets("451 4.7.1 slowly \(self)")
        case .permanentOctets: .octets("554 5.7.1 slowly \(self)")
        case .usualOctets: .octets("")
        case .closing: .lastWords("421 4.3.2 closing \(self)")
        case .farewell: .lastWords("451 4.7.1 and gone \(self)")
        case .close: .close
        case .reset: .reset
        case .garbage: .reply("\u{0}\u{1B}[2J<html>")
        case .mixed: .reply("250-good\n550 bad")
        case .tooLong: .reply("250 " + String(repeating: "x", count: 4_000))
        case .endless: .reply(String(repeating: "250-and\n", count: 300) + "250 end")
        case .wrong: .reply(stage == .data ? "250 2.0.0 done already" : "354 go on")
        case .alert: .reply("\u{15}\u{3}\u{3}\u{0}\u{2}\u{2}\u{28}")
        case .silence: .silence
        case .drip: .drip
        }
    }

    /// The reply as this side shows it; `nil` when there is none.
    private var words: String? {
        switch fault {
        case .temporary: "451 4.7.1 later \(self)"
        case .permanent: "554 5.7.1 never \(self)"
        case .temporaryLines: "451 4.7.1 later much later \(self)"
        case .permanentLines: "554 5.7.1 never ever \(self)"
        case .temporaryOctets: "451 4.7.1 slowly \(self)"
        case .permanentOctets: "554 5.7.1 slowly \(self)"
        case .closing: "421 4.3.2 closing \(self)"
        case .farewell: "451 4.7.1 and gone \(self)"
        default: nil
        }
    }

    private var isPermanent: Bool {
        fault == .permanent || fault == .permanentLines || fault == .permanentOctets
    }
}

// What must come of it.
extension FaultCell {
    /// - Parameter isRequired: mail goes in TLS or not at all.
    func fate(whereTLSIsRequired isRequired: Bool) -> Fate {
        if stage == .quit || fault == .usualOctets { return .delivered(secured: hasTLS) }
        if hasTLS, let fate = fateOfTLS(isRequired) { return fate }
        if let words {
            // RFC 5321 §3.2: who does not know EHLO may know HELO.
            if isPermanent, stage == .ehlo || stage == .securedEHLO { return .delivered(secured: hasTLS) }
            return .waits(isPermanent ? .refusal : .line, words: words)
        }
        switch fault {
        case .close, .reset: return .waits(.line, words: "451 4.4.2 connection lost: while waiting for \(question)")
        case .silence, .drip:
            return .waits(.line, words: "451 4.4.2 conversation timed out: while waiting for \(question)")
        default: return .waits(.line, words: "451 4.5.0 remote server does not speak SMTP")
        }
    }

    /// Where TLS is what fails; `nil`: it is not.
    private func fateOfTLS(_ isRequired: Bool) -> Fate? {
        switch (stage, fault) {
        case (.startTLS, .closing): return nil
        case (.startTLS, .farewell) where !isRequired:
            // In clear, then, on a connection that is gone.
            return .waits(.line, words: "451 4.4.2 connection lost: while waiting for the reply to MAIL")
        case (.startTLS, _) where words != nil || fault == .wrong:
            let refused = "451 4.7.10 TLS is required here but not offered: "
            return isRequired ? .waits(.line, words: refused + (words ?? "354")) : .delivered(secured: false)
        case (.securedEHLO, _) where words != nil || fault == .wrong: return nil
        default:
            return isRequired ? .waits(.line, words: "451 4.7.5 TLS handshake failed") : .delivered(secured: false)
        }
    }

    private var question: String {
        switch stage {
        case .greeting: "the greeting"
        case .ehlo, .securedEHLO: "the reply to EHLO"
        case .startTLS, .handshake: "TLS"
        case .auth: "the reply to AUTH"
        case .mail: "the reply to MAIL"
        case .rcpt: "the reply to RCPT"
        case .data: "the reply to DATA"
        case .end: "the reply to the end of content"
        case .rset: "the reply to RSET"
        case .quit: "the reply to QUIT"
        }
    }

    /// The other side is still there and answers: it hears QUIT before we go (RFC 5321 §4.1.1.10).
    var isLeftWithQuit: Bool {
        switch fault {
        case .temporary, .permanent, .temporaryLines, .permanentLines, .temporaryOctets, .permanentOctets, .usualOctets:
            true
        default: false
        }
    }
}
