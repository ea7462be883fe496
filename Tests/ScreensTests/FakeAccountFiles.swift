import Control

@testable import ConsoleCore

/// Control files of accounts, and aliases, as epostd would answer.
extension FakeServer {
    mutating func answerAccountFiles(_ method: String, _ call: [UInt8]) throws(ControlError) -> [[UInt8]] {
        switch method {
        case DirectoryInterface.GetMailControl.name:
            let asked = try input(DirectoryInterface.GetMailControl.self, call)
            let changed = asked.values?.laid(over: control) ?? control
            return one(
                DirectoryInterface.GetMailControl.Output(
                    control: changed, text: Self.text(changed), etag: etag("control"),
                    files: ["permitfrom", "reply", "noreply"].map { file in
                        AccountFileState(
                            file: file, name: file.uppercased(), exists: accountFiles[file] != nil,
                            lines: TableRecord.lines(of: accountFiles[file] ?? "").count, etag: etag(file))
                    }, administrator: "postmaster@example.jp", rewritesSenders: true,
                    problems: changed.forwardTo == "user000001@example.jp"
                        ? [
                            Problem(
                                path: "control/forwardTo", code: "control.forward-self",
                                message: "An account does not forward to itself.")
                        ] : []))
        case DirectoryInterface.SetMailControl.name:
            let asked = try input(DirectoryInterface.SetMailControl.self, call)
            if let base = asked.baseEtag, base != etag("control") { throw Self.changedMeanwhile("IMS.CTL") }
            controlsSet.append(asked)
            control = asked.values.laid(over: control)
            for file in asked.files { accountFiles[file.file] = file.text }
            return one(appliedFile("file/\(asked.address)/IMS.CTL"))
        case DirectoryInterface.GetAccountFile.name:
            let asked = try input(DirectoryInterface.GetAccountFile.self, call)
            let text = asked.file == "control" ? Self.text(control) : accountFiles[asked.file] ?? ""
            return one(
                DirectoryInterface.GetAccountFile.Output(
                    text: text, name: asked.file == "hours" ? "usetime.dat" : asked.file.uppercased(),
                    exists: !text.isEmpty, etag: etag(asked.file),
                    encoding: asked.file == "reply" ? "ISO-2022-JP" : "UTF-8", problems: []))
        case DirectoryInterface.CheckAccountFile.name:
            let asked = try input(DirectoryInterface.CheckAccountFile.self, call)
            let lines = TableRecord.lines(of: asked.text)
            return one(
                DirectoryInterface.CheckAccountFile.Output(
                    problems: lines.indices.filter { lines[$0].contains("?") }.map {
                        Problem(path: "line/\($0 + 1)", code: "test.line", message: "a question mark stands here")
                    }))
        case DirectoryInterface.SetAccountFile.name:
            let asked = try input(DirectoryInterface.SetAccountFile.self, call)
            if let base = asked.baseEtag, base != etag(asked.file) { throw Self.changedMeanwhile(asked.file) }
            accountFiles[asked.file] = asked.text
            return one(appliedFile("file/\(asked.address)/\(asked.file)"))
        case DirectoryInterface.TestAccount.name:
            let asked = try input(DirectoryInterface.TestAccount.self, call)
            let changed = asked.values?.laid(over: control) ?? control
            let target = changed.forwardTo ?? ""
            return one(
                DirectoryInterface.TestAccount.Output(
                    isStored: changed.discard != true, forwardedTo: target.isEmpty ? [] : [target],
                    answered: changed.reply == true ? asked.sender : nil,
                    steps: [
                        .init(
                            check: "forward.to",
                            finding: "forwarded to \(target); envelope sender rewritten (SRS), so that SPF holds "
                                + "and reports find <\(asked.sender)>",
                            source: "AutoForward/ReportTo", decided: false),
                        .init(
                            check: "control.discard", finding: "stored in the mailbox", source: "Delivery/Discard",
                            decided: true),
                    ]))
        default: return try answerAliases(method, call)
        }
    }

    private mutating func answerAliases(_ method: String, _ call: [UInt8]) throws(ControlError) -> [[UInt8]] {
        switch method {
        case AliasInterface.List.name:
            let asked = try input(AliasInterface.List.self, call)
            let found = aliases.filter { row in
                (asked.domain.map { row.alias.hasSuffix("@" + $0) } ?? true)
                    && (asked.filter.map { row.alias.contains($0) || row.target.contains($0) } ?? true)
            }
            let rows = found.dropFirst(asked.offset).prefix(asked.limit).map { row in
                let (target, option) = AliasRecord.parts(row.target)
                return AliasEntry(alias: row.alias, target: target, rewrite: option, state: row.state, revision: 7)
            }
            return one(
                AliasInterface.List.Output(
                    rows: rows, total: found.count, offset: asked.offset,
                    position: asked.locate.flatMap { id in
                        found.firstIndex { "\($0.alias) \(AliasRecord.parts($0.target).address)" == id }
                    }))
        case AliasInterface.Get.name:
            let asked = try input(AliasInterface.Get.self, call).alias
            let targets = aliases.filter { $0.alias == asked }.map(\.target)
            return one(AliasInterface.Get.Output(targets: targets, revision: targets.isEmpty ? 0 : 7))
        case AliasInterface.Set.name:
            let asked = try input(AliasInterface.Set.self, call)
            aliasesSet.append(asked)
            aliases.removeAll { $0.alias == asked.alias }
            aliases += asked.targets.map { (asked.alias, $0, "ok") }
            return one(appliedFile("alias/\(asked.alias)"))
        case AliasInterface.Import.name:
            return one(
                AliasInterface.Import.Output(revision: revision, added: 12, kept: 3, removed: 0, problems: []))
        case AliasInterface.Test.name:
            let call = try input(AliasInterface.Test.self, call)
            let asked = call.address
            let edit = call.edits?.first { $0.alias == asked }
            return one(
                AliasInterface.Test.Output(
                    places: [
                        .init(address: edit?.targets.first ?? "info-tokyo@example.jp", envelope: asked, isLocal: true)
                    ],
                    dead: [.init(address: "nobody@example.jp", fault: "unknown")],
                    steps: [
                        .init(
                            check: "alias", finding: "\(asked) is an alias of info-tokyo@example.jp",
                            source: "alias/\(asked)", decided: true)
                    ], edited: edit.map { [$0.alias] } ?? []))
        default: throw ControlError(.methodNotFound, code: "method", "no method \(method)")
        }
    }

    static let someControl: MailControl = {
        var values = MailControl()
        (values.enabled, values.forwardTo, values.permitFrom) = (true, "rei@partner.example", false)
        (values.reportTo, values.deleteAttachments, values.sizeLimit) = ("Sender", false, 65_536)
        (values.reply, values.subject, values.replyFrom) = (true, "Out of office until 1 Dec", "")
        (values.replyTo, values.echo, values.withoutHeader) = ("", false, false)
        (values.record, values.once, values.program, values.discard) = (true, true, "", false)
        return values
    }()

    private static func text(_ values: MailControl) -> String {
        var text = ""
        if let target = values.forwardTo, !target.isEmpty { text += "[AutoForward]\nForwardTo=\(target)\n" }
        if let limit = values.sizeLimit, limit >= 0 { text += "SizeLimit=\(limit)\n" }
        if values.reply == true {
            text +=
                "[AutoReply]\nSubject=\(values.subject ?? "")\nRecordReplies=\(values.record == true ? "Yes" : "No")\n"
        }
        if values.discard == true { text += "[Delivery]\nDiscard=Yes\n" }
        return text
    }

    private func etag(_ file: String) -> String {
        let text = file == "control" ? Self.text(control) : accountFiles[file] ?? ""
        return text.isEmpty ? "-" : text
    }

    private static func changedMeanwhile(_ name: String) -> ControlError {
        ControlError(
            .conflict, code: "account.file-changed", "\(name) was changed meanwhile; nothing was written.",
            arguments: [name])
    }

    private mutating func appliedFile(_ path: String) -> Applied {
        revision += 1
        return Applied(
            revision: revision, changes: [ChangeRecord(path: path, old: nil, new: [])], effects: ["now"], warnings: [])
    }
}
