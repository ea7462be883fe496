import MailModel
import Testing

@testable import Policy

@Suite("Causes of refusals")
struct RefusalCauseTests {
    @Test(
        "what remote servers say, in one word",
        arguments: [
            (550, "5.1.1", "The email account that you tried to reach does not exist", RefusalCause.unknownUser),
            (550, "", "No such user here", .unknownUser),
            (552, "5.2.2", "mailbox full", .mailboxFull),
            (452, "4.2.2", "The email account that you tried to reach is over quota", .mailboxFull),
            (550, "5.7.26", "This mail has been blocked because the sender is unauthenticated", .senderAuthentication),
            (550, "5.7.1", "Message rejected: SPF check failed", .senderAuthentication),
            (554, "5.7.1", "Service unavailable; client host blocked using Spamhaus", .reputation),
            (554, "5.7.1", "Relay access denied", .relayDenied),
            (550, "", "relay not permitted", .relayDenied),
            (450, "4.7.1", "Greylisted, see http://postgrey", .greylisted),
            (421, "4.7.28", "unusual rate of mail", .rateLimited),
            (421, "", "Too many connections", .rateLimited),
            (552, "5.3.4", "message is larger than the remote server's limit", .tooLarge),
            (550, "5.7.1", "Please mail to a valid e-mail address.", .policy),
            (535, "5.7.8", "authentication failed", .login),
            (451, "4.4.1", "connection refused", .noConnection),
            (451, "4.4.2", "connection lost", .connectionLost),
            (451, "4.4.3", "name server did not answer", .nameServer),
            (451, "4.3.0", "queue file write error", .remoteTrouble),
            (500, "", "what", .other),
        ])
    func classify(_ code: Int, _ enhanced: String, _ text: String, _ cause: RefusalCause) {
        #expect(RefusalCause(of: Reply(code, EnhancedCode(enhanced), text)) == cause)
    }

    @Test("each trouble of our own has a cause that is not `other`", arguments: DeliveryTrouble.allCases)
    func own(_ trouble: DeliveryTrouble) {
        #expect(RefusalCause(of: trouble.reply()) != .other, "\(trouble.reply().text)")
    }
}
