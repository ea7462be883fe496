import MailModel

/// The part of a report that people read.
enum ReportText {
    static func subject(for action: DeliveryReport.Action) -> String {
        switch action {
        case .failed: "Undelivered mail returned to sender"
        case .delayed: "Delayed mail (still being retried)"
        case .delivered, .relayed, .expanded: "Successful mail delivery report"
        }
    }

    static func body(of report: DeliveryReport) -> String {
        switch report.language {
        case .english: english(report)
        case .japaneseAndEnglish: japanese(report) + "\n" + english(report)
        }
    }

    private static func english(_ report: DeliveryReport) -> String {
        let opening =
            switch report.action {
            case .failed: "Your message could not be delivered to one or more recipients."
            case .delayed:
                "Your message could not be delivered yet. It will be tried again; you need not send it again."
            case .delivered: "Your message was delivered."
            case .relayed, .expanded: "Your message was handed on; further reports may not follow."
            }
        return """
            This is the mail system at \(shown(report.hostName)).

            \(opening)

            \(recipients(report))
            Queue ID: \(report.originalID)
            Accepted: \(date(report.arrival, report))

            """
    }

    private static func japanese(_ report: DeliveryReport) -> String {
        let opening =
            switch report.action {
            case .failed: "お送りになったメールは、次の宛先に配送できませんでした。"
            case .delayed: "お送りになったメールは、次の宛先にまだ配送できていません。自動的に再送しますので、送り直す必要はありません。"
            case .delivered: "お送りになったメールは、次の宛先に配送されました。"
            case .relayed, .expanded: "お送りになったメールは、次の宛先へ引き渡されました。この先の報告は届かないことがあります。"
            }
        return """
            このメールは \(shown(report.hostName)) のメールシステムが自動的に送信しています。

            \(opening)

            \(recipients(report))
            キュー ID: \(report.originalID)
            受付日時: \(date(report.arrival, report))

            """
    }

    /// One paragraph a recipient, with the true last reason.
    private static func recipients(_ report: DeliveryReport) -> String {
        report.recipients.map { entry in
            var lines = "<\(shown(entry.recipient.address.text))>: \(entry.status)\n"
            if let reply = entry.reply {
                let who = entry.remoteHost.map { "\(shown($0)): " } ?? ""
                lines += "    \(who)\(DisplayText.clean(reply.text, limit: 900))\n"
            }
            if !entry.text.isEmpty { lines += "    \(DisplayText.clean(entry.text, limit: 900))\n" }
            return lines
        }.joined(separator: "\n")
    }

    private static func shown(_ text: String) -> String { DisplayText.clean(text, limit: 400) }

    private static func date(_ milliseconds: Int64, _ report: DeliveryReport) -> String {
        MailDate(milliseconds: milliseconds, offsetSeconds: report.offsetSeconds).text
    }
}
