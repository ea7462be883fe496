import DirectoryWire
import Glibc
import MailModel
import Threads

/// Accounts of the system, by NSS. Any thread.
enum SystemAccounts {
    struct User {
        var name = ""
        var fullName = ""
        var home = ""
        var uid = uid_t.max
        var gid = gid_t.max
    }

    /// A mail user: a user of the system who is in the group (R-DOM-13).
    static func find(_ name: String, _ profile: DirectoryProfile) throws(SourceFailure) -> DirectoryAccount? {
        guard !profile.group.isEmpty, MailAddress.isAccountName(name), !name.hasPrefix("-") else { return nil }
        guard let group = try group(named: profile.group) else {
            throw SourceFailure("there is no group \(profile.group)")
        }
        for candidate in candidates(name, profile) {
            guard let user = try found(candidate) else { continue }
            return isMember(user, of: group) ? account(user, as: name) : nil
        }
        return nil
    }

    /// The name by which the system knows a user whom `find` finds.
    static func qualified(_ name: String, _ profile: DirectoryProfile) -> String? {
        candidates(name, profile).first { user(named: $0).uid != .max }
    }

    /// Forms that providers of NSS use for users of another domain (R-DOM-12), SSSD's first. Letter case counts there.
    private static func candidates(_ name: String, _ profile: DirectoryProfile) -> [String] {
        let folded = name.lowercased()
        let names = folded == name ? [name] : [folded, name]
        guard !profile.domain.isEmpty else { return names }
        return names.flatMap { ["\($0)@\(profile.domain)", "\(profile.domain)\\\($0)"] }
    }

    private static func account(_ user: User, as name: String) -> DirectoryAccount {
        DirectoryAccount(name: name.lowercased(), fullName: user.fullName, home: user.home)
    }

    static func user(named name: String) -> User { (try? found(name)) ?? User() }

    /// - Throws: when no provider could say.
    private static func found(_ name: String) throws(SourceFailure) -> User? {
        var entry = passwd()
        var result: UnsafeMutablePointer<passwd>?
        var room = [CChar](repeating: 0, count: 4096)
        while true {
            let code = getpwnam_r(name, &entry, &room, room.count, &result)
            if code == ERANGE, room.count < 1 << 20 {
                room = [CChar](repeating: 0, count: room.count * 4)
                continue
            }
            guard result != nil else {
                // getpwnam(3): these say that there is no such user.
                if [0, ENOENT, ESRCH, EBADF, EPERM].contains(code) { return nil }
                throw SourceFailure("NSS: \(String(cString: strerror(code)))")
            }
            return user(entry)
        }
    }

    private static func user(_ entry: passwd) -> User {
        func text(_ pointer: UnsafeMutablePointer<CChar>?) -> String { pointer.map { String(cString: $0) } ?? "" }
        return User(
            name: text(entry.pw_name), fullName: String(text(entry.pw_gecos).prefix { $0 != "," }),
            home: text(entry.pw_dir), uid: entry.pw_uid, gid: entry.pw_gid)
    }

    struct Group {
        var gid: gid_t
        var members: [String]
    }

    private static func group(named name: String) throws(SourceFailure) -> Group? {
        var entry = Glibc.group()
        var result: UnsafeMutablePointer<Glibc.group>?
        var room = [CChar](repeating: 0, count: 16 << 10)
        while true {
            let code = getgrnam_r(name, &entry, &room, room.count, &result)
            if code == ERANGE, room.count < 64 << 20 {
                room = [CChar](repeating: 0, count: room.count * 4)
                continue
            }
            guard result != nil else {
                if [0, ENOENT, ESRCH, EBADF, EPERM].contains(code) { return nil }
                throw SourceFailure("NSS: \(String(cString: strerror(code)))")
            }
            var members: [String] = []
            var next = entry.gr_mem
            while let member = next?.pointee {
                members.append(String(cString: member))
                next = next?.advanced(by: 1)
            }
            return Group(gid: entry.gr_gid, members: members)
        }
    }

    /// Primary and supplementary membership.
    private static func isMember(_ user: User, of group: Group) -> Bool {
        if user.gid == group.gid || group.members.contains(user.name) { return true }
        var count: Int32 = 64
        while count <= 1 << 16 {
            var groups = [gid_t](repeating: 0, count: Int(count))
            let room = count
            if getgrouplist(user.name, user.gid, &groups, &count) >= 0 {
                return groups.prefix(Int(max(0, count))).contains(group.gid)
            }
            count = max(count, room * 2)
        }
        return false
    }

    // MARK: Lists

    private static let walk = Monitor(())

    /// All mail users that the system lists; providers may keep users to themselves who are there when asked for.
    static func list(limit: Int, _ profile: DirectoryProfile) throws(SourceFailure) -> [DirectoryAccount] {
        guard !profile.group.isEmpty else { return [] }
        guard let group = try group(named: profile.group) else {
            throw SourceFailure("there is no group \(profile.group)")
        }
        var users = group.members.prefix(limit).map { user(named: $0) }.filter { $0.uid != .max }
        users += primary(of: group, limit: limit)
        var known: Set<String> = []
        return users.compactMap { user in
            guard let name = plain(user.name, profile), known.insert(name).inserted else { return nil }
            return account(user, as: name)
        }
    }

    /// The name without the domain that qualifies it.
    private static func plain(_ name: String, _ profile: DirectoryProfile) -> String? {
        var text = name[...]
        if !profile.domain.isEmpty {
            let (before, after) = ("\(profile.domain)\\".lowercased(), "@\(profile.domain)".lowercased())
            if text.lowercased().hasPrefix(before) {
                text = text.dropFirst(before.count)
            } else if text.lowercased().hasSuffix(after) {
                text = text.dropLast(after.count)
            } else {
                return nil
            }
        }
        let name = text.lowercased()
        return MailAddress.isAccountName(name) ? name : nil
    }

    /// Walking through the users is for one at a time.
    private static func primary(of group: Group, limit: Int) -> [User] {
        walk.withLock { _ in
            var out: [User] = []
            setpwent()
            while out.count < limit, let entry = getpwent() {
                if entry.pointee.pw_gid == group.gid { out.append(user(entry.pointee)) }
            }
            endpwent()
            return out
        }
    }

    static func test(_ name: String, _ profile: DirectoryProfile) -> [DirectoryStep] {
        do throws(SourceFailure) {
            guard let found = try group(named: profile.group) else {
                return [DirectoryStep("group", false, "there is no group \"\(profile.group)\"")]
            }
            var steps = [
                DirectoryStep("group", true, "\(profile.group), gid \(found.gid)"),
                DirectoryStep("count", true, String(try list(limit: 100_000, profile).count)),
            ]
            if !name.isEmpty {
                let account = try find(name, profile)
                steps.append(DirectoryStep("user", account != nil, account.map(describe) ?? name))
            }
            return steps
        } catch {
            return [DirectoryStep("group", false, error.detail)]
        }
    }

    static func describe(_ account: DirectoryAccount) -> String {
        account.fullName.isEmpty ? account.name : "\(account.name) (\(account.fullName))"
    }
}
