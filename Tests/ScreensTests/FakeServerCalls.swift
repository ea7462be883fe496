import Control

@testable import ConsoleCore

extension FakeServer {
    /// The replies to one call, in order; more than one only for streams.
    mutating func replies(to frame: [UInt8]) throws -> [[UInt8]] {
        let call = Array(frame.dropLast())
        let method = try Varlink.head(ofCall: call).method
        calls.append(method)
        do throws(ControlError) {
            return try answer(method, call)
        } catch {
            return [Varlink.error(error)].map { Array($0.dropLast()) }
        }
    }

    func one(_ output: some Encodable) -> [[UInt8]] { [Array(Varlink.reply(output).dropLast())] }

    func input<M: ControlMethod>(_: M.Type, _ call: [UInt8]) throws(ControlError) -> M.Input {
        do {
            return try Varlink.parameters(M.Input.self, in: call)
        } catch {
            throw ControlError(.invalidParameter, code: "test", "\(error)")
        }
    }

    private mutating func answer(_ method: String, _ call: [UInt8]) throws(ControlError) -> [[UInt8]] {
        switch method {
        case ServerInterface.Hello.name:
            presentedKeys.append(try input(ServerInterface.Hello.self, call).keys)
            return one(hello)
        case ServerInterface.GetStatus.name: return one(status)
        case ServerInterface.Announce.name: return one(Nothing())
        case ServerInterface.Watch.name: return []
        case ServerInterface.Unlock.name:
            guard try input(ServerInterface.Unlock.self, call).password == password else {
                throw ControlError(.refused, code: "unlock.wrong", "the password is not right")
            }
            return one(Nothing())
        case ServerInterface.CheckSetup.name:
            return one(
                ServerInterface.CheckSetup.Output(
                    problems: setupProblems, localAddresses: ["192.168.0.1 (eth0)", "192.168.0.4 (eth0:1)"],
                    systemDNSServers: ["192.168.1.4"], serviceUser: "epost"))
        case DirectoryInterface.ChangeAccount.name:
            accountsChanged.append(try input(DirectoryInterface.ChangeAccount.self, call))
            return one(Applied(revision: revision, changes: [], effects: [], warnings: []))
        case DirectoryInterface.CheckDirectory.name:
            let asked = try input(DirectoryInterface.CheckDirectory.self, call)
            checks.append(asked)
            return one(DirectoryInterface.CheckDirectory.Output(backend: asked.backend ?? "soft", steps: checkSteps))
        case ServerInterface.Setup.name:
            lastSetup = try input(ServerInterface.Setup.self, call)
            hello.isConfigured = true
            let parts = setupSteps.enumerated().map { index, step in
                Varlink.reply(ServerInterface.Setup.Output(steps: [step]), continues: index + 1 < setupSteps.count)
            }
            return parts.map { Array($0.dropLast()) }
        case GuardInterface.ListSenders.name:
            return one(GuardInterface.ListSenders.Output(senders: Self.senders, busiest: Self.busiest))
        case GuardInterface.ListLocks.name: return one(GuardInterface.ListLocks.Output(locks: Self.locks))
        case GuardInterface.ShowSender.name:
            return one(
                GuardInterface.ShowSender.Output(
                    sender: Self.senders[0],
                    sessions: [
                        SenderSession(
                            time: status.now - 60_000, client: "203.0.113.9", hello: "[192.168.1.2]",
                            mechanism: "LOGIN",
                            isTLS: true, messages: 212, recipients: 640, held: 12)
                    ],
                    held: [
                        HeldMail(
                            id: "4KQ8Z1M7T0XW2A", time: status.now - 30_000, client: "203.0.113.9",
                            recipient: "someone@far.example", recipients: 3, size: 2048,
                            reason: "sato@example.jp: 301 messages within an hour, 300 are allowed (ref 7K2Q-93HD)")
                    ]))
        case GuardInterface.ChangeLock.name: return one(GuardInterface.ChangeLock.Output(isChanged: true))
        default: return try answerSettings(method, call)
        }
    }

    private mutating func answerSettings(_ method: String, _ call: [UInt8]) throws(ControlError) -> [[UInt8]] {
        switch method {
        case ServerInterface.GetCertificate.name: return one(certificate)
        case ServerInterface.MakeCertificate.name:
            certificate.certificateFile = "/etc/epost/tls/20261124-120320-certificate.pem"
            certificate.privateKeyFile = "/etc/epost/tls/20261124-120320-key.pem"
            revision += 1
            for (key, file) in [
                ("tls.certificate_file", certificate.certificateFile),
                ("tls.private_key_file", certificate.privateKeyFile),
            ] {
                settings[key] = SettingEntry(key: key, values: [file], isDefault: false, revision: revision)
            }
            return one(
                Applied(
                    revision: revision,
                    changes: [
                        ChangeRecord(path: "tls.certificate_file", old: nil, new: [certificate.certificateFile]),
                        ChangeRecord(path: "tls.private_key_file", old: nil, new: [certificate.privateKeyFile]),
                    ], effects: ["now", "now"], warnings: []))
        case SettingsInterface.List.name:
            let entries = settings.values.sorted { $0.key < $1.key }
            return one(SettingsInterface.List.Output(settings: entries, revision: revision))
        case SettingsInterface.Validate.name: return one(SettingsInterface.Validate.Output(problems: validation))
        case SettingsInterface.Apply.name: return one(try apply(try input(SettingsInterface.Apply.self, call)))
        case SettingsInterface.Revert.name:
            let asked = try input(SettingsInterface.Revert.self, call)
            let changes = history.first { $0.revision == asked.revision }?.changes ?? []
            let undone = changes.map { ChangeRecord(path: $0.path, old: $0.new, new: $0.old) }
            if asked.dryRun { return one(Applied(revision: revision, changes: undone, effects: [], warnings: [])) }
            reverted.append(asked.revision)
            revision += 1
            return one(Applied(revision: revision, changes: undone, effects: ["now"], warnings: []))
        case SettingsInterface.History.name:
            let asked = try input(SettingsInterface.History.self, call)
            let found = history.filter { $0.revision < asked.before ?? .max }.prefix(asked.limit)
            return one(SettingsInterface.History.Output(revisions: Array(found)))
        case DirectoryInterface.ListDomains.name: return one(DirectoryInterface.ListDomains.Output(domains: domains))
        case DirectoryInterface.ListAccounts.name:
            let asked = try input(DirectoryInterface.ListAccounts.self, call)
            listed.append(asked)
            if operationPasswords[asked.domain] != nil, !openedDomains.contains(asked.domain) {
                throw ControlError(.notPermitted, code: "domain.locked", "locked", arguments: [asked.domain])
            }
            return one(list(asked))
        case DirectoryInterface.OpenDomain.name:
            let asked = try input(DirectoryInterface.OpenDomain.self, call)
            guard operationPasswords[asked.domain] == asked.password else {
                throw ControlError(
                    .notPermitted, code: "domain.wrong-password", "wrong password", arguments: [asked.domain])
            }
            openedDomains.insert(asked.domain)
            return one(DirectoryInterface.OpenDomain.Output(key: "key-\(asked.domain)"))
        case DirectoryInterface.ChangeDomain.name:
            let asked = try input(DirectoryInterface.ChangeDomain.self, call)
            if let password = asked.values.operationPassword {
                operationPasswords[asked.name] = password.isEmpty ? nil : password
            }
            if let index = domains.firstIndex(where: { $0.name == asked.name }), let limit = asked.values.maxAccounts {
                domains[index].maxAccounts = limit
            }
            return one(done("domain/\(asked.name)"))
        case DirectoryInterface.BeginTransfer.name, DirectoryInterface.SendAccounts.name,
            DirectoryInterface.FinishTransfer.name, DirectoryInterface.ListTransfer.name,
            DirectoryInterface.EndTransfer.name:
            return try answerTransfer(method, call)
        case DirectoryInterface.ExportAccounts.name:
            let asked = try input(DirectoryInterface.ExportAccounts.self, call)
            let rows = (asked.offset..<min(accountCount, asked.offset + asked.limit)).map {
                "user\($0)\t{X}\t\t\(asked.domain)\n"
            }
            return one(
                DirectoryInterface.ExportAccounts.Output(text: rows.joined(), count: rows.count, total: accountCount))
        case DirectoryInterface.AccountUsage.name:
            let asked = try input(DirectoryInterface.AccountUsage.self, call)
            measured.append(asked.accounts)
            return one(DirectoryInterface.AccountUsage.Output(rows: asked.accounts.map(usage)))
        case DirectoryInterface.GetAccount.name:
            let address = try input(DirectoryInterface.GetAccount.self, call).address.split(separator: "@").map(
                String.init)
            let number = Int(address.first?.dropFirst(4) ?? "") ?? 0
            return one(account(number, address.last ?? ""))
        case DirectoryInterface.AddAccount.name:
            accountsAdded.append(try input(DirectoryInterface.AddAccount.self, call))
            return one(add(try input(DirectoryInterface.AddAccount.self, call)))
        case DirectoryInterface.RemoveAccount.name:
            let asked = try input(DirectoryInterface.RemoveAccount.self, call)
            accountsRemoved.append(asked)
            removedAccounts.insert(asked.address)
            return one(done("account"))
        case DirectoryInterface.RemoveDomain.name:
            let asked = try input(DirectoryInterface.RemoveDomain.self, call)
            domains.removeAll { $0.name == asked.name }
            return one(done("domain/\(asked.name)"))
        case DirectoryInterface.AddDomain.name:
            let asked = try input(DirectoryInterface.AddDomain.self, call)
            revision += 1
            domains.append(
                DomainEntry(
                    name: asked.name, maxAccounts: asked.values.maxAccounts ?? 0,
                    mailboxMode: asked.values.mailboxMode ?? "common",
                    smtpAddresses: asked.values.smtpAddresses ?? [], folder: asked.values.folder ?? "", accounts: 0,
                    revision: revision))
            return one(done("domain/\(asked.name)"))
        default: return try answerOperations(method, call)
        }
    }

    /// Lines without TAB are faulty; a synchronisation disables two accounts and changes one.
    private mutating func answerTransfer(_ method: String, _ call: [UInt8]) throws(ControlError) -> [[UInt8]] {
        switch method {
        case DirectoryInterface.BeginTransfer.name:
            begun.append(try input(DirectoryInterface.BeginTransfer.self, call))
            return one(DirectoryInterface.BeginTransfer.Output(transfer: "t\(begun.count)"))
        case DirectoryInterface.SendAccounts.name:
            imported.append(try input(DirectoryInterface.SendAccounts.self, call))
            return one(DirectoryInterface.SendAccounts.Output(accounts: 0, faults: 0))
        case DirectoryInterface.FinishTransfer.name:
            let asked = try input(DirectoryInterface.FinishTransfer.self, call)
            finished.append(asked)
            let lines = imported.flatMap { $0.text.split(separator: "\n") }
            let bad = lines.enumerated().filter { !$0.element.contains("\t") }.map {
                Problem(path: "line/\($0.offset + 1)/column/2", code: "test.line", message: "no tab in this line")
            }
            let synchronizes = begun.last?.kind == "synchronize"
            return one(
                TransferReport(
                    revision: revision, added: lines.count - bad.count, changed: synchronizes ? 1 : 0,
                    disabled: synchronizes ? 2 : 0, kept: 0, faults: bad.count, problems: bad))
        case DirectoryInterface.ListTransfer.name:
            let asked = try input(DirectoryInterface.ListTransfer.self, call)
            let rows = [
                TransferRow(address: "row-\(asked.action ?? "")@example.jp", action: "", line: 3, fields: ["fullName"])
            ]
            return one(DirectoryInterface.ListTransfer.Output(rows: rows, total: 1))
        default: return one(Nothing())
        }
    }

    private mutating func answerOperations(_ method: String, _ call: [UInt8]) throws(ControlError) -> [[UInt8]] {
        switch method {
        case QueueInterface.List.name:
            let asked = try input(QueueInterface.List.self, call)
            let found = queue.filter { asked.filter.map($0.sender.contains) ?? true }
            let rows = Array(found.dropFirst(asked.offset).prefix(asked.limit))
            return one(QueueInterface.List.Output(rows: rows, total: found.count, offset: asked.offset))
        case QueueInterface.Show.name:
            let asked = try input(QueueInterface.Show.self, call)
            guard let row = queue.first(where: { $0.id == asked.id }) else {
                throw ControlError(.notFound, code: "queue.not-found", "no message \(asked.id)")
            }
            return one(entry(row))
        case QueueInterface.Act.name:
            let asked = try input(QueueInterface.Act.self, call)
            acted.append("\(asked.action.rawValue) \(asked.ids.joined(separator: ","))")
            if asked.action == .remove { queue.removeAll { asked.ids.contains($0.id) } }
            return one(QueueInterface.Act.Output(results: asked.ids.map { .init(id: $0, done: true) }))
        case ServicesInterface.Act.name:
            let asked = try input(ServicesInterface.Act.self, call)
            acted.append("\(asked.action.rawValue) \(asked.service)")
            guard let index = services.firstIndex(where: { $0.name == asked.service }) else {
                throw ControlError(.notFound, code: "service.unknown", "no service \(asked.service)")
            }
            services[index].state = asked.action == .stop ? .stopped : .running
            return one(services[index])
        case LogInterface.Tail.name:
            let isAll = olderParts.isEmpty
            let output = LogInterface.Tail.Output(
                lines: lines, cursor: isAll ? nil : "20261123:0", left: isAll ? nil : olderParts.count << 20)
            return [Array(Varlink.reply(output, continues: true).dropLast())]
        case LogInterface.Search.name:
            guard !olderParts.isEmpty else { return one(LogInterface.Search.Output(lines: [], cursor: nil)) }
            let part = olderParts.removeFirst()
            return one(
                LogInterface.Search.Output(
                    lines: part, cursor: olderParts.isEmpty ? nil : "20261122:0",
                    left: olderParts.isEmpty ? nil : olderParts.count << 20))
        case GuardInterface.ListLocks.name:
            return one(
                GuardInterface.ListLocks.Output(locks: [
                    LockEntry(
                        subject: "203.0.113.9", kind: .address, state: .locked, cause: .failures, since: Self.now,
                        until: Self.now + 600_000, source: "rejectsmtpip.dat:3")
                ]))
        case PolicyInterface.Refusals.name:
            return one(
                PolicyInterface.Refusals.Output(reasons: [
                    .init(reason: "recipient.unknown", count: 612, reference: "7K2Q-93HD", time: Self.now),
                    .init(reason: "recipient.relay", count: 301, reference: "7K2Q-93HE", time: Self.now),
                    .init(reason: "auth.failed", count: 12, reference: "7K2Q-93HF", time: Self.now),
                ]))
        case PolicyInterface.Replay.name:
            return replay.map { Array(Varlink.reply($0, continues: !$0.isDone).dropLast()) }
        case LogInterface.Trace.name: return one(trace(try input(LogInterface.Trace.self, call)))
        case PolicyInterface.Relay.name: return one(relay(try input(PolicyInterface.Relay.self, call)))
        case PolicyInterface.Evaluate.name: return one(evaluate(try input(PolicyInterface.Evaluate.self, call)))
        case PolicyInterface.Explain.name:
            return one(explanation(reference: try input(PolicyInterface.Explain.self, call).reference))
        case TablesInterface.Show.name where try input(TablesInterface.Show.self, call).table == "effect":
            return one(
                TablesInterface.Show.Output(
                    text: TableRecord.text(of: effect), path: "/etc/epost/effect.dat", problems: [],
                    etag: String(effect.hashValue)))
        case TablesInterface.Set.name:
            let asked = try input(TablesInterface.Set.self, call)
            tablesSet.append(asked)
            if asked.table == "effect" { effect = TableRecord.lines(of: asked.text) }
            return one(done("table/" + asked.table))
        case TablesInterface.Check.name:
            let text = try input(TablesInterface.Check.self, call).text ?? ""
            return one(TablesInterface.Check.Output(problems: problems(TableRecord.lines(of: text))))
        case TablesInterface.Show.name:
            return one(
                TablesInterface.Show.Output(
                    text: "' gateways\n*.xxxx01.co.jp,mailgateway01.xxxx.co.jp,25\n", path: "/etc/epost/gateway.dat",
                    problems: [], etag: "1"))
        default: return try answerAccountFiles(method, call)
        }
    }

    private func entry(_ row: QueueRow) -> QueueEntry {
        QueueEntry(
            row: row, client: "203.0.113.9", hello: "bad.example", authenticatedID: "",
            subject: "\u{3054}\u{8ACB}\u{6C42}\u{66F8}\u{306E}\u{304A}\u{77E5}\u{3089}\u{305B} 11\u{6708}\u{5206}",
            messageID: "<1@bad.example>", parent: nil,
            recipients: [
                .init(
                    address: row.recipient, state: row.state, tries: row.tries, next: row.next, reply: row.reply,
                    route: "mx mx1.remote.example")
            ], header: ["From: <news@bad.example>", "Subject: x"], source: [])
    }

    mutating func apply(_ asked: SettingsInterface.Apply.Input) throws(ControlError) -> Applied {
        for change in asked.changes {
            if let base = change.baseRevision, base != settings[change.key]?.revision {
                throw ControlError(
                    .conflict, code: "conflict", "changed meanwhile",
                    problems: [
                        Problem(path: change.key, code: "conflict", message: "changed meanwhile")
                    ])
            }
        }
        revision += 1
        applied.append(asked)
        var records: [ChangeRecord] = []
        for change in asked.changes {
            let old = settings[change.key]?.values
            settings[change.key] = SettingEntry(
                key: change.key, values: change.values ?? [], isDefault: change.values == nil, revision: revision)
            records.append(ChangeRecord(path: change.key, old: old, new: change.values))
        }
        return Applied(revision: revision, changes: records, effects: records.map { _ in "now" }, warnings: [])
    }

    private mutating func done(_ path: String) -> Applied {
        revision += 1
        return Applied(
            revision: revision, changes: [ChangeRecord(path: path, old: nil, new: [])], effects: ["restart.all"],
            warnings: [])
    }

    private mutating func add(_ asked: DirectoryInterface.AddAccount.Input) -> Applied {
        let parts = asked.address.split(separator: "@").map(String.init)
        extraAccounts.append(
            AccountEntry(
                account: parts.first ?? "", domain: parts.last ?? "", fullName: asked.values.fullName ?? "", home: "",
                mailboxLimit: asked.values.mailboxLimit ?? 0, smtpAuth: asked.values.smtpAuth ?? true, isEnabled: true,
                usedOctets: 0,
                usedMessages: 0, mailboxPath: "", revision: revision + 1))
        revision += 1
        return Applied(revision: revision, changes: [], effects: ["now"], warnings: [])
    }

    private func usage(_ name: String) -> MailboxUsageRow {
        let number = Int(name.dropFirst(4)) ?? 0
        let entry = account(number, "")
        return MailboxUsageRow(
            account: name, octets: entry.usedOctets, messages: entry.usedMessages, limit: entry.mailboxLimit,
            control: AccountControlState(
                forwards: number == 1 ? 1 : 0, replies: number == 1, hasHours: number % 3 == 1,
                hasRecipients: number % 5 == 1))
    }

    private func list(_ asked: DirectoryInterface.ListAccounts.Input) -> DirectoryInterface.ListAccounts.Output {
        let added = extraAccounts.filter { $0.domain == asked.domain }
        let total = accountCount + added.count
        let rows = (asked.offset..<max(asked.offset, min(asked.offset + asked.limit, total))).map { index in
            index < added.count ? added[index] : account(index - added.count, asked.domain)
        }
        return .init(rows: rows, total: total, offset: asked.offset)
    }
}

extension FakeServer {
    private static let noon = 1_700_000_000_000

    static let busiest = [
        BusySender(sender: "news@remote.example", messagesHour: 8_112, recipientsHour: 8_112),
        BusySender(sender: "sato@example.jp", messagesHour: 312, recipientsHour: 940),
        BusySender(sender: "", messagesHour: 17, recipientsHour: 17),
        BusySender(sender: "yamada@example.jp", messagesHour: 2, recipientsHour: 2),
    ]

    static let senders = [
        SenderEntry(
            sender: "sato@example.jp", messagesHour: 312, messagesDay: 320, recipientsHour: 940, recipientsDay: 951,
            newRecipientsHour: 640, newRecipientsDay: 640, held: 12, lastSession: noon, lastClient: "203.0.113.9",
            isLocked: false),
        SenderEntry(
            sender: "yamada@example.jp", messagesHour: 2, messagesDay: 14, recipientsHour: 2, recipientsDay: 31,
            newRecipientsHour: 0, newRecipientsDay: 3, held: 0, lastSession: noon, lastClient: "192.168.0.15",
            isLocked: false),
    ]

    static let locks = [
        LockEntry(
            subject: "198.51.100.7", kind: .address, state: .locked, cause: .failures, since: noon,
            until: noon + 1_800_000, source: "rejectsmtpip.dat:1"),
        LockEntry(
            subject: "10.0.0.0/8", kind: .address, state: .allowed, cause: .manual, since: 0, until: 0,
            source: "rejectsmtpip.dat:2"),
    ]
}
