/// Where accounts come from (R-SYS-16).
package enum AccountSettings {
    package static let backend = Setting<AccountBackend>(
        "accounts.backend", .choice(AccountBackend.words), "soft", effect: .now, source: "R-WIZ-06")
    /// Qualifies the names of users in look-ups by NSS; empty: names as they are (R-DOM-12).
    package static let foreignDomain = Setting<String>(
        "accounts.foreign_domain", .text, effect: .now, source: "R-DOM-12")
    /// Group of the system whose members are mail users; empty: nobody is (R-DOM-13).
    package static let mailGroup = Setting<String>("accounts.mail_group", .text, effect: .now, source: "R-DOM-13")
    /// So long an account of the system or of a directory is not asked for again.
    package static let cacheTime = Setting<Int>(
        "accounts.cache_time", .integer(1...86_400), "60", unit: .seconds, effect: .now, source: "R-SYS-16")
    /// So long a name that nobody has is not asked for again.
    package static let missingCacheTime = Setting<Int>(
        "accounts.missing_cache_time", .integer(0...3_600), "5", unit: .seconds, effect: .now, source: "R-SYS-16")

    static let all: [SettingDefinition] = [
        backend.definition, foreignDomain.definition, mailGroup.definition, cacheTime.definition,
        missingCacheTime.definition,
    ]
}

extension AccountBackend {
    /// Whether a setting says how accounts are reached.
    package static func concerns(_ key: String) -> Bool { key.hasPrefix("accounts.") || key.hasPrefix("ldap.") }
}

/// An LDAP directory with the accounts. Defaults fit Active Directory.
package enum LDAPSettings {
    /// Addresses of one directory, `ldap://` or `ldaps://`, separated by blanks; tried in this order.
    package static let url = Setting<String>("ldap.url", .text, effect: .now, source: "RFC 4516")
    package static let tls = Setting<LDAPTLS>(
        "ldap.tls", .choice(LDAPTLS.words), "starttls", effect: .now, source: "RFC 4513 §3")
    /// PEM; empty: the authorities that the system trusts.
    package static let authorities = Setting<String>("ldap.ca_file", .path, effect: .now, source: "RFC 4513 §3.1.3")
    package static let base = Setting<String>("ldap.base", .text, effect: .now, source: "RFC 4511 §4.5.1.1")
    /// DN of the one who searches; empty: anonymous.
    package static let bindName = Setting<String>("ldap.bind_dn", .text, effect: .now, source: "RFC 4511 §4.2")
    /// File of mode 0600 whose first line is the password.
    package static let passwordFile = Setting<String>(
        "ldap.password_file", .path, effect: .now, source: "RFC 4511 §4.2")
    /// Finds one account; `{name}`, `{domain}` and `{address}` stand for what is looked for.
    package static let filter = Setting<String>(
        "ldap.filter", .text,
        "(&(objectClass=user)(|(sAMAccountName={name})(mail={address})(proxyAddresses=smtp:{address})))",
        effect: .now, source: "RFC 4515")
    /// Its value is the account's name, and so the mailbox's.
    package static let accountAttribute = Setting<String>(
        "ldap.account_attribute", .text, "sAMAccountName", effect: .now, source: "R-SYS-16")
    package static let nameAttribute = Setting<String>(
        "ldap.name_attribute", .text, "displayName", effect: .now, source: "R-ACC-17")
    /// DN of a group; empty: everybody whom the filter finds is a mail user.
    package static let group = Setting<String>("ldap.group", .text, effect: .now, source: "R-DOM-13")
    /// Who a user logs in as; empty: the entry that the search finds.
    package static let bindTemplate = Setting<String>(
        "ldap.bind_template", .text, effect: .now, source: "RFC 4513 §5.1.3")
    /// For each step on the network.
    package static let timeout = Setting<Int>(
        "ldap.timeout", .integer(1...60), "5", unit: .seconds, effect: .now, source: "R-SYS-16")

    static let all: [SettingDefinition] = [
        url.definition, tls.definition, authorities.definition, base.definition, bindName.definition,
        passwordFile.definition, filter.definition, accountAttribute.definition, nameAttribute.definition,
        group.definition, bindTemplate.definition, timeout.definition,
    ]
}

/// R-SYS-16
package enum AccountBackend: String, SettingChoice {
    /// The server's own accounts.
    case soft
    /// Accounts of the system: NSS and PAM.
    case system
    case ldap
}

package enum LDAPTLS: String, SettingChoice {
    /// StartTLS at `ldap://` addresses; nothing is said without it.
    case startTLS = "starttls"
    case off
}

extension SettingsSnapshot {
    /// What is wrong, or dangerous, about the way to the accounts.
    package func accountProblems() -> [SettingProblem] { accountRefusals() + accountWarnings() }

    /// What is wrong with the way to the accounts.
    func accountRefusals() -> [SettingProblem] {
        var out: [SettingProblem] = []
        guard self[AccountSettings.backend] == .ldap else { return out }
        let schemes = ["ldap://", "ldaps://", "ldapi://"]
        for url in self[LDAPSettings.url].split(separator: " ")
        where !schemes.contains(where: { url.lowercased().hasPrefix($0) }) {
            out.append(
                .init(
                    key: LDAPSettings.url.key, code: "setting.ldap-url",
                    message: "\(url) is no address of a directory; one looks like ldap://dc1.example.jp",
                    arguments: [String(url)]))
        }
        let filter = self[LDAPSettings.filter]
        let isNamed = filter.contains("{name}") || filter.contains("{address}")
        if !isNamed || !filter.hasPrefix("(") || !Self.isBalanced(filter) {
            out.append(
                .init(
                    key: LDAPSettings.filter.key, code: "setting.ldap-filter",
                    message: "ldap.filter must be a filter in parentheses with {name} or {address} in it"))
        }
        return out
    }

    private static func isBalanced(_ filter: String) -> Bool {
        var depth = 0
        for octet in filter.utf8 {
            if octet == UInt8(ascii: "(") { depth += 1 }
            if octet == UInt8(ascii: ")") { depth -= 1 }
            if depth < 0 { return false }
        }
        return depth == 0
    }

    /// What is dangerous about it, or closes the door.
    func accountWarnings() -> [SettingProblem] {
        let backend = self[AccountSettings.backend]
        var out: [SettingProblem] = []
        func warn(_ key: String, _ code: String, _ message: String, _ arguments: String...) {
            out.append(.init(key: key, code: code, message: message, arguments: arguments, isWarning: true))
        }
        if backend == .ldap {
            var needed = [LDAPSettings.url, LDAPSettings.base, LDAPSettings.accountAttribute]
            if !self[LDAPSettings.bindName].isEmpty { needed.append(LDAPSettings.passwordFile) }
            for setting in needed where self[setting].isEmpty {
                warn(
                    setting.key, "setting.ldap-incomplete",
                    "mail for operated domains waits (451) until \(setting.key) is set", setting.key)
            }
        }
        if backend == .system, self[AccountSettings.mailGroup].isEmpty {
            warn(
                AccountSettings.mailGroup.key, "setting.needs-mail-group",
                "all mail for operated domains is refused until accounts.mail_group names a group (R-DOM-13)")
        }
        if backend == .ldap, self[LDAPSettings.tls] == .off,
            self[LDAPSettings.url].lowercased().split(separator: " ").contains(where: { $0.hasPrefix("ldap://") })
        {
            warn(
                LDAPSettings.tls.key, "setting.ldap-clear",
                "passwords of users cross the network to the directory in clear")
        }
        if backend != .soft, !self[ReceiverSettings.authMethods].isEmpty,
            self[ReceiverSettings.authMethods].allSatisfy(\.needsSecret)
        {
            warn(
                ReceiverSettings.authMethods.key, "setting.backend-methods",
                "nobody can authenticate: with this back-end only PLAIN and LOGIN work (R-RCV-18)")
        }
        return out
    }
}
