import ArgumentParser
import Control
import Glibc

/// The checkpassword interface (https://cr.yp.to/checkpwd/interface.html) with Dovecot's additions: name and password
/// come on descriptor 3, and the program named in the arguments runs with what was found in its environment.
struct CheckPasswordCommand: ControlCommand {
    static let configuration = CommandConfiguration(
        commandName: "checkpassword",
        abstract: "Let Dovecot, or another program, check the passwords of accounts (docs/dovecot.md).",
        discussion: "Not for people: name and password are read from descriptor 3.", shouldDisplay: false)
    @OptionGroup var global: GlobalOptions
    @Argument(parsing: .captureForPassthrough, help: "The program to run after a right password.")
    var program: [String]

    private static let wrong: Int32 = 1
    private static let unknown: Int32 = 3
    private static let temporary: Int32 = 111

    func execute(_ session: Session) throws {
        guard let (login, password) = Self.read(), !program.isEmpty else { Glibc.exit(Self.temporary) }
        // Dovecot asks where the mailbox is, without a password.
        let isLookup = Self.environment("AUTHORIZED") == "1"
        do {
            let found = try session.call(
                DirectoryInterface.LogIn.self,
                .init(
                    login: login, password: isLookup ? nil : password, client: Self.environment("TCPREMOTEIP")))
            guard found.isRight, let address = found.address, let path = found.mailboxPath,
                let user = found.userID, let group = found.groupID
            else { Glibc.exit(isLookup ? Self.unknown : Self.wrong) }
            if isLookup { setenv("AUTHORIZED", "2", 1) }
            setenv("USER", address, 1)
            setenv("HOME", path, 1)
            setenv("userdb_uid", String(user), 1)
            setenv("userdb_gid", String(group), 1)
            var extra = "userdb_uid userdb_gid"
            if let limit = found.mailboxLimit, limit > 0 {
                setenv("userdb_quota_rule", "*:bytes=\(limit)", 1)
                extra += " userdb_quota_rule"
            }
            setenv("EXTRA", extra, 1)
        } catch {
            Glibc.exit(Self.temporary)
        }
        var arguments = program.map { strdup($0) } + [nil]
        execvp(program[0], &arguments)
        Glibc.exit(Self.temporary)
    }

    private static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// Name and password, each ended by NUL, at most 512 octets together.
    private static func read() -> (login: String, password: String)? {
        var octets: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 513)
        while octets.count <= 512 {
            let count = Glibc.read(3, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            octets += piece.prefix(count)
        }
        close(3)
        let parts = octets.split(separator: 0, omittingEmptySubsequences: false)
        guard octets.count <= 512, parts.count >= 2, let login = String(validating: parts[0], as: UTF8.self),
            let password = String(validating: parts[1], as: UTF8.self)
        else { return nil }
        return (login, password)
    }
}
