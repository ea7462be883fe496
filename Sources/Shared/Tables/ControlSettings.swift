import MailModel
import MessageFormat

/// What IMS.CTL says (spec file 11, part 4).
package struct ControlSettings: Hashable, Sendable {
    /// Where reports about a forwarded mail go: at the same time its envelope sender (R-CTL-10).
    package enum ReportTo: Hashable, Sendable {
        case administrator
        case sender
        case nobody
        case address(MailAddress)

        package init?(_ text: String) {
            switch text.lowercased() {
            case "admin", "administrator": self = .administrator
            case "sender", "": self = .sender
            case "none", "nobody": self = .nobody
            default:
                guard let address = MailAddress(typed: text) else { return nil }
                self = .address(address)
            }
        }
        package var text: String {
            switch self {
            case .administrator: "Admin"
            case .sender: "Sender"
            case .nobody: "None"
            case .address(let address): address.text
            }
        }
    }

    /// Off: the file is kept and ignored (R-CTL-07).
    package var isEnabled = true
    /// Absolute path of an executable; empty: none (R-CTL-29).
    package var program = ""
    /// An address or `FILE:path`; empty: no forwarding (R-CTL-09).
    package var forwardTo = ""
    package var permitsBySender = false
    package var reportTo = ReportTo.sender
    package var removesAttachments = false
    /// Octets of text in a forwarded mail; `nil`: all of it (R-CTL-12).
    package var sizeLimit: Int?
    package var replies = false
    package var subject = ""
    package var replyFrom = ""
    package var replyTo = ""
    package var echoesMessage = false
    package var echoesWithoutHeader = false
    package var recordsReplies = false
    package var repliesOnce = false
    /// The mail is not left in the mailbox.
    package var discards = false

    package init() {}

    package init(_ file: ControlFile) {
        isEnabled = file.truth("Control", "Enabled") ?? true
        program = file.value("Control", "Program") ?? ""
        forwardTo = file.value("AutoForward", "ForwardTo") ?? ""
        permitsBySender = file.truth("AutoForward", "PermitFrom") ?? false
        reportTo = file.value("AutoForward", "ReportTo").flatMap { ReportTo($0) } ?? .sender
        removesAttachments = file.truth("AutoForward", "DeleteAttach") ?? false
        sizeLimit = file.value("AutoForward", "SizeLimit").flatMap { Int($0) }.map { max(0, $0) }
        replies = file.hasSection("AutoReply") && file.truth("AutoReply", "Enabled") ?? true
        subject = file.value("AutoReply", "Subject") ?? ""
        replyFrom = file.value("AutoReply", "ReplyFrom") ?? ""
        replyTo = file.value("AutoReply", "ReplyTo") ?? ""
        echoesMessage = file.truth("AutoReply", "EchoMessage") ?? false
        echoesWithoutHeader = file.truth("AutoReply", "DeleteHeader") ?? false
        recordsReplies = file.truth("AutoReply", "RecordReplies") ?? false
        repliesOnce = file.truth("AutoReply", "NoReplyAgain") ?? false
        discards = file.truth("Delivery", "Discard") ?? false
    }

    /// Writes into the file what differs from what it says; everything else stays as it is.
    package func write(to file: inout ControlFile) {
        let old = ControlSettings(file)
        func word(_ value: Bool) -> String { value ? "Yes" : "No" }
        if isEnabled != old.isEnabled { file.set("Control", "Enabled", to: word(isEnabled)) }
        if program != old.program { file.set("Control", "Program", to: program.isEmpty ? nil : program) }
        if forwardTo != old.forwardTo { file.set("AutoForward", "ForwardTo", to: forwardTo.isEmpty ? nil : forwardTo) }
        if permitsBySender != old.permitsBySender { file.set("AutoForward", "PermitFrom", to: word(permitsBySender)) }
        if reportTo != old.reportTo { file.set("AutoForward", "ReportTo", to: reportTo.text) }
        if removesAttachments != old.removesAttachments {
            file.set("AutoForward", "DeleteAttach", to: word(removesAttachments))
        }
        if sizeLimit != old.sizeLimit { file.set("AutoForward", "SizeLimit", to: sizeLimit.map { String($0) }) }
        writeReply(to: &file, old, word)
        if discards != old.discards { file.set("Delivery", "Discard", to: word(discards)) }
    }

    private func writeReply(to file: inout ControlFile, _ old: ControlSettings, _ word: (Bool) -> String) {
        if replies != old.replies {
            if replies, !file.hasSection("AutoReply") {
                file.addSection("AutoReply")
            } else {
                file.set("AutoReply", "Enabled", to: word(replies))
            }
        }
        func text(_ key: String, _ new: String, _ old: String) {
            if new != old { file.set("AutoReply", key, to: new.isEmpty ? nil : new) }
        }
        func truth(_ key: String, _ new: Bool, _ old: Bool) {
            if new != old { file.set("AutoReply", key, to: word(new)) }
        }
        text("Subject", subject, old.subject)
        text("ReplyFrom", replyFrom, old.replyFrom)
        text("ReplyTo", replyTo, old.replyTo)
        truth("EchoMessage", echoesMessage, old.echoesMessage)
        truth("DeleteHeader", echoesWithoutHeader, old.echoesWithoutHeader)
        truth("RecordReplies", recordsReplies, old.recordsReplies)
        truth("NoReplyAgain", repliesOnce, old.repliesOnce)
        // A key of the section alone would switch the reply on: the section's being there is the switch (R-CTL-18).
        if !replies, file.hasSection("AutoReply"), file.truth("AutoReply", "Enabled") != false {
            file.set("AutoReply", "Enabled", to: "No")
        }
    }

    /// The path behind `FILE:` in any letter case; `nil` when one address stands there.
    package var forwardFile: String? {
        guard forwardTo.utf8.count > 5, forwardTo.prefix(5).lowercased() == "file:" else { return nil }
        return String(forwardTo.dropFirst(5)).trimmingBlanks()
    }

    /// What the console refuses. `account` is the owner.
    package func faults(of account: MailAddress) -> [(field: String, code: String, message: String)] {
        var out: [(String, String, String)] = []
        if let path = forwardFile {
            let parts = path.split(separator: "/")
            if !path.hasPrefix("/") || path.utf8.contains(0) || parts.contains("..") || parts.contains(".") {
                out.append(("forwardTo", "control.bad-file", "Behind FILE: stands an absolute path."))
            }
        } else if !forwardTo.isEmpty {
            if let address = MailAddress(typed: forwardTo) {
                if address.folded == account.folded {
                    out.append(("forwardTo", "control.forward-self", "An account does not forward to itself."))
                }
            } else {
                out.append(("forwardTo", "control.bad-forward", "The forward address needs the form name@domain."))
            }
        }
        for (field, value) in [("replyFrom", replyFrom), ("replyTo", replyTo)]
        where !value.isEmpty && MailAddress(typed: value) == nil {
            out.append((field, "control.bad-address", "The address needs the form name@domain."))
        }
        if !program.isEmpty, !program.hasPrefix("/") || program.utf8.contains(0) {
            out.append(("program", "control.bad-program", "The program is an absolute path."))
        }
        return out
    }
}

/// Lists beside IMS.CTL: one address a line, `*` in patterns.
package enum AddressLines {
    package static func patterns(_ octets: [UInt8]) -> [Wildcard] { entries(octets).map { Wildcard($0) } }

    /// Lines that are no address are left out.
    package static func addresses(_ octets: [UInt8]) -> [MailAddress] {
        entries(octets).compactMap { MailAddress(typed: $0) }
    }

    /// Not empty, no comment.
    package static func entries(_ octets: [UInt8]) -> [String] {
        TableText(octets: octets).lines.map { $0.trimmingBlanks() }
            .filter { !$0.isEmpty && !$0.hasPrefix("#") && !$0.hasPrefix(";") }
    }
}
