import MailModel
import Policy
import SMTP
import Store

/// AUTH: challenges and proofs.
extension SessionHandler {
    func makeChallenge(_ mechanism: AuthMechanism, name: String?) {
        do throws(DirectoryError) {
            resolve(
                try core.passwords.challenge(
                    mechanism, name: name, localAddress: local, box: configuration.box)
                    ?? .refused(.authenticationUnavailable))
        } catch {
            directoryFailed(error, moment: .auth)
        }
    }

    func authenticate(_ credentials: Credentials) {
        if case .confirmed = credentials.proof {
            guard let account = proved else { return resolve(.refused(.internalError)) }
            return authenticated(as: account, credentials)
        }
        wait()
        let answer = callback { (handler: SessionHandler, outcome: PasswordPool.Outcome) in
            handler.authenticated(outcome, credentials)
        }
        core.passwords.check(
            credentials, localAddress: local, kinds: AccountSecrets.kinds(configuration.settings),
            box: configuration.box, completion: answer)
    }

    private func authenticated(_ outcome: PasswordPool.Outcome, _ credentials: Credentials) {
        switch outcome {
        case .account(let account): authenticated(as: account, credentials)
        case .proved(let account, let signature):
            proved = account
            resolve(.proved(signature: signature))
        case .wrong(let finding):
            core.gate.authFailed()
            let step = TrailStep(
                check: "auth.\(credentials.mechanism.rawValue.lowercased())",
                finding: "login name \(credentials.name): \(finding)", source: .builtIn("R-RCV-18"), decided: true)
            refuse(Verdict(.authenticationFailed, trail: [step]), moment: .auth)
        case .unavailable(let detail):
            core.log(.error, "authentication: \(detail)")
            refuse(Verdict(.authenticationUnavailable), moment: .auth)
        }
    }

    private func authenticated(as account: AccountRecord, _ credentials: Credentials) {
        proved = nil
        authentication = .account(account.address)
        log(.session, text: "authenticated as \(account.address.text) by \(credentials.mechanism.rawValue)")
        resolve(.authenticated(account.address.text))
    }
}
