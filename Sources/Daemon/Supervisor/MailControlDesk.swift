import Control
import ControlServer
import Facts
import MailModel
import Mailbox
import MessageFormat
import Policy
import Settings
import Store
import Tables

/// Forwarding, automatic reply and program of an account, field by field; and "Test: who gets a mail?".
struct MailControlDesk: Sendable {
    let desk: Desk
    let directory: any Directory

    func register(on server: ControlServer) {
        let (desk, directory) = (desk, directory)
        server.on(DirectoryInterface.GetMailControl.self) { input, caller throws(ControlError) in
            try desk.gate.need(address: input.address, caller)
            return try await desk.offload.run { () throws(ControlError) in try Self.get(input, directory) }
        }
        server.on(DirectoryInterface.SetMailControl.self) { input, caller throws(ControlError) in
            try desk.needConfiguration()
            try desk.gate.need(address: input.address, caller)
            let applied = try await desk.offload.run { () throws(ControlError) in
                try Self.set(input, directory, desk.store, Desk.author(caller))
            }
            return await desk.inForce(applied, by: caller)
        }
        server.on(DirectoryInterface.TestAccount.self) { input, caller throws(ControlError) in
            try desk.gate.need(address: input.address, caller)
            return try await desk.offload.run { () throws(ControlError) in try Self.test(input, directory) }
        }
    }

    // MARK: Fields

    private static func get(
        _ input: DirectoryInterface.GetMailControl.Input, _ directory: any Directory
    ) throws(ControlError) -> DirectoryInterface.GetMailControl.Output {
        let folder = try AccountFolder(input.address, directory)
        let found = try folder.read(.control)
        let octets = try updated(found.octets ?? [], by: input.values ?? MailControl())
        let control = ControlSettings(ControlFile(octets: octets))
        var states: [AccountFileState] = []
        for file in [AccountFile.permitfrom, .reply, .noreply, .replied] {
            let found = try folder.read(file)
            let lines = (found.lines ?? []).count { !$0.isEmpty }
            states.append(
                AccountFileState(
                    file: file.rawValue, name: found.name, exists: found.octets != nil, lines: lines, etag: found.etag))
        }
        let settings = try AccountFolder.asking { () throws(DirectoryError) in try directory.settings() }
        let text = TableText(octets: octets).text
        return .init(
            control: MailControl(control), text: text, etag: found.etag, files: states,
            administrator: settings[AdminSettings.account],
            rewritesSenders: settings[DeliverySettings.rewritesSenders],
            problems: AccountFile.control.problems(text, of: folder.account.address) + doubts(about: control))
    }

    /// A list that names nobody keeps all mail (R-CTL-17): worth to be told before it happens.
    private static func doubts(about settings: ControlSettings) -> [Problem] {
        guard let path = settings.forwardFile, path.hasPrefix("/") else { return [] }
        let shown = DisplayText.clean(path, limit: 200)
        func doubt(_ code: String, _ message: String, _ more: [String] = []) -> Problem {
            Problem(
                path: "control/forwardTo", code: "control.\(code)", message: message, arguments: [shown] + more,
                isWarning: true)
        }
        do throws(MailboxError) {
            let octets = try MailboxFiles.readList(path, limit: AccountFolder.maximumOctets)
            guard AddressLines.addresses(octets).isEmpty else { return [] }
            return [doubt("list-empty", "The list \(shown) holds no address; mail is kept and not forwarded.")]
        } catch {
            let detail = DisplayText.clean(error.detail, limit: 200)
            return [
                doubt(
                    "list-unreadable", "The list \(shown) cannot be read (\(detail)); mail is kept and not forwarded.",
                    [detail])
            ]
        }
    }

    private static func set(
        _ input: DirectoryInterface.SetMailControl.Input, _ directory: any Directory, _ store: StoreWriter,
        _ author: Author
    ) throws(ControlError) -> Applied {
        let folder = try AccountFolder(input.address, directory)
        var changes: [AccountFolder.Change] = []
        var warnings: [Problem] = []
        if !input.values.isEmpty {
            let present = try folder.read(.control)
            let octets = try updated(present.octets ?? [], by: input.values)
            try AccountFilesDesk.refuse(
                AccountFile.control.problems(TableText(octets: octets).text, of: folder.account.address))
            // Of the file that was just looked at: the check stands for what is written.
            if let base = input.baseEtag, base != present.etag { throw AccountFolder.changed(present.name) }
            changes.append(.init(file: .control, baseEtag: present.etag) { _ in octets })
            if input.values.forwardTo != nil { warnings += doubts(about: ControlSettings(ControlFile(octets: octets))) }
        }
        for text in input.files {
            let (change, doubts) = try AccountFilesDesk.change(text, in: folder)
            changes.append(change)
            warnings += doubts
        }
        return try AccountFilesDesk.write(
            changes, folder, store, note: input.note, warnings: warnings, author)
    }

    /// The file with these values in it.
    private static func updated(_ octets: [UInt8], by values: MailControl) throws(ControlError) -> [UInt8] {
        var file = ControlFile(octets: octets)
        var settings = ControlSettings(file)
        try settings.take(values)
        settings.write(to: &file)
        return file.octets
    }

    // MARK: Test

    private static func test(
        _ input: DirectoryInterface.TestAccount.Input, _ directory: any Directory
    ) throws(ControlError) -> DirectoryInterface.TestAccount.Output {
        let folder = try AccountFolder(input.address, directory)
        guard folder.account.isEnabled else {
            return .init(
                isStored: false, forwardedTo: [], answered: nil,
                steps: [
                    .init(
                        check: "account.state", finding: "the account is switched off: refused", source: "",
                        decided: true)
                ])
        }
        let settings = try AccountFolder.asking { () throws(DirectoryError) in try directory.settings() }
        let plan = AccountPlan(
            account: folder.account.address, control: try control(of: folder, input),
            mail: ControlledMail(sender: MailAddress(typed: input.sender).map { .address($0) } ?? .null),
            around: ControlSurroundings(
                administrator: MailAddress(typed: settings[AdminSettings.account]),
                rewritesSenders: settings[DeliverySettings.rewritesSenders],
                isOperated: { (try? directory.domain(named: $0)) != nil }))
        return .init(
            isStored: plan.stores, forwardedTo: plan.forwards.flatMap(\.recipients).map(\.text),
            answered: plan.answer?.to.text,
            steps: plan.steps.map {
                .init(
                    check: $0.check, finding: DisplayText.clean($0.finding, limit: 1000),
                    source: $0.source?.text ?? "", decided: $0.decided)
            })
    }

    /// As it stands in the mailbox, with what is to be tried put over it.
    private static func control(
        of folder: AccountFolder, _ input: DirectoryInterface.TestAccount.Input
    ) throws(ControlError) -> AccountControl {
        let octets = try updated(try folder.read(.control).octets ?? [], by: input.values ?? MailControl())
        let settings = ControlSettings(ControlFile(octets: octets))
        var texts: [AccountFile: [UInt8]] = [:]
        for file in [AccountFile.permitfrom, .noreply, .reply] {
            let given = input.files?.last { $0.file == file.rawValue }.map { Array($0.text.utf8) }
            if let given { texts[file] = given } else { texts[file] = try folder.read(file).octets }
        }
        return AccountControl(
            settings: settings, permitted: texts[.permitfrom] ?? [], unanswered: texts[.noreply] ?? [],
            replyText: texts[.reply] ?? [])
    }
}

extension MailControl {
    init(_ settings: ControlSettings) {
        self.init()
        enabled = settings.isEnabled
        forwardTo = settings.forwardTo
        permitFrom = settings.permitsBySender
        reportTo = settings.reportTo.text
        deleteAttachments = settings.removesAttachments
        sizeLimit = settings.sizeLimit ?? -1
        reply = settings.replies
        subject = settings.subject
        replyFrom = settings.replyFrom
        replyTo = settings.replyTo
        echo = settings.echoesMessage
        withoutHeader = settings.echoesWithoutHeader
        record = settings.recordsReplies
        once = settings.repliesOnce
        program = settings.program
        discard = settings.discards
    }
}

extension ControlSettings {
    /// Takes over the fields that are given.
    fileprivate mutating func take(_ values: MailControl) throws(ControlError) {
        if let text = values.reportTo {
            guard let wanted = ReportTo(text) else {
                let shown = DisplayText.clean(text, limit: 80)
                throw ControlError(
                    .refused, code: "control.bad-report", "\"\(shown)\" is not Admin, Sender, None or an address.",
                    arguments: [shown])
            }
            reportTo = wanted
        }
        isEnabled = values.enabled ?? isEnabled
        forwardTo = values.forwardTo ?? forwardTo
        permitsBySender = values.permitFrom ?? permitsBySender
        removesAttachments = values.deleteAttachments ?? removesAttachments
        if let limit = values.sizeLimit { sizeLimit = limit < 0 ? nil : limit }
        replies = values.reply ?? replies
        subject = values.subject ?? subject
        replyFrom = values.replyFrom ?? replyFrom
        replyTo = values.replyTo ?? replyTo
        echoesMessage = values.echo ?? echoesMessage
        echoesWithoutHeader = values.withoutHeader ?? echoesWithoutHeader
        recordsReplies = values.record ?? recordsReplies
        repliesOnce = values.once ?? repliesOnce
        program = values.program ?? program
        discards = values.discard ?? discards
    }
}
