import ArgumentParser
import Control

extension AccountCommand {
    /// The twin of the dialog メール制御: IMS.CTL field by field.
    struct MailControlCommand: ControlCommand {
        static let configuration = CommandConfiguration(
            commandName: "control",
            abstract: "Show or change forwarding, automatic reply and program of an account (IMS.CTL).",
            discussion: """
                Without options it shows what IMS.CTL says. Only the fields that are named change; every other octet of \
                the file stays. The texts beside it are written by "account file".
                """)
        @OptionGroup var global: GlobalOptions
        @OptionGroup var reading: ReadingOptions
        @OptionGroup var noting: NoteOptions
        @OptionGroup var forward: Forward
        @OptionGroup var answer: Answer
        @Flag(inversion: .prefixedNo, help: "Whether the file counts at all.")
        var enabled: Bool?
        @Flag(inversion: .prefixedNo, help: "Whether mail stays in the mailbox.")
        var keep: Bool?
        @Option(help: ArgumentHelp("Executable that every mail goes through; empty = none.", valueName: "path"))
        var program: String?
        @Flag(help: "Only show IMS.CTL as it would be written.")
        var dryRun = false
        @Argument(help: "account@domain") var address: String

        struct Forward: ParsableArguments {
            @Option(help: ArgumentHelp("Forward address or FILE:/path; empty = none.", valueName: "target"))
            var forwardTo: String?
            @Flag(inversion: .prefixedNo, help: "Forward mail of the senders in PERMITFROM.TXT only.")
            var permitFrom: Bool?
            @Option(help: ArgumentHelp("Sender, Admin, None or an address.", valueName: "who"))
            var reportTo: String?
            @Flag(inversion: .prefixedNo, help: "Forward without attachments.")
            var deleteAttachments: Bool?
            @Option(help: ArgumentHelp("Bytes of text to forward (K, M, G allowed), or none.", valueName: "bytes"))
            var sizeLimit: String?
        }
        struct Answer: ParsableArguments {
            @Flag(inversion: .prefixedNo, help: "Whether mail is answered.")
            var reply: Bool?
            @Option(help: "Subject of the reply; empty = Re: and the subject of the mail.")
            var subject: String?
            @Option(help: ArgumentHelp("Sender of the reply; empty = the account.", valueName: "address"))
            var replyFrom: String?
            @Option(help: ArgumentHelp("Recipient of the reply; empty = the sender of the mail.", valueName: "address"))
            var replyTo: String?
            @Flag(inversion: .prefixedNo, help: "Include the mail in the reply.")
            var echo: Bool?
            @Flag(inversion: .prefixedNo, help: "Include it with its header.")
            var header: Bool?
            @Flag(inversion: .prefixedNo, help: "Write senders to REPLIED.TXT.")
            var record: Bool?
            @Flag(inversion: .prefixedNo, help: "Add senders to NOREPLY.TXT: each is answered once.")
            var once: Bool?
        }

        func values() throws -> MailControl {
            var values = MailControl()
            values.enabled = enabled
            values.discard = keep.map { !$0 }
            values.program = program
            values.forwardTo = forward.forwardTo
            values.permitFrom = forward.permitFrom
            values.reportTo = forward.reportTo
            values.deleteAttachments = forward.deleteAttachments
            if let text = forward.sizeLimit {
                guard let limit = text == "none" ? -1 : Octets(argument: text)?.count else {
                    throw ValidationError("--size-limit: \"\(text)\" is neither a size nor none")
                }
                values.sizeLimit = limit
            }
            values.reply = answer.reply
            values.subject = answer.subject
            values.replyFrom = answer.replyFrom
            values.replyTo = answer.replyTo
            values.echo = answer.echo
            values.withoutHeader = answer.header.map { !$0 }
            values.record = answer.record
            values.once = answer.once
            return values
        }

        func execute(_ session: Session) throws {
            let values = try values()
            if !values.isEmpty, !dryRun {
                return session.show(
                    try session.call(
                        DirectoryInterface.SetMailControl.self,
                        .init(address: address, values: values, note: noting.note)))
            }
            let found = try session.call(
                DirectoryInterface.GetMailControl.self,
                .init(address: address, values: values.isEmpty ? nil : values))
            if reading.json { return session.show(json: found) }
            session.show(found.problems)
            if dryRun { return session.console.write(found.text) }
            session.show(TextTable(pairs: Self.pairs(found)))
        }

        /// In the words of the file, which are the same in every language.
        private static func pairs(_ found: DirectoryInterface.GetMailControl.Output) -> [(String, String)] {
            func word(_ value: Bool?) -> String { value == true ? "Yes" : "No" }
            let control = found.control
            let limit = control.sizeLimit ?? -1
            return [
                ("Control/Enabled", word(control.enabled)), ("Control/Program", control.program ?? ""),
                ("AutoForward/ForwardTo", control.forwardTo ?? ""),
                ("AutoForward/PermitFrom", word(control.permitFrom)),
                ("AutoForward/ReportTo", control.reportTo ?? ""),
                ("AutoForward/DeleteAttach", word(control.deleteAttachments)),
                ("AutoForward/SizeLimit", limit < 0 ? "" : String(limit)),
                ("AutoReply/Enabled", word(control.reply)), ("AutoReply/Subject", control.subject ?? ""),
                ("AutoReply/ReplyFrom", control.replyFrom ?? ""), ("AutoReply/ReplyTo", control.replyTo ?? ""),
                ("AutoReply/EchoMessage", word(control.echo)),
                ("AutoReply/DeleteHeader", word(control.withoutHeader)),
                ("AutoReply/RecordReplies", word(control.record)), ("AutoReply/NoReplyAgain", word(control.once)),
                ("Delivery/Discard", word(control.discard)),
            ] + found.files.map { ($0.name, $0.exists ? String($0.lines) : "-") }
        }
    }
}
