import MailModel
import Mailbox
import Policy
import Tables

extension AccountControl {
    /// Octets of a list or text that are read.
    static let textOctets = 1 << 20

    /// - Parameters:
    ///   - names: from `MailboxFiles.find`.
    ///   - control: the name of IMS.CTL.
    package init(reading files: MailboxFiles, _ names: [String: String], control: String) throws(MailboxError) {
        let settings = ControlSettings(ControlFile(octets: try files.read(control, limit: ControlFile.maximumOctets)))
        func octets(_ name: String) throws(MailboxError) -> [UInt8] {
            guard let found = names[name] else { return [] }
            return try files.read(found, limit: Self.textOctets)
        }
        let replyName =
            names[ControlFileNames.replyText] == nil ? ControlFileNames.replyTextOther : ControlFileNames.replyText
        self.init(
            settings: settings, permitted: settings.permitsBySender ? try octets(ControlFileNames.permitted) : [],
            unanswered: settings.replies ? try octets(ControlFileNames.unanswered) : [],
            replyText: settings.replies ? try octets(replyName) : [])
    }

    /// From the contents of the files; reads the list that `FILE:` names.
    package init(settings: ControlSettings, permitted: [UInt8], unanswered: [UInt8], replyText: [UInt8]) {
        self.init(
            settings: settings, targets: Self.targets(settings),
            permitted: settings.permitsBySender ? AddressLines.patterns(permitted) : [],
            unanswered: settings.replies ? AddressLines.patterns(unanswered) : [],
            replyText: settings.replies ? replyText : [])
    }

    private static func targets(_ settings: ControlSettings) -> Targets {
        if let path = settings.forwardFile {
            do throws(MailboxError) {
                let found = AddressLines.addresses(try MailboxFiles.readList(path, limit: textOctets))
                return found.isEmpty
                    ? .unreadable("the list \(path) holds no address")
                    : .addresses(Array(found.prefix(AliasExpansion.maximumTargets)))
            } catch {
                return .unreadable("the list \(path) cannot be read: \(error.detail)")
            }
        }
        if settings.forwardTo.isEmpty { return .none }
        guard let address = MailAddress(typed: settings.forwardTo) else {
            return .unreadable("ForwardTo is no address")
        }
        return .addresses([address])
    }
}
