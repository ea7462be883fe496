import Control
import ControlServer
import MailModel
import Settings
import Store
import Tables

/// Control files of accounts, as texts: read, checked, and written in the mailbox.
struct AccountFilesDesk: Sendable {
    let desk: Desk
    let directory: any Directory

    func register(on server: ControlServer) {
        let (desk, directory) = (desk, directory)
        server.on(DirectoryInterface.GetAccountFile.self) { input, caller throws(ControlError) in
            try desk.gate.need(address: input.address, caller)
            return try await desk.offload.run { () throws(ControlError) in
                let file = try AccountFile(word: input.file)
                let folder = try AccountFolder(input.address, directory)
                let found = try folder.read(file)
                guard (found.octets?.count ?? 0) <= AccountFolder.shownOctets else {
                    throw AccountFolder.tooLarge(found.name, AccountFolder.shownOctets)
                }
                let text = found.text
                return .init(
                    text: text, name: found.name, exists: found.octets != nil, etag: found.etag,
                    encoding: found.charset.name, problems: file.problems(text, of: folder.account.address))
            }
        }
        server.on(DirectoryInterface.CheckAccountFile.self) { input, caller throws(ControlError) in
            try desk.gate.need(address: input.address, caller)
            return try await desk.offload.run { () throws(ControlError) in
                let file = try AccountFile(word: input.file)
                let folder = try AccountFolder(input.address, directory)
                return .init(
                    problems: file.problems(input.text, of: folder.account.address)
                        + Self.doubts(about: TableText(input.text).lines, over: try folder.read(file)))
            }
        }
        server.on(DirectoryInterface.SetAccountFile.self) { input, caller throws(ControlError) in
            try desk.needConfiguration()
            try desk.gate.need(address: input.address, caller)
            let applied = try await desk.offload.run { () throws(ControlError) in
                let folder = try AccountFolder(input.address, directory)
                let (change, warnings) = try Self.change(
                    .init(file: input.file, text: input.text, baseEtag: input.baseEtag), in: folder)
                return try Self.write(
                    [change], folder, desk.store, note: input.note, warnings: warnings, Desk.author(caller))
            }
            return await desk.inForce(applied, by: caller)
        }
    }

    /// - Returns: the change, and what is worth a warning.
    static func change(
        _ text: AccountFileText, in folder: AccountFolder
    ) throws(ControlError) -> (change: AccountFolder.Change, warnings: [Problem]) {
        let file = try AccountFile(word: text.file)
        let lines = TableText(text.text).lines
        let problems =
            file.problems(text.text, of: folder.account.address) + doubts(about: lines, over: try folder.read(file))
        try refuse(problems)
        let change = AccountFolder.Change(file: file, baseEtag: text.baseEtag) { old in
            lines.isEmpty ? [] : KeptText.octets(lines, over: old)
        }
        return (change, problems)
    }

    /// Characters that the file's character set lacks: with them the whole file becomes UTF-8.
    private static func doubts(about lines: [String], over old: AccountFolder.Found) -> [Problem] {
        let charset = old.charset
        guard charset != .utf8, let number = lines.firstIndex(where: { charset.encode($0) == nil }) else { return [] }
        let line = String(number + 1)
        return [
            Problem(
                path: "line/\(line)", code: "account.charset",
                message: "\(charset.name) lacks a character of line \(line): the whole file becomes UTF-8.",
                arguments: [charset.name, line], isWarning: true)
        ]
    }

    static func refuse(_ problems: [Problem]) throws(ControlError) {
        guard let first = problems.first(where: { !$0.isWarning }) else { return }
        throw ControlError(.refused, code: first.code, first.message, arguments: first.arguments, problems: problems)
    }

    /// Writes and makes the revision, which tells the services to look at the files again.
    static func write(
        _ changes: [AccountFolder.Change], _ folder: AccountFolder, _ store: StoreWriter, note: String,
        warnings: [Problem], _ author: Author
    ) throws(ControlError) -> Applied {
        let written = try folder.write(changes)
        var applied = try store.recordAccountFiles(
            folder.account.address, written.map { ($0.name, $0.old, $0.new) }, note: note, by: author)
        applied.warnings += warnings
        return applied
    }

    /// Puts the lines that a revision replaced back into the control files of an account.
    /// - Parameter undone: `file/ACCOUNT/NAME` of one revision, and what it wrote: a file that somebody wrote by hand
    ///   since then is not overwritten, and then none is.
    static func revert(_ undone: [ChangeRecord], _ directory: any Directory) throws(ControlError) {
        var folder: AccountFolder?
        var changes: [AccountFolder.Change] = []
        for record in undone {
            let parts = record.path.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3, let file = AccountFile(name: String(parts[2])) else {
                throw ControlError(
                    .refused, code: "history.unknown-file", "\(record.path) is no control file",
                    arguments: [record.path])
            }
            let place: AccountFolder
            if let folder { place = folder } else { place = try AccountFolder(String(parts[1]), directory) }
            folder = place
            let found = try place.read(file)
            guard found.lines == record.new else { throw AccountFolder.changed(found.name) }
            let lines = record.old
            changes.append(
                .init(file: file, baseEtag: found.etag) { old in lines.map { KeptText.octets($0, over: old) } ?? [] })
        }
        _ = try folder?.write(changes)
    }
}
