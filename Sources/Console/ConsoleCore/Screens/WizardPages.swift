import Control
import MailModel
import Settings

/// What is entered in the wizard; Back keeps it, Cancel forgets it (R-WIZ-03, R-WIZ-05).
struct WizardValues: Hashable, Sendable {
    static let domainRows = 3
    var accountSource = WizardAccounts()
    var dns = ["", "", ""]
    var names = ["", "", ""]
    var addresses = ["", "", ""]
    var administrator = ""
    var work = ""
    var mailbox = ""
    var accounts = ""
    var networks = ""

    init() {}

    /// On a configured machine the pages show what holds now (R-WIZ-04).
    init(_ model: Model) {
        guard model.isConfigured else { return }
        accountSource = WizardAccounts(model)
        for (index, server) in model.values("server.dns_servers").prefix(3).enumerated() { dns[index] = server }
        for (index, domain) in model.domains.prefix(3).enumerated() {
            names[index] = domain.name
            addresses[index] = domain.smtpAddresses.first ?? ""
        }
        administrator = model.value("admin.account")
    }

    func input(change: Bool, registers: Bool) -> ServerInterface.Setup.Input {
        let domains = names.indices.filter { !names[$0].isEmpty }.map {
            ServerInterface.Setup.Domain(name: names[$0], address: addresses[$0])
        }
        func optional(_ text: String) -> String? { text.isEmpty ? nil : text }
        return .init(
            backend: accountSource.backend, dnsServers: dns.filter { !$0.isEmpty }, domains: domains,
            administrator: administrator,
            workFolder: optional(work), mailboxFolder: optional(mailbox), accountFolder: optional(accounts),
            relayNetworks: networks.split(whereSeparator: { $0 == " " || $0 == "," }).map(String.init),
            registerServices: registers, change: change, accountSettings: accountSource.changes)
    }

    /// What is wrong on page `step` (1–6) by its form alone, and in which field.
    func problem(on step: Int) -> (field: String, text: Phrase)? {
        switch step {
        case 1: accountSource.problem
        case 2: dnsProblem
        case 3: domainProblem
        case 4:
            MailAddress(typed: administrator) == nil ? ("administrator", .text("wizard.need.admin")) : nil
        case 5: folderProblem
        default: nil
        }
    }

    private var dnsProblem: (String, Phrase)? {
        if dns.allSatisfy(\.isEmpty) { return ("dns0", .text("wizard.need.dns")) }
        for (index, server) in dns.enumerated() where !server.isEmpty {
            if DNSServerAddress(server) == nil { return ("dns\(index)", .text("wizard.bad.dns", Visible.line(server))) }
            if dns[..<index].contains(server) { return ("dns\(index)", .text("wizard.twice", server)) }
        }
        return nil
    }

    private var domainProblem: (String, Phrase)? {
        for index in 0..<Self.domainRows {
            let (name, address, row) = (names[index], addresses[index], String(index + 1))
            if index == 0, name.isEmpty { return ("name0", .text("wizard.need.domain")) }
            if name.isEmpty, address.isEmpty { continue }
            if name.isEmpty { return ("name\(index)", .text("wizard.need.name", row)) }
            if !MailAddress.isPlainDomain(name) || !name.contains(".") || IPAddress(name) != nil {
                return ("name\(index)", .text("wizard.bad.domain", row, Visible.line(name)))
            }
            if address.isEmpty { return ("address\(index)", .text("wizard.need.address", row)) }
            if IPAddress(address) == nil {
                return ("address\(index)", .text("wizard.bad.address", row, Visible.line(address)))
            }
            if names[..<index].contains(name) { return ("name\(index)", .text("wizard.twice", Visible.line(name))) }
        }
        return nil
    }

    private var folderProblem: (String, Phrase)? {
        for (field, text) in [("work", work), ("accounts", accounts)] where !text.isEmpty && !text.hasPrefix("/") {
            return (field, .text("setting.not-absolute", Visible.line(text)))
        }
        if !mailbox.isEmpty, !mailbox.contains("%USERNAME%"), !mailbox.contains("%HOME%") {
            return ("mailbox", .text("setting.no-variable"))
        }
        return nil
    }

    /// Where a problem that the server named belongs: the step and the field.
    static func place(of path: String) -> (step: Int, field: String) {
        if path.hasPrefix("dns") { return (2, "dns" + (path.split(separator: "/").last.map(String.init) ?? "0")) }
        if path.hasPrefix("domain") { return (3, "name0") }
        switch path {
        case "server.dns_servers": return (2, "dns0")
        case "admin.account", "administrator": return (4, "administrator")
        case "server.work_dir", "workFolder": return (5, "work")
        case "server.mailbox_dir", "mailboxFolder": return (5, "mailbox")
        case "accounts.folder", "accountFolder": return (5, "accounts")
        case "relayNetworks": return (5, "networks")
        case "backend", "accounts.backend", "accountSettings": return (1, "backend")
        default: return path.hasPrefix("accounts.") || path.hasPrefix("ldap.") ? (1, path) : (6, "")
        }
    }
}

/// The rows of each wizard page.
enum WizardPages {
    static func rows(_ step: Int, _ values: WizardValues, _ check: ServerInterface.CheckSetup.Output?) -> [FormRow] {
        let bar = FormRow(nil, [FormPart("", Label(stepBar(step)))])
        return [bar, .empty] + body(step, values, check)
    }

    private static func stepBar(_ step: Int) -> [Label.Span] {
        (1...6).flatMap { number -> [Label.Span] in
            let isCurrent = number == step
            let role: Role = isCurrent ? .currentTab : number < step ? .tab : .disabled
            let open = isCurrent ? ">" : number < step ? "[" : " "
            let close = isCurrent ? "<" : number < step ? "]" : " "
            return [
                Label.Span(.verbatim(open + "\(number) "), role), Label.Span(Phrase("wizard.tab.\(number)"), role),
                Label.Span(.verbatim(close + " "), role),
            ]
        }
    }

    private static func body(
        _ step: Int, _ values: WizardValues, _ check: ServerInterface.CheckSetup.Output?
    ) -> [FormRow] {
        switch step {
        case 1: values.accountSource.rows
        case 2: dns(values, check)
        case 3: domains(values, check)
        case 4:
            [
                .text(.text("wizard.admin.intro")), .empty,
                FormRow(
                    .text("wizard.admin.label"),
                    [
                        FormPart(
                            "administrator",
                            TextField(values.administrator, kind: .mailAddress, suggestions: postmasters(values)),
                            width: .fill)
                    ]),
            ]
        case 5: sharing(values)
        default: confirmation(values)
        }
    }

    private static func postmasters(_ values: WizardValues) -> [String] {
        values.names.filter { !$0.isEmpty }.map { "postmaster@" + $0 }
    }

    private static func dns(_ values: WizardValues, _ check: ServerInterface.CheckSetup.Output?) -> [FormRow] {
        let known = check?.systemDNSServers ?? []
        var rows = [FormRow.text(.text("wizard.dns.intro")), .empty]
        for index in 0..<3 {
            rows.append(
                FormRow(
                    .text("wizard.dns.server", String(index + 1)), "dns\(index)",
                    TextField(values.dns[index], kind: .text, width: 34, limit: 60, suggestions: known)))
        }
        rows.append(.empty)
        if !known.isEmpty {
            rows.append(.text(.text("wizard.dns.hint", Visible.line(known.joined(separator: "  "))), .hint))
        }
        return rows
    }

    private static func domains(_ values: WizardValues, _ check: ServerInterface.CheckSetup.Output?) -> [FormRow] {
        let local = (check?.localAddresses ?? []).map { String($0.prefix { $0 != " " }) }
        var rows = [
            FormRow.text(.text("wizard.domains.intro")), .empty,
            FormRow(
                nil,
                [
                    FormPart("", Label(.text("wizard.domains.name"), .label, width: 40)),
                    FormPart("", Label(.text("wizard.domains.address"), .label)),
                ], isIndented: true),
        ]
        for index in 0..<WizardValues.domainRows {
            rows.append(
                FormRow(
                    .verbatim("\(index + 1)"),
                    [
                        FormPart("name\(index)", TextField(values.names[index], width: 38, limit: 253)),
                        FormPart(
                            "address\(index)",
                            TextField(values.addresses[index], kind: .ipAddress, width: 24, suggestions: local)),
                    ]))
        }
        rows.append(.empty)
        if let found = check?.localAddresses, !found.isEmpty {
            rows.append(.text(.text("wizard.domains.local", Visible.line(found.joined(separator: "  "))), .hint))
        }
        return rows
    }

    private static func sharing(_ values: WizardValues) -> [FormRow] {
        func field(_ id: String, _ text: String) -> FormRow {
            FormRow(Phrase("wizard.sharing.\(id)"), [FormPart(id, TextField(text), width: .fill)])
        }
        return [
            .text(.text("wizard.sharing.intro")), .empty, field("work", values.work), field("mailbox", values.mailbox),
            field("accounts", values.accounts), .text(.text("wizard.sharing.default"), .hint), .empty,
            field("networks", values.networks), .text(.text("wizard.sharing.networks.hint"), .hint),
        ]
    }

    private static func confirmation(_ values: WizardValues) -> [FormRow] {
        func row(_ label: Phrase, _ text: Phrase) -> FormRow {
            FormRow(label, [FormPart("", Label(text))])
        }
        var rows = [FormRow.text(.text("wizard.confirm.intro")), .empty]
        rows.append(row(.text("wizard.confirm.accounts"), Phrase("value.\(values.accountSource.backend)")))
        for change in values.accountSource.changes where change.key != "ldap.filter" {
            guard let text = change.values?.first else { continue }
            rows.append(row(Phrase("setting.\(change.key).label"), .verbatim(Visible.line(text))))
        }
        rows.append(
            row(.text("wizard.confirm.dns"), .verbatim(values.dns.filter { !$0.isEmpty }.joined(separator: "  "))))
        for index in values.names.indices where !values.names[index].isEmpty {
            rows.append(
                row(
                    .text("wizard.confirm.domain", String(index + 1)),
                    .verbatim(values.names[index] + "  " + values.addresses[index])))
        }
        rows.append(row(.text("wizard.confirm.admin"), .verbatim(values.administrator)))
        let folders = [values.work, values.mailbox, values.accounts].filter { !$0.isEmpty }
        rows.append(
            row(
                .text("wizard.confirm.folders"),
                folders.isEmpty ? .text("wizard.confirm.standard") : .verbatim(folders.joined(separator: "  "))))
        rows.append(
            row(
                .text("wizard.confirm.networks"),
                values.networks.isEmpty ? .text("word.none") : .verbatim(values.networks)))
        return rows
    }
}
