import Crypto
import MailModel
import SMTP
import Store
import Threads

/// Password checks: tens of milliseconds of computing each, so they have threads of their own, few of them, and a
/// short queue. An unknown user costs as much as a wrong password (RFC 4954 §4; CVE-2018-15473 is the class).
final class PasswordPool: Sendable {
    enum Outcome: Sendable {
        case account(AccountRecord)
        case wrong
        /// The directory did not answer, or too many wait.
        case unavailable(String)
    }

    private struct Check: Sendable {
        let credentials: Credentials
        let localAddress: IPAddress?
        let completion: @Sendable (Outcome) -> Void
    }

    private let worker: BatchWorker<Check>

    init(directory: any Directory) {
        let verifier = PasswordVerifier()
        worker = BatchWorker(name: "auth", threads: 2, limits: .init(items: 1, waiting: 256)) { checks in
            for check in checks { check.completion(Self.outcome(check, directory, verifier)) }
        }
    }

    /// - Parameter completion: called once, on a thread of the pool or before this returns.
    func check(
        _ credentials: Credentials, localAddress: IPAddress?, completion: @escaping @Sendable (Outcome) -> Void
    ) {
        let check = Check(credentials: credentials, localAddress: localAddress, completion: completion)
        if !worker.submit(orDrop: check) { completion(.unavailable("too many authentications at a time")) }
    }

    private static func outcome(
        _ check: Check, _ directory: any Directory, _ verifier: PasswordVerifier
    ) -> Outcome {
        do throws(DirectoryError) {
            let found = try directory.login(check.credentials.name, at: check.localAddress)
            // R-RCV-18: only accounts with SMTP-AUTH switched on; for the others the same work is done.
            let account = found.flatMap { $0.isEnabled && $0.usesAuthentication ? $0 : nil }
            let isRight = verifier.verify(check.credentials.password, hash: account?.passwordHash)
            guard isRight, let account else { return .wrong }
            return .account(account)
        } catch {
            return .unavailable(error.detail)
        }
    }

    func close() { worker.close() }
}
