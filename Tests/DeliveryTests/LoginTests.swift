import MailModel
import SMTP
import Tables
import Testing

@testable import Delivery

@Suite("Logging in at gateways")
struct LoginTests {
    private func find(_ login: LoginSource.Login) async -> LoginSource.Found {
        let source = LoginSource()
        return await withCheckedContinuation { continuation in
            source.find(nil, or: login, folder: "/nowhere") { continuation.resume(returning: $0) }
        }
    }

    @Test("a token command prints the token; what goes wrong is named without what it printed")
    func tokens() async throws {
        func login(_ command: String...) -> LoginSource.Login {
            .init(mechanism: .xoauth2, credentials: GatewayCredentials(user: "u", tokenCommand: command))
        }
        #expect(try await find(login("/bin/echo", "abc", "def")).get().credentials.password == "abcdef")
        for (command, words) in [
            (["/bin/false"], "exit code 1"), (["/nowhere/token"], "cannot be started"),
            (["/bin/true"], "printed no token"),
        ] {
            let found = await find(
                .init(mechanism: .xoauth2, credentials: GatewayCredentials(user: "u", tokenCommand: command)))
            guard case .failure(let trouble) = found else {
                Issue.record("\(command) gave a token")
                continue
            }
            #expect(trouble.reply.text.contains(words) && trouble.reply.code == 451, "\(trouble.reply.text)")
        }
    }

    @Test("a command that does not end is ended, with its children")
    func endless() throws {
        #expect(throws: TokenCommand.Failure.timeout) {
            try TokenCommand.run(["/bin/sleep", "600"], milliseconds: 50)
        }
    }

    @Test("a file that is missing is said with its path")
    func missing() async {
        let source = LoginSource()
        let named = GatewayLogin(method: .plain, name: "relay")
        let found = await withCheckedContinuation { continuation in
            source.find(named, or: nil, folder: "/nowhere") { continuation.resume(returning: $0) }
        }
        guard case .failure(let trouble) = found else {
            Issue.record("found")
            return
        }
        #expect(trouble.reply.text.contains("/nowhere/relay: No such file or directory"))
    }
}
