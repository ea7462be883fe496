import MailModel
import MessageFormat
import Policy
import Settings
import Spool
import Usage

/// What is sent counts, and past a limit it waits for an administrator (field notes C1).
extension SessionHandler {
    /// - Returns: `nil` when nobody's limits are touched: mail from other servers.
    func submission(_ message: IncomingMessage) -> Submission? {
        // Limits as they are now: a thief keeps his session open.
        let configuration = core.configuration
        let account = authentication.account?.folded.text
        let isCounted = configuration.addressLimits != .none && !isOwn && (account != nil || relaysOutside)
        guard account != nil || isCounted else { return nil }
        return Submission(
            id: message.id, time: message.receivedAt, account: account, client: client,
            recipients: message.envelope.recipients.map { $0.address.folded.text },
            accountLimits: configuration.accountLimits,
            addressLimits: isCounted ? configuration.addressLimits : nil, session: usageSession)
    }

    /// This machine: web mail and the like send for all their users.
    private var isOwn: Bool { client == local || client.isThisMachine }

    func sessionBegan(_ account: MailAddress, mechanism: String) {
        usageSession = core.usage.makeSessionID()
        core.usage.record(
            SessionRecord(
                id: usageSession, account: account.folded.text, time: ReceiverCore.now, client: client.description,
                hello: session.hello?.name ?? "", mechanism: mechanism, isTLS: session.isTLS))
    }

    /// - Returns: why the message is held; `nil`: it is not. The client learns nothing of it.
    func hold(_ message: IncomingMessage, _ judgement: Judgement) -> String? {
        guard judgement.verdict.reason == .held else { return nil }
        let sender = authentication.account?.folded.text ?? client.description
        let finding = judgement.verdict.trail.last { $0.decided }?.finding ?? ""
        let reference = DecisionReference(random: .random(in: 0 ... .max))
        let isKept = core.decisions.record(
            record(of: judgement.verdict, reference, moment: "DATA", reply: judgement.verdict.reason.reply))
        core.gate.held()
        var event = event(.session, level: .warning)
        event.queueID = message.id
        event.sender = message.envelope.sender.text
        event.text = "held: \(finding)"
        event.reference = isKept ? reference.description : nil
        core.journal.record(event)
        if judgement.isFirst {
            core.alert("mail of \(sender) is held: \(finding)")
            notify(sender, finding)
        }
        return finding + (isKept ? " (ref \(reference))" : "")
    }

    /// Mail to the administrator, once when holding begins. Never held itself: it comes from nobody.
    private func notify(_ sender: String, _ finding: String) {
        let configuration = core.configuration
        guard configuration.settings[SendingSettings.notifiesAdministrator],
            let administrator = configuration.administrator
        else { return }
        let id = core.spool.makeID()
        let host = session.profile.hostName
        let text = """
            From: postmaster <postmaster@\(host)>
            To: <\(administrator.text)>
            Subject: Held mail of \(HeaderText.clean(sender))
            Date: \(Self.date(ReceiverCore.now).text)
            Message-ID: <\(id)@\(host)>
            Auto-Submitted: auto-generated
            MIME-Version: 1.0
            Content-Type: text/plain; charset=utf-8
            Content-Transfer-Encoding: 8bit

            Mail of \(sender), client \(client), is held in the queue since now:
            \(finding).
            Nothing is lost. Somebody may have stolen the password; look, then release or drop the mail:

                epost-console sender show \(sender)
                epost-console sender release \(sender)
                epost-console sender drop \(sender)
                epost-console lock add \(sender)

            \(sender)（接続元 \(client)）のメールを保留しました。制限: \(finding)
            メールは失われていません。パスワードが盗まれた可能性があります。
            上のコマンド、またはコンソールの「監視」→「送信者」で確認し、解放または破棄してください。

            """
        let envelope = Envelope(
            sender: .null, recipients: [Recipient(address: administrator, notify: .never)], is8BitMIME: true)
        let new = NewMessage(
            id: id, envelope: envelope, content: .inline(Array(text.utf8)), receivedAt: ReceiverCore.now)
        let core = core
        core.spool.add(new) { result in
            if case .failure(let error) = result { core.log(.error, "notice to the administrator: \(error.detail)") }
        }
    }
}
