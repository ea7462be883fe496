import CLinux
import Glibc
import MailModel
import SMTP
import Synchronization
import Tables
import Threads

/// Finds what is to be said at a gateway: the settings', or a file's, or a token that a command prints. Files and
/// commands are read on a thread of its own at each new connection, so that a repair counts at once.
package final class LoginSource: Sendable {
    /// A method with what it needs.
    package struct Login: Sendable, Equatable {
        package var mechanism: ClientSettings.Mechanism
        package var credentials: GatewayCredentials

        package init(mechanism: ClientSettings.Mechanism, credentials: GatewayCredentials) {
            self.mechanism = mechanism
            self.credentials = credentials
        }
    }
    package struct Answer: Sendable, Equatable {
        package var credentials: ClientSettings.Credentials
        /// The token was used before, and may have run out.
        package var isRemembered: Bool
    }
    package typealias Found = Result<Answer, Trouble>
    package struct Trouble: Error, Equatable { package var reply: Reply }

    private struct Question: Sendable {
        var login: Login?
        var named: GatewayLogin?
        var folder: String
        var completion: @Sendable (Found) -> Void
    }

    private struct Token {
        var text: String
        var until: ContinuousClock.Instant
    }

    /// Time that the command may take, and that its token is used without asking again.
    private static let commandMilliseconds = 30_000
    private static let tokenLife = Duration.seconds(300)

    private let tokens: Shared
    private let worker: BatchWorker<Question>

    private final class Shared: Sendable { let known = Mutex<[[String]: Token]>([:]) }

    package init() {
        let tokens = Shared()
        self.tokens = tokens
        worker = BatchWorker(name: "gateway-login", limits: .init(items: 1)) { questions in
            for question in questions { question.completion(Self.answer(question, tokens)) }
        }
    }

    /// - Parameters:
    ///   - named: what gateway.dat says; else `login`, the settings', counts.
    ///   - completion: on a thread of the source.
    func find(
        _ named: GatewayLogin?, or login: Login?, folder: String, completion: @escaping @Sendable (Found) -> Void
    ) {
        let question = Question(login: login, named: named, folder: folder, completion: completion)
        if !worker.submit(question) {
            completion(.failure(Trouble(reply: DeliveryTrouble.noCredentials.reply("EPSTDS is stopping"))))
        }
    }

    /// A gateway refused what it was told: a token may have run out early.
    func forgetTokens() { tokens.known.withLock { $0 = [:] } }

    package func close() { worker.close() }

    private static func answer(_ question: Question, _ tokens: Shared) -> Found {
        func trouble(_ text: String) -> Found {
            .failure(Trouble(reply: DeliveryTrouble.noCredentials.reply(text)))
        }
        let login: Login
        if let named = question.named {
            let path = "\(question.folder)/\(named.name)"
            switch read(path) {
            case .failure(let reason): return trouble("\(path): \(reason.text)")
            case .success(let credentials):
                login = Login(
                    mechanism: ClientSettings.Mechanism(rawValue: named.method.rawValue) ?? .plain,
                    credentials: credentials)
            }
        } else if let settings = question.login {
            login = settings
        } else {
            return trouble("none are set")
        }
        let secret: String
        var isRemembered = false
        if login.mechanism == .xoauth2, !login.credentials.tokenCommand.isEmpty {
            do throws(TokenCommand.Failure) {
                (secret, isRemembered) = try token(login.credentials.tokenCommand, tokens)
            } catch {
                return trouble(error.text)
            }
        } else if let password = login.credentials.password {
            secret = password
        } else {
            return trouble("no password is set, or the key file is not the one that it was kept under")
        }
        let credentials = ClientSettings.Credentials(
            mechanism: login.mechanism, user: login.credentials.user, password: secret, allowedInClear: false)
        return .success(Answer(credentials: credentials, isRemembered: isRemembered))
    }

    private static func token(
        _ command: [String], _ tokens: Shared
    ) throws(TokenCommand.Failure) -> (text: String, isRemembered: Bool) {
        let now = ContinuousClock.now
        if let known = tokens.known.withLock({ $0[command] }), known.until > now { return (known.text, true) }
        let text = try TokenCommand.run(command, milliseconds: commandMilliseconds)
        tokens.known.withLock { $0[command] = Token(text: text, until: now + tokenLife) }
        return (text, false)
    }

    private struct FileTrouble: Error { var text: String }

    private static let fileOctets = 64 << 10

    /// Others than the owner must not be able to read it.
    private static func read(_ path: String) -> Result<GatewayCredentials, FileTrouble> {
        let descriptor = clinux_open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0)
        guard descriptor >= 0 else { return .failure(FileTrouble(text: String(cString: strerror(errno)))) }
        defer { Glibc.close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            return .failure(FileTrouble(text: "not a plain file"))
        }
        guard status.st_mode & 0o077 == 0 else {
            return .failure(FileTrouble(text: "others may read it; its mode must be 0600"))
        }
        var octets = [UInt8](repeating: 0, count: fileOctets)
        let count = Glibc.read(descriptor, &octets, octets.count)
        guard count >= 0 else { return .failure(FileTrouble(text: String(cString: strerror(errno)))) }
        do throws(GatewayCredentials.Fault) {
            return .success(try GatewayCredentials.read(String(decoding: octets.prefix(count), as: UTF8.self)))
        } catch {
            return .failure(FileTrouble(text: error.text))
        }
    }
}
