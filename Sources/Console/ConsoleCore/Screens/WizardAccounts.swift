import Control
import MailModel
import Settings

/// Step 1 of the wizard: where accounts are managed (R-WIZ-06), with what each way needs to work at all. Everything
/// else about it is set on the page Domain management.
struct WizardAccounts: Hashable, Sendable {
    /// Kinds of directories whose filter and attributes are known.
    enum Kind: String, CaseIterable {
        case activeDirectory = "ad"
        case openLDAP = "openldap"
        /// What is set already stays.
        case kept
    }
    static let system = ["accounts.mail_group", "accounts.foreign_domain"]
    static let ldap = ["ldap.url", "ldap.ca_file", "ldap.base", "ldap.bind_dn", "ldap.password_file", "ldap.group"]
    /// What the kind of a directory decides. `nil`: the default, which fits Active Directory.
    private static let openLDAP = [
        "ldap.filter": "(&(objectClass=inetOrgPerson)(|(uid={name})(mail={address})))", "ldap.account_attribute": "uid",
        "ldap.name_attribute": "cn",
    ]

    var backend = "soft"
    var kind = Kind.activeDirectory
    /// Typed texts by key of the setting.
    var texts: [String: String] = [:]
    /// The filter is one of somebody's own: the page offers to keep it.
    private(set) var hasOwnFilter = false

    init() {}

    /// On a configured machine the page shows what holds now (R-WIZ-04).
    init(_ model: Model) {
        let backend = model.value("accounts.backend")
        if !backend.isEmpty { self.backend = backend }
        for key in Self.system + Self.ldap { texts[key] = model.value(key) }
        let filter = model.value("ldap.filter")
        if filter == Self.openLDAP["ldap.filter"] { kind = .openLDAP }
        let own = SettingsCatalogue.definition(of: "ldap.filter")?.defaultValues(.hierarchy).first
        hasOwnFilter = !filter.isEmpty && filter != own && kind != .openLDAP
        if hasOwnFilter { kind = .kept }
    }

    /// Settings of the chosen way; those of the others stay as they are.
    var changes: [SettingChange] {
        func typed(_ keys: [String]) -> [SettingChange] {
            keys.map { key in
                let text = texts[key] ?? ""
                return SettingChange(key: key, values: text.isEmpty ? nil : [text])
            }
        }
        switch backend {
        case "system": return typed(Self.system)
        case "ldap":
            let known = Self.openLDAP.keys.sorted().map { key in
                SettingChange(key: key, values: kind == .openLDAP ? Self.openLDAP[key].map { [$0] } : nil)
            }
            return typed(Self.ldap) + (kind == .kept ? [] : known)
        default: return []
        }
    }

    /// What is missing, and in which field (R-DOM-13: without a group nobody has mail).
    var problem: (field: String, text: Phrase)? {
        func isEmpty(_ key: String) -> Bool { (texts[key] ?? "").isEmpty }
        switch backend {
        case "system" where isEmpty("accounts.mail_group"):
            return ("accounts.mail_group", .text("setting.needs-mail-group"))
        case "ldap":
            let missing = ["ldap.url", "ldap.base"].first(where: isEmpty)
            return missing.map { ($0, Phrase("wizard.need.\($0)")) }
        default: return nil
        }
    }

    // MARK: - The page

    var rows: [FormRow] {
        let ways = AccountBackend.allCases.map { Option($0.rawValue, Phrase("wizard.accounts.\($0.rawValue)")) }
        var rows: [FormRow] = [
            .text(.text("wizard.accounts.intro")), .empty,
            FormRow(nil, "backend", RadioGroup(ways, selected: backend, isColumn: true)), .empty,
        ]
        switch backend {
        case "system":
            rows += Self.system.map(field) + [.text(.text("wizard.accounts.system.hint"), .hint)] + check
        case "ldap":
            let kinds = Kind.allCases.filter { $0 != .kept || hasOwnFilter }
            let options = kinds.map { Option($0.rawValue, Phrase("wizard.ldap.\($0.rawValue)")) }
            rows.append(FormRow(.text("wizard.ldap.kind"), "kind", Select(options, selected: kind.rawValue)))
            rows += Self.ldap.map(field) + check
        default: rows.append(.text(.text("wizard.accounts.later"), .hint))
        }
        return rows
    }

    private var check: [FormRow] {
        [
            FormRow(nil, [FormPart("check", Button(.text("button.check-more")))], isIndented: true),
            .text(.text("wizard.accounts.more"), .hint),
        ]
    }

    private func field(_ key: String) -> FormRow {
        FormRow(
            Phrase("setting.\(key).label"), [FormPart(key, TextField(texts[key] ?? "", limit: 500), width: .fill)])
    }

    /// Takes what is typed on the page.
    mutating func collect(_ form: Form) {
        if form.widget("backend", as: RadioGroup.self) != nil { backend = form.selected("backend") }
        if let chosen = Kind(rawValue: form.selected("kind")) { kind = chosen }
        for key in Self.system + Self.ldap where form.widget(key, as: TextField.self) != nil {
            texts[key] = form.text(key).trimmedBlanks
        }
    }
}
