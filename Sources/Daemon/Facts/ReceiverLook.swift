import Control
import MailModel
import Policy
import Tables

/// What only the running receiver knows about a mail that is judged without being sent. Between supervisor and receiver;
/// it is no method of the control socket.
package enum ReceiverLook: ControlMethod {
    package static let name = "org.epost.Receiver.Look"
    package static let isReadOnly = true

    package struct Input: Codable, Hashable, Sendable {
        package var client: IPAddress
        /// The address that the client connects to; `nil`: any.
        package var local: IPAddress?
        /// Authenticated as this.
        package var account: MailAddress?
        package var sender: ReversePath
        package var recipient: MailAddress
        /// Block lists whose answers are wanted.
        package var zones: [String]
        /// Ask the lists; otherwise only answers at hand count.
        package var asks: Bool

        package init(
            client: IPAddress, local: IPAddress?, account: MailAddress?, sender: ReversePath, recipient: MailAddress,
            zones: [String], asks: Bool
        ) {
            self.client = client
            self.local = local
            self.account = account
            self.sender = sender
            self.recipient = recipient
            self.zones = zones
            self.asks = asks
        }
    }

    package struct Output: Codable, Hashable, Sendable {
        /// As if the client connected now.
        package var connection: ConnectionFacts
        package var lists: [BlocklistAnswer]
        package var senderLock: LockFacts?
        /// The sender is one of several addresses of the authenticated account; `nil`: not known.
        package var isSenderOwn: Bool?
        package var isOutsideHours: Bool
        package var restriction: RecipientRestriction
        /// The recipient as a session takes it, and what is known of it, its mailbox looked at.
        package var recipient: MailAddress
        package var directory: DirectoryFacts

        package init(
            connection: ConnectionFacts, lists: [BlocklistAnswer] = [], senderLock: LockFacts? = nil,
            isOutsideHours: Bool = false, restriction: RecipientRestriction = .none, recipient: MailAddress,
            directory: DirectoryFacts
        ) {
            self.connection = connection
            self.lists = lists
            self.senderLock = senderLock
            self.isOutsideHours = isOutsideHours
            self.restriction = restriction
            self.recipient = recipient
            self.directory = directory
        }
    }
}
