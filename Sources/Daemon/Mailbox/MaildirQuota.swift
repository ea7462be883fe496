import CLinux
import Glibc

/// Reads, keeps and calculates `maildirsize` in a mailbox, by the rules of Maildir++ as Dovecot follows them: all
/// folders count, Trash too.
struct MaildirQuota {
    let root: FolderHandle
    /// Octets; 0 = no limit.
    let limit: Int

    private static let file = "maildirsize"
    /// Seconds after which a file that says "full" is not believed (Maildir++).
    private static let trusted = 15 * 60

    /// What the mailbox holds: by the file, or counted when the file is missing, of another limit or too long.
    func usage() throws(MailboxError) -> MailboxUsage {
        if let known = read(), known.size.octetLimit == limit || limit == 0 { return known.size.used }
        return try calculate()
    }

    /// Whether `octets` more would go over the limit. A file that says so is calculated again, unless it is fresh.
    /// - Parameter reserved: octets of deliveries under way.
    /// - Returns: what it holds when it is too full; `nil` when there is room.
    func isFull(adding octets: Int, reserved: Int) throws(MailboxError) -> MailboxUsage? {
        guard limit > 0 else { return nil }
        func goesOver(_ used: MailboxUsage) -> Bool {
            let (sum, isTooLarge) = used.octets.addingReportingOverflow(octets + reserved)
            return isTooLarge || sum > limit
        }
        if let known = read(), known.size.octetLimit == limit {
            if !goesOver(known.size.used) { return nil }
            if known.size.changes <= 1, known.age < Self.trusted { return known.size.used }
        }
        let counted = try calculate()
        return goesOver(counted) ? counted : nil
    }

    /// Notes a change. Nothing happens when there is no file: it is made when it is needed.
    func add(octets: Int, messages: Int) {
        let flags = O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC
        let descriptor = clinux_openat(root.descriptor, Self.file, flags, 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        // One write, so that lines of several programs do not mix. If it fails, the next calculation heals it.
        let line = Array("\(octets) \(messages)\n".utf8)
        _ = line.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
    }

    /// - Returns: `nil` when it is missing, is no plain file, or must be calculated again; else with its age in seconds.
    private func read() -> (size: MaildirSize, age: Int)? {
        let descriptor = clinux_openat(root.descriptor, Self.file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var info = stat()
        guard fstat(descriptor, &info) == 0, info.st_mode & S_IFMT == S_IFREG, info.st_nlink == 1 else { return nil }
        let text = [UInt8](unsafeUninitializedCapacity: MaildirSize.largestFile) { buffer, count in
            count = max(0, Glibc.read(descriptor, buffer.baseAddress, buffer.count))
        }
        guard let size = MaildirSize(text) else { return nil }
        return (size, max(0, time(nil) - Int(info.st_mtim.tv_sec)))
    }

    // MARK: Calculating

    /// Counts all messages and, where there is a limit, writes the file anew.
    private func calculate() throws(MailboxError) -> MailboxUsage {
        let started = time(nil)
        var used = MailboxUsage()
        var folders: [FolderHandle] = []
        for folder in try messageFolders() {
            folders.append(folder)
            try count(folder, into: &used)
        }
        guard limit > 0 else { return used }
        try write(MaildirSize(octetLimit: limit, used: used))
        // A message that came or went meanwhile may be missing in the sum: then the file must not stay (Maildir++).
        if folders.contains(where: { $0.changedAt() >= started }) { unlinkat(root.descriptor, Self.file, 0) }
        return used
    }

    /// `new` and `cur` of the mailbox and of its folders, which are named `.Name`.
    private func messageFolders() throws(MailboxError) -> [FolderHandle] {
        var tops = [root]
        try root.forEachName { name throws(MailboxError) in
            if name.hasPrefix("."), let info = root.status(name), info.st_mode & S_IFMT == S_IFDIR,
                let folder = try root.existing(name)
            {
                tops.append(folder)
            }
            return true
        }
        var found: [FolderHandle] = []
        for top in tops {
            for name in ["new", "cur"] {
                if let folder = try top.existing(name) { found.append(folder) }
            }
        }
        return found
    }

    private func count(_ folder: FolderHandle, into used: inout MailboxUsage) throws(MailboxError) {
        var sum = used
        try folder.forEachName { name throws(MailboxError) in
            if name.hasPrefix(".") { return true }
            guard let octets = MaildirSize.octets(inName: name) ?? folder.status(name).map({ Int($0.st_size) }) else {
                return true
            }
            let (total, isTooLarge) = sum.octets.addingReportingOverflow(octets)
            sum.octets = isTooLarge ? .max : total
            sum.messages += 1
            return true
        }
        used = sum
    }

    private func write(_ size: MaildirSize) throws(MailboxError) {
        let temporary = "tmp/maildirsize.\(getpid()).\(UInt32.random(in: 0 ... .max))"
        guard let folder = try root.existing("tmp") else { return }
        let name = String(temporary.dropFirst(4))
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let descriptor = clinux_openat(folder.descriptor, name, flags, 0o600)
        guard descriptor >= 0 else { throw MailboxError(system: errno, "create \(folder.path)/\(name)") }
        defer { close(descriptor) }
        do throws(MailboxError) {
            try OctetCopy.write(Array(size.text.utf8), to: descriptor)
            if renameat(folder.descriptor, name, root.descriptor, Self.file) != 0 {
                throw MailboxError(system: errno, "rename to \(root.path)/\(Self.file)")
            }
        } catch {
            unlinkat(folder.descriptor, name, 0)
            throw error
        }
    }
}
