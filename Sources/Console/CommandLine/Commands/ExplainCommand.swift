import ArgumentParser
import Control

struct ExplainCommand: ControlCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Explain a refusal by its reference, what would be decided, or what a client may do at all.")

    @OptionGroup var global: GlobalOptions
    @OptionGroup var reading: ReadingOptions
    @Argument(help: "The reference at the end of a refusal, such as 7K2Q-93HD.")
    var reference: String?
    @Option(help: ArgumentHelp("Address of the client; without --from and --to: its relay matrix.", valueName: "ip"))
    var client: String?
    @Option(help: ArgumentHelp("Envelope sender; <> for none.", valueName: "address"))
    var from: String?
    @Option(help: ArgumentHelp("Envelope recipient.", valueName: "address"))
    var to: String?
    @Option(help: ArgumentHelp("The client authenticated as this.", valueName: "id"))
    var auth: String?
    @Flag(help: "The session is encrypted.")
    var tls = false
    @Option(help: ArgumentHelp("Name given in EHLO.", valueName: "name"))
    var helo: String?
    @Option(help: ArgumentHelp("Size announced at MAIL.", valueName: "octets"))
    var size: Int?
    @Option(name: .customLong("at"), help: ArgumentHelp("The address that the client connects to.", valueName: "ip"))
    var local: String?
    @Flag(help: "Ask no block list about the client; only answers at hand count.")
    var noLists = false
    @Option(
        help: ArgumentHelp("Try this effect.dat instead of the one in force; - is standard input.", valueName: "file"))
    var effect: String?

    func validate() throws {
        if reference != nil {
            if client != nil || from != nil || to != nil || auth != nil || tls || effect != nil || helo != nil
                || size != nil || local != nil || noLists
            {
                throw ValidationError("Give a reference, or --client, --from and --to, not both.")
            }
        } else if isMatrix {
            if auth != nil || tls || helo != nil || size != nil || local != nil || noLists {
                throw ValidationError("--auth, --tls, --helo, --size, --at and --no-lists need --from and --to.")
            }
            if client == nil, effect == nil { throw ValidationError("Give a reference, or --client, --from and --to.") }
        } else if client == nil || from == nil || to == nil {
            throw ValidationError("Give a reference, or all of --client, --from and --to.")
        }
    }

    /// No mail to judge: what the client may do at all.
    private var isMatrix: Bool { reference == nil && from == nil && to == nil }

    func execute(_ session: Session) throws {
        if isMatrix { return try executeMatrix(session) }
        let found: Explanation
        if let reference {
            found = try session.call(PolicyInterface.Explain.self, .init(reference: reference))
        } else {
            let sender = from == "<>" ? "" : from ?? ""
            found = try session.call(
                PolicyInterface.Evaluate.self,
                .init(
                    client: client ?? "", sender: sender, recipient: to ?? "", authenticatedID: auth, isTLS: tls,
                    effect: try effect.map { try session.contents(of: $0) }, hello: helo, size: size,
                    local: local, asksLists: noLists ? false : nil))
        }
        if reading.json { return session.show(json: found) }
        try show(found, session)
    }

    private func show(_ found: Explanation, _ session: Session) throws {
        let reply = found.reply.isEmpty ? session.word(.closedSilently) : found.reply
        session.say("\(session.word(found.isAccepted ? .accepted : .refused)): \(reply)")
        var facts = [(session.word(.reason), found.reason)]
        if let time = found.time { facts.append((session.word(.time), try session.calendar().text(time))) }
        facts.append((session.word(.moment), found.moment))
        var client = found.client
        if let hello = found.hello, !hello.isEmpty { client += " (\(hello))" }
        if found.isTLS { client += " TLS" }
        facts.append((session.word(.client), client))
        if let listener = found.listener { facts.append((session.word(.listener), listener)) }
        facts.append((session.word(.authenticated), found.authenticatedID ?? "-"))
        if let sender = found.sender { facts.append((session.word(.from), sender.isEmpty ? "<>" : sender)) }
        if let recipient = found.recipient { facts.append((session.word(.to), recipient)) }
        if let revision = found.settingsRevision { facts.append((session.word(.revision), String(revision))) }
        session.show(TextTable(pairs: facts))
        var table = TextTable([
            .init(""), .init(session.word(.check)), .init(session.word(.finding)), .init(session.word(.source)),
        ])
        for step in found.steps {
            table.add(step.decided ? "=>" : "", step.check, session.sentence(step.finding), step.source)
        }
        session.say("")
        session.show(table)
        if let remedy = found.remedy {
            session.say("")
            session.say(session.word(.remedy, session.sentence(remedy)))
        }
    }
}
