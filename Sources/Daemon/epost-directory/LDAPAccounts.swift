import CLDAP
import DirectoryWire
import Glibc
import MailModel
import Threads

/// Accounts of a directory. Any thread; each question has a connection of the pool to itself.
final class LDAPAccounts: Sendable {
    private enum Use: Hashable {
        case search
        /// Has been used for log-ins of users.
        case logIn
    }
    private struct Key: Hashable {
        let profile: DirectoryProfile
        let use: Use
    }
    private let pool = Monitor<[Key: [LDAPLink]]>([:])
    /// Profiles whose connections are kept: the one in force, and one that is tried.
    private static let keptProfiles = 4

    /// Does something on a connection. One that was kept may have been closed meanwhile: then a new one has its turn.
    private func with<Value>(
        _ profile: DirectoryProfile, _ use: Use, _ body: (LDAPLink) throws(LDAPLink.Failure) -> Value
    ) throws(LDAPLink.Failure) -> Value {
        let key = Key(profile: profile, use: use)
        while let link = pool.withLock({ $0[key]?.popLast() }) {
            do throws(LDAPLink.Failure) {
                let value = try body(link)
                keep(link, key)
                return value
            } catch {
                guard error.isLost else {
                    keep(link, key)
                    throw error
                }
                // All that were made before it are as old.
                pool.withLock { $0[key] = nil }
                if error.code == LDAP_TIMEOUT { throw error }
            }
        }
        let link = try LDAPLink(profile)
        let value = try body(link)
        keep(link, key)
        return value
    }

    private func keep(_ link: LDAPLink, _ key: Key) {
        pool.withLock { pool in
            if pool[key] == nil, pool.count >= 2 * Self.keptProfiles { pool = [:] }
            pool[key, default: []].append(link)
        }
    }

    private static func failed(_ error: LDAPLink.Failure) -> SourceFailure { SourceFailure("LDAP: \(error.detail)") }

    // MARK: Look-up

    private struct Found {
        var account: DirectoryAccount
        var entryName: String
    }

    func find(
        _ name: String, _ domain: String, _ profile: DirectoryProfile
    ) throws(SourceFailure) -> DirectoryAccount? {
        try look(for: name, domain, profile)?.account
    }

    /// Nobody's name.
    private static func stranger(_ profile: DirectoryProfile) -> String {
        "cn=\(UInt64.random(in: 0 ... .max)),\(profile.base)"
    }

    /// - Parameter isEven: who is not there costs as many questions as who is, so that a log-in does not tell.
    private func look(
        for name: String, _ domain: String, _ profile: DirectoryProfile, isEven: Bool = false
    ) throws(SourceFailure) -> Found? {
        let filter = DirectoryText.fill(profile.filter, name: name, domain: domain, DirectoryText.filterValue)
        do throws(LDAPLink.Failure) {
            return try with(profile, .search) { link throws(LDAPLink.Failure) in
                var entries: [LDAPLink.Entry] = []
                try link.search(base: profile.base, cldap_scope_subtree, filter, Self.attributes(profile), limit: 2) {
                    entries.append($0)
                }
                guard entries.count < 2 else {
                    throw LDAPLink.Failure(
                        code: LDAP_SIZELIMIT_EXCEEDED, detail: "\(filter) finds more than one entry")
                }
                guard let entry = entries.first, let account = Self.account(entry, asked: name, profile) else {
                    if isEven { _ = try isMember(Self.stranger(profile), name, link) }
                    return nil
                }
                guard try isMember(entry.name, account.name, link) else { return nil }
                return Found(account: account, entryName: entry.name)
            }
        } catch {
            throw Self.failed(error)
        }
    }

    private static func attributes(_ profile: DirectoryProfile) -> [String] {
        [profile.accountAttribute, profile.nameAttribute, "homeDirectory", "userAccountControl"]
    }

    /// - Returns: `nil` for an entry whose name cannot be a mailbox's.
    private static func account(
        _ entry: LDAPLink.Entry, asked: String?, _ profile: DirectoryProfile
    ) -> DirectoryAccount? {
        // A mail address as the account's name: what stands before its domain.
        let names = (entry.values[profile.accountAttribute.lowercased()] ?? []).map { value in
            String(value.prefix { $0 != "@" })
        }
        let named = names.first { $0.lowercased() == asked?.lowercased() } ?? names.first
        guard let name = named?.lowercased(), MailAddress.isAccountName(name) else { return nil }
        let home = entry.first("homeDirectory")
        return DirectoryAccount(
            name: name, fullName: entry.first(profile.nameAttribute), home: home.hasPrefix("/") ? home : "",
            isEnabled: !DirectoryText.isDisabled(userAccountControl: entry.first("userAccountControl")))
    }

    private func isMember(_ entry: String, _ name: String, _ link: LDAPLink) throws(LDAPLink.Failure) -> Bool {
        let group = link.profile.groupName
        if group.isEmpty { return true }
        let (value, user) = (DirectoryText.filterValue(entry), DirectoryText.filterValue(name))
        var isMember = false
        try link.search(
            base: group, cldap_scope_base, "(|(member=\(value))(uniqueMember=\(value))(memberUid=\(user)))",
            [LDAP_NO_ATTRS]
        ) { _ in isMember = true }
        return isMember
    }

    // MARK: Passwords

    func check(
        _ name: String, _ domain: String, _ password: [UInt8], _ profile: DirectoryProfile
    ) throws(SourceFailure) -> PasswordFinding {
        let found = try look(for: name, domain, profile, isEven: true)
        let own =
            profile.bindTemplate.isEmpty
            ? found?.entryName : DirectoryText.bindName(profile.bindTemplate, name: name, domain: domain)
        // Who is not there costs a bind too: as somebody who cannot be.
        let bindName = own ?? Self.stranger(profile)
        do throws(LDAPLink.Failure) {
            let (code, said) = try with(profile, .logIn) { link throws(LDAPLink.Failure) in
                try link.bind(bindName, password)
            }
            guard let found, own != nil, !bindName.isEmpty else { return .wrong("no such user in the directory") }
            guard code == LDAP_SUCCESS else { return .wrong("LDAP: \(said)") }
            return found.account.isEnabled ? .right(found.account) : .wrong("the directory says that it is disabled")
        } catch {
            throw Self.failed(error)
        }
    }

    // MARK: Lists

    private static let pageSize: Int32 = 500

    func list(
        limit: Int, _ profile: DirectoryProfile, _ take: (DirectoryAccount) -> Void
    ) throws(SourceFailure) {
        do throws(LDAPLink.Failure) {
            // A connection of its own: it may take long.
            let link = try LDAPLink(profile)
            var filter = DirectoryText.everybody(profile.filter)
            var members: Set<String>?
            if !profile.groupName.isEmpty {
                members = try Self.members(link)
                if members == nil {
                    filter = "(&\(filter)(memberOf=\(DirectoryText.filterValue(profile.groupName))))"
                }
            }
            var known: Set<String> = []
            try link.search(
                base: profile.base, cldap_scope_subtree, filter, Self.attributes(profile), page: Self.pageSize
            ) { entry in
                guard known.count < limit, let account = Self.account(entry, asked: nil, profile) else { return }
                if let members, !members.contains(Self.plain(entry.name)), !members.contains(account.name) { return }
                if known.insert(account.name).inserted { take(account) }
            }
        } catch {
            throw Self.failed(error)
        }
    }

    /// Names of the group's members: of entries, and of users.
    /// - Returns: `nil` when the directory gives them in ranges, as Active Directory does with large groups.
    private static func members(_ link: LDAPLink) throws(LDAPLink.Failure) -> Set<String>? {
        var out: Set<String> = []
        var isInRanges = false
        try link.search(
            base: link.profile.groupName, cldap_scope_base, "(objectClass=*)", ["member", "uniqueMember", "memberUid"]
        ) { entry in
            isInRanges = entry.values.keys.contains { $0.hasPrefix("member;range=") }
            for (attribute, values) in entry.values {
                out.formUnion(values.map { attribute == "memberuid" ? $0.lowercased() : plain($0) })
            }
        }
        return isInRanges ? nil : out
    }

    /// Distinguished names that are the same look the same: letter case and blanks behind commas do not count.
    private static func plain(_ name: String) -> String { name.lowercased().replacing(", ", with: ",") }

    // MARK: Test

    func test(_ name: String, _ domain: String, _ profile: DirectoryProfile) -> [DirectoryStep] {
        var steps: [DirectoryStep] = []
        do throws(LDAPLink.Failure) {
            let link = try LDAPLink(profile)
            let isSecure = link.url.lowercased().hasPrefix("ldaps:") || profile.tls == .startTLS
            steps.append(DirectoryStep("connect", true, link.url + (isSecure ? ", TLS" : "")))
            steps.append(DirectoryStep("bind", true, profile.bindName))
            if !profile.groupName.isEmpty {
                try link.search(base: profile.groupName, cldap_scope_base, "(objectClass=*)", [LDAP_NO_ATTRS]) { _ in }
                steps.append(DirectoryStep("group", true, profile.groupName))
            }
        } catch {
            let step = steps.isEmpty ? (error.code == LDAP_INVALID_CREDENTIALS ? "bind" : "connect") : "group"
            return steps + [DirectoryStep(step, false, error.detail)]
        }
        do throws(SourceFailure) {
            var count = 0
            try list(limit: 100_000, profile) { _ in count += 1 }
            steps.append(DirectoryStep("count", count > 0, String(count)))
            if !name.isEmpty {
                let account = try find(name, domain, profile)
                steps.append(
                    DirectoryStep("user", account != nil, account.map(SystemAccounts.describe) ?? name))
            }
        } catch {
            steps.append(DirectoryStep("search", false, error.detail))
        }
        return steps
    }
}
