import ArgumentParser
import Control

struct SenderCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sender",
        abstract: "Show what accounts send, and deal with mail that is held because it was too much.",
        subcommands: [List.self, Show.self, Release.self, Drop.self, Reset.self])

    struct List: ControlCommand {
        static let configuration = CommandConfiguration(
            abstract: "List accounts by what they sent in the last day; held mail is counted.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var reading: ReadingOptions

        func execute(_ session: Session) throws {
            let found = try session.call(GuardInterface.ListSenders.self)
            if reading.json { return session.show(json: found) }
            session.show(SenderCommand.table(found.senders, session, try session.calendar()))
        }
    }

    static func table(_ senders: [SenderEntry], _ session: Session, _ calendar: Calendar) -> TextTable {
        var table = TextTable([
            .init(session.word(.lockWho)), .init(session.word(.senderMessages), .right),
            .init(session.word(.senderRecipients), .right), .init(session.word(.senderNew), .right),
            .init(session.word(.senderHeld), .right), .init(session.word(.senderLast)),
            .init(session.word(.client)), .init(""),
        ])
        for sender in senders {
            table.add(
                sender.sender, "\(sender.messagesHour)/\(sender.messagesDay)",
                "\(sender.recipientsHour)/\(sender.recipientsDay)",
                "\(sender.newRecipientsHour)/\(sender.newRecipientsDay)", String(sender.held),
                sender.lastSession == 0 ? "" : calendar.text(sender.lastSession), sender.lastClient,
                sender.isLocked ? session.word(.lockPermanent) : "")
        }
        return table
    }

    struct Show: ControlCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the last sessions of an account and the mail that is held of it.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var reading: ReadingOptions
        @Argument(help: "An account such as taro@example.jp, or an IP address.") var sender: String

        func execute(_ session: Session) throws {
            let found = try session.call(GuardInterface.ShowSender.self, .init(sender: sender))
            if reading.json { return session.show(json: found) }
            let calendar = try session.calendar()
            session.show(SenderCommand.table([found.sender], session, calendar))
            session.say("")
            var sessions = TextTable([
                .init(session.word(.time)), .init(session.word(.client)), .init("HELO"),
                .init(session.word(.senderMethod)), .init("TLS"), .init(session.word(.senderMessages), .right),
                .init(session.word(.senderRecipients), .right), .init(session.word(.senderHeld), .right),
            ])
            for one in found.sessions {
                sessions.add(
                    calendar.text(one.time), one.client, one.hello, one.mechanism, one.isTLS ? "TLS" : "",
                    String(one.messages), String(one.recipients), String(one.held))
            }
            session.show(sessions)
            guard !found.held.isEmpty else { return }
            session.say("")
            var held = TextTable([
                .init("ID"), .init(session.word(.time)), .init(session.word(.size), .right),
                .init(session.word(.to)), .init(session.word(.reason)),
            ])
            for mail in found.held {
                let more = mail.recipients > 1 ? " +\(mail.recipients - 1)" : ""
                held.add(
                    mail.id, calendar.text(mail.time), Octets.text(mail.size), mail.recipient + more, mail.reason)
            }
            session.show(held)
        }
    }

    struct Given: ParsableArguments {
        @Argument(help: "An account such as taro@example.jp, or an IP address.") var sender: String
    }

    struct Release: ControlCommand {
        static let configuration = CommandConfiguration(abstract: "Let the held mail of a sender go on.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var given: Given
        func execute(_ session: Session) throws { try session.act(.release, onHeldOf: given.sender) }
    }

    struct Drop: ControlCommand {
        static let configuration = CommandConfiguration(
            abstract: "Delete the held mail of a sender; nobody is told. This cannot be undone.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var given: Given
        func execute(_ session: Session) throws { try session.act(.remove, onHeldOf: given.sender) }
    }

    struct Reset: ControlCommand {
        static let configuration = CommandConfiguration(
            abstract: "Count what an account sends from nothing again.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var given: Given
        func execute(_ session: Session) throws {
            _ = try session.call(GuardInterface.ForgetSender.self, .init(sender: given.sender))
            session.say(session.word(.senderReset, given.sender))
        }
    }
}

extension Session {
    fileprivate func act(_ action: QueueInterface.Act.Action, onHeldOf sender: String) throws {
        var done = 0
        while true {
            let ids = try call(GuardInterface.ShowSender.self, .init(sender: sender)).held.map(\.id)
            guard !ids.isEmpty else { break }
            let results = try call(QueueInterface.Act.self, .init(ids: ids, action: action)).results
            let moved = results.count(where: \.done)
            done += moved
            if moved == 0 { break }
        }
        say(word(.messagesDone, String(done)))
    }
}
