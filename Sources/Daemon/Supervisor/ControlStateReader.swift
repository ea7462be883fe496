import Control
import Facts
import Mailbox
import Policy
import Store
import Tables

/// What the control files of accounts do, for lists: a few small reads for each mailbox, nothing remembered, so that a
/// file written by hand shows at the next look.
enum ControlStateReader {
    /// - Returns: `nil` when the mailbox cannot be read, or a file in it is a planted link.
    static func state(of place: MailboxPlace) -> AccountControlState? {
        guard let location = MailboxLocation(base: place.base, folders: place.folders) else { return nil }
        do throws(MailboxError) {
            guard let files = try MailboxFiles(location) else { return AccountControlState() }
            return try state(of: files)
        } catch {
            return nil
        }
    }

    private static func state(of files: MailboxFiles) throws(MailboxError) -> AccountControlState {
        let names = try files.find([
            ControlFileNames.control, ControlFileNames.hours, ControlFileNames.restriction,
        ])
        var state = AccountControlState()
        if let name = names[ControlFileNames.control] {
            let octets = try files.read(name, limit: ControlFile.maximumOctets)
            let settings = ControlSettings(ControlFile(octets: octets))
            if settings.isEnabled {
                state.replies = settings.replies
                state.forwards = forwards(settings)
            }
        }
        if let name = names[ControlFileNames.hours] {
            let octets = try files.read(name, limit: AccountFolder.shownOctets)
            state.hasHours = !UseTime.read(TableText(octets: octets)).value.isUnlimited
        }
        if let name = names[ControlFileNames.restriction] {
            let octets = try files.read(name, limit: AccountFolder.maximumOctets)
            state.hasRecipients = RecipientRestriction.read(TableText(octets: octets)).value.isInForce
        }
        return state
    }

    private static func forwards(_ settings: ControlSettings) -> Int {
        switch AccountControl(settings: settings, permitted: [], unanswered: [], replyText: []).targets {
        case .none: 0
        case .addresses(let found): found.count
        case .unreadable: -1
        }
    }
}
