import MailModel

/// Collects the steps of a decision, or nothing at all: accepted mail pays for no text, as the texts are only made when
/// the trail records. A refusal is decided again with a recording trail; the same facts give the same verdict.
struct Trail {
    private(set) var steps: [TrailStep] = []
    let isRecording: Bool

    mutating func note(
        _ check: StaticString, _ finding: @autoclosure () -> String, _ source: @autoclosure () -> RuleSource? = nil
    ) {
        guard isRecording else { return }
        steps.append(TrailStep(check: check.description, finding: finding(), source: source()))
    }

    /// The step that decided. Returns the refusal, so that a check reads as one line.
    /// - Parameter detail: what the reply names, ASCII.
    mutating func refuse(
        _ reason: Reason, _ check: StaticString, _ finding: @autoclosure () -> String,
        _ source: @autoclosure () -> RuleSource? = nil, remedy: @autoclosure () -> String? = nil,
        detail: String? = nil
    ) -> Ruling {
        guard isRecording else { return Ruling(reason: reason, detail: detail) }
        steps.append(TrailStep(check: check.description, finding: finding(), source: source(), decided: true))
        return Ruling(reason: reason, remedy: remedy(), detail: detail)
    }
}

/// What a decision came to, before its trail is joined to it.
struct Ruling {
    var reason: Reason
    var remedy: String?
    var detail: String?

    static func accept(_ reason: Reason) -> Ruling { Ruling(reason: reason) }
}

extension Verdict {
    /// Runs `decide` without a trail, and once more with one when it refuses or when `explain` asks for it.
    static func deciding(explain: Bool, _ decide: (inout Trail) -> Ruling) -> Verdict {
        if !explain {
            var silent = Trail(isRecording: false)
            let ruling = decide(&silent)
            if !ruling.reason.isRefusal { return Verdict(ruling.reason) }
        }
        var trail = Trail(isRecording: true)
        let ruling = decide(&trail)
        return Verdict(ruling.reason, trail: trail.steps, remedy: ruling.remedy, detail: ruling.detail)
    }
}

extension Verdict {
    /// The reply to send: the catalogue's, for a refusal with the reference at its end, ` (ref 7K2Q-93HD)`.
    package func reply(reference: DecisionReference?) -> Reply {
        reason.reply(reference: reference, detail: detail)
    }
}

extension Reason {
    /// - Parameter detail: stands behind a colon; cleaned by the caller, ASCII.
    package func reply(reference: DecisionReference?, detail: String? = nil) -> Reply {
        let plain = reply
        var lines = plain.lines
        guard let last = lines.indices.last else { return plain }
        if let detail, !detail.isEmpty { lines[last] += ": \(detail)" }
        if let reference, isRefusal { lines[last] += " (ref \(reference))" }
        return Reply(plain.code, plain.enhanced, lines: lines)
    }
}
