import Control
import Facts
import MailModel
import Mailbox
import Policy
import Service
import Store

/// Answers the supervisor's question what this receiver would know of a mail (`explain --client`, Simulate). It takes
/// the ways of a session to its facts, and counts nothing.
struct ReceiverLooking: Sendable {
    let core: ReceiverCore

    func answer(_ request: ServiceRequest) {
        do throws(ControlError) {
            let input = try request.input(of: ReceiverLook.self)
            let configuration = core.configuration
            let looked: @Sendable ([BlocklistAnswer]) -> Void = { [self] lists in
                // Files of users and mailboxes are read: not on the thread that the answers came by.
                let isTaken = core.diskWork.submit {
                    do throws(DirectoryError) {
                        var output = try look(input, configuration)
                        output.lists = lists
                        request.answer(ReceiverLook.self, output)
                    } catch {
                        request.fail(Self.failure("The directory cannot be read: \(error.detail)"))
                    }
                }
                if !isTaken { request.fail(Self.failure("the receiver ends")) }
            }
            let ask: @Sendable () -> Void = {
                if input.asks {
                    configuration.blocklists.ask(about: input.client, zones: input.zones, completion: looked)
                } else {
                    looked(configuration.blocklists.known(about: input.client, zones: input.zones))
                }
            }
            let recipients = try? core.addresses(behind: input.recipient, at: input.local, configuration)
            let asked = (recipients ?? []) + [input.sender.address, input.account].compactMap { $0 }
            if core.directory.prepare(asked, ask) { ask() }
        } catch {
            request.fail(error)
        }
    }

    private static func failure(_ text: String) -> ControlError {
        ControlError(.failed, code: "explain.failed", text, arguments: [text])
    }

    private func look(
        _ input: ReceiverLook.Input, _ configuration: ReceiverConfiguration
    ) throws(DirectoryError) -> ReceiverLook.Output {
        // Without an address that is connected to, one that is nobody's.
        let nowhere = IPAddress(octets: [UInt8](repeating: 0, count: input.client.isIPv4 ? 4 : 16)) ?? input.client
        let local = input.local ?? nowhere
        let open = core.gate.open(of: input.client)
        let connection = ConnectionFacts(
            client: input.client, local: local, openSessions: open.all,
            openSessionsOfClient: input.client.isThisMachine ? 0 : open.ofClient,
            lock: core.locks.lock(of: input.client, local: local))
        var (recipient, directory) = try core.recipientFacts(input.recipient, at: input.local, configuration)
        if let limited = try core.limitedMailbox(recipient, directory, configuration), var account = directory.account {
            // A mailbox that cannot be counted is judged at delivery.
            let usage = try? core.mailboxes.usage(of: limited.place, limit: limited.limit)
            account.mailboxUsed = usage.map { Int64($0.octets) }
            directory = .account(account)
        }
        var output = ReceiverLook.Output(connection: connection, recipient: recipient, directory: directory)
        output.senderLock = input.account.flatMap { core.locks.permanentLock(of: $0) }
        output.isSenderOwn = try core.owns(input.account, input.sender)
        let sender = try core.directory.facts(about: input.sender)
        if let users = try core.users(of: input.sender, sender, login: input.account) {
            let rules = core.personal.read(users)
            output.isOutsideHours = !rules.permits
            output.restriction = rules.restriction
        }
        return output
    }
}
