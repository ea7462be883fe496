import Control
import ControlServer
import Crypto
import Glibc
import MailModel
import Store
import Tables

/// org.epost.Directory.LogIn: passwords for the servers beside us that serve our mailboxes.
struct LogInDesk: Sendable {
    private let desk: Desk
    private let directory: StoreDirectory
    private let verifier = PasswordVerifier()
    private let locks: LockFiles

    init(desk: Desk, directory: StoreDirectory) {
        self.desk = desk
        self.directory = directory
        locks = LockFiles(layout: desk.layout)
    }

    func register(on server: ControlServer) {
        server.on(DirectoryInterface.LogIn.self) { input, _ throws(ControlError) in try await logIn(input) }
    }

    private func logIn(
        _ input: DirectoryInterface.LogIn.Input
    ) async throws(ControlError) -> DirectoryInterface.LogIn.Output {
        let directory = directory
        let found = try await desk.offload.run { () throws(ControlError) in
            try Self.asked { () throws(DirectoryError) in try directory.login(input.login, at: nil) }
        }
        if let password = input.password.map({ Array($0.utf8) }) {
            let isRight =
                directory.asksElsewhere
                ? try await checkElsewhere(password, found, input)
                : try await desk.offload.run { () throws(ControlError) in
                    self.isRight(password, hash: found?.passwordHash)
                }
            guard isRight else { return .init(isRight: false) }
            // Behind the password, so that a lock answers as a wrong password does, and as late.
            let isLocked = try await desk.offload.run { () throws(ControlError) in
                self.isLocked(found?.address, input.client)
            }
            guard !isLocked else { return .init(isRight: false) }
        }
        guard let found, found.isEnabled else { return .init(isRight: false) }
        return try Self.asked { () throws(DirectoryError) in
            .init(
                isRight: true, address: found.address.folded.text, mailboxPath: try directory.mailbox(of: found).path,
                mailboxLimit: try directory.mailboxLimit(of: found), userID: Int(geteuid()), groupID: Int(getegid()))
        }
    }

    /// Locked for good by the administrator (rejectsmtpuser.dat, rejectsmtpip.dat). Locks for a time slow guessing by
    /// SMTP; the other server has its own way.
    private func isLocked(_ account: MailAddress?, _ client: String?) -> Bool {
        func isFinal(_ entry: LockTable.Entry) -> Bool { entry.since == nil && entry.word != .allow }
        if let account, locks.read(.account).entries(for: account.folded.text).contains(where: isFinal) { return true }
        guard let address = client.flatMap({ IPAddress($0) }) else { return false }
        let entries = locks.read(.address).entries(for: address)
        return entries.contains(where: isFinal) && !entries.contains { $0.word == .allow }
    }

    /// The form that was prepared when the password was set, or, for old ones, what was typed. Who is not there costs
    /// as much.
    private func isRight(_ password: [UInt8], hash: String?) -> Bool {
        let prepared = SASLprep.prepare(password) ?? password
        if verifier.verify(prepared, hash: hash) { return true }
        return prepared != password && verifier.verify(password, hash: hash)
    }

    private func checkElsewhere(
        _ password: [UInt8], _ found: AccountRecord?, _ input: DirectoryInterface.LogIn.Input
    ) async throws(ControlError) -> Bool {
        let asked = try Self.asked { () throws(DirectoryError) in try directory.addresses(ofLogin: input.login, at: nil)
        }
        guard let address = found?.address ?? asked.first else { return false }
        let finding: ForeignFinding = await withCheckedContinuation { continuation in
            directory.check(password, of: address, client: input.client ?? "") { continuation.resume(returning: $0) }
        }
        switch finding {
        case .right: return found != nil
        case .wrong: return false
        case .unavailable(let detail): throw Self.failure(detail)
        }
    }

    private static func asked<Value>(
        _ body: () throws(DirectoryError) -> Value
    ) throws(ControlError) -> Value {
        do throws(DirectoryError) {
            return try body()
        } catch {
            throw failure(error.detail)
        }
    }

    private static func failure(_ detail: String) -> ControlError {
        ControlError(
            .failed, code: "directory.failed", "The directory gives no answer: \(detail)", arguments: [detail])
    }
}
