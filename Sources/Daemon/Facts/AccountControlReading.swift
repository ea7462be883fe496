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
        self.init(settings: settings, targets: Self.targets(settings))
        if settings.permitsBySender { permitted = AddressLines.patterns(try octets(ControlFileNames.permitted)) }
        guard settings.replies else { return }
        unanswered = AddressLines.patterns(try octets(ControlFileNames.unanswered))
        replyText = try octets(
            names[ControlFileNames.replyText] == nil ? ControlFileNames.replyTextOther : ControlFileNames.replyText)
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
