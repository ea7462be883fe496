import MailModel
import Spool

/// Recipients of one message with the same next hop, on their way. Handed over to the event loop and used there only.
package final class RemoteJob: @unchecked Sendable {
    // @unchecked: made on the dispatcher's thread, given away with `submit`, afterwards confined to the event loop.
    let message: ClaimedMessage
    let hop: NextHop
    /// Those without a final outcome in this attempt.
    var recipients: [ClaimedRecipient]
    /// Outcomes so far, in the order in which they came.
    var settled: [(ClaimedRecipient, RecipientResult)] = []
    /// What the hosts tried so far said about those still open: the softest counts in the end.
    var lastFailure: RecipientResult?
    /// What a host said about single recipients, by their index.
    var lastFailures: [Int: RecipientResult] = [:]
    /// Hosts of the destination that are left to be tried, the current one first.
    var candidates: ArraySlice<HostAddress> = []
    /// The candidates came from the MX cache.
    var mayAskAgain = false
    /// How the destination fared when the job got its slot.
    var health = DestinationRecord.Health.unknown
    /// Sessions in which a transaction was begun.
    var sessions = 0
    /// A used connection broke before it said anything about this message; once that is no attempt.
    var wasRestarted = false
    /// A token that had been used before was refused; another one is got for it once.
    var hasNewToken = false

    init(message: ClaimedMessage, recipients: [ClaimedRecipient], hop: NextHop) {
        self.message = message
        self.recipients = recipients
        self.hop = hop
    }
}

/// One address of one host of a destination.
package struct HostAddress: Hashable, Sendable {
    package var name: String
    package var address: IPAddress
    package var port: Int

    package init(name: String, address: IPAddress, port: Int) {
        self.name = name
        self.address = address
        self.port = port
    }
}
