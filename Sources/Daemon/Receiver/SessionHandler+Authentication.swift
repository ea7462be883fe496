import MailModel
import NIOCore
import Policy
import SMTP
import Store

/// AUTH: challenges and proofs.
extension SessionHandler {
    func makeChallenge(_ mechanism: AuthMechanism, name: String?) {
        if core.directory.asksElsewhere, let name, mustWait(forLogin: name, { $0.challenge(mechanism, name: name) }) {
            return
        }
        challenge(mechanism, name: name)
    }

    private func challenge(_ mechanism: AuthMechanism, name: String?) {
        do throws(DirectoryError) {
            resolve(
                try core.passwords.challenge(
                    mechanism, name: name, localAddress: local, box: configuration.box)
                    ?? .refused(.authenticationUnavailable))
        } catch {
            unavailable(error.detail)
        }
    }

    func authenticate(_ credentials: Credentials) {
        if case .confirmed = credentials.proof {
            guard let account = proved else { return resolve(.refused(.internalError)) }
            return authenticated(as: account, credentials)
        }
        // From before the first question: a name that is at hand saves one, and that must not show.
        let began = NIODeadline.now()
        if core.directory.asksElsewhere,
            mustWait(forLogin: credentials.name, { $0.begin(credentials, since: began) })
        {
            return
        }
        begin(credentials, since: began)
    }

    /// Waits until the directory can say who has a login name.
    /// - Returns: `false` when it can already, or never will.
    func mustWait(forLogin id: String, _ next: @escaping (SessionHandler) -> Void) -> Bool {
        guard let addresses = try? core.directory.addresses(ofLogin: id, at: local) else { return false }
        return mustWait(for: addresses, next)
    }

    private func begin(_ credentials: Credentials, since began: NIODeadline) {
        do throws(DirectoryError) {
            let account = try core.directory.completeLogin(credentials.name, at: local)
            switch core.locks.begin(client, local: local, account: account) {
            case .check(let isLocked): check(credentials, account, isLocked: isLocked, since: began)
            case .addressLocked(let lock):
                let verdict = ConnectionPolicy.refusal(of: client, for: lock)
                resolve(.closed(verdict.reason, refusal(verdict, moment: "AUTH")))
            case .tooMany: refuse(.authenticationUnavailable, moment: .auth)
            }
        } catch {
            unavailable(error.detail)
        }
    }

    /// - Parameter account: the complete form of the login name, whether or not it is there.
    private func check(_ credentials: Credentials, _ account: String, isLocked: Bool, since began: NIODeadline) {
        wait()
        let answer = callback { (handler: SessionHandler, outcome: PasswordPool.Outcome) in
            handler.core.locks.ended(handler.client)
            handler.checked(outcome, credentials, account, isLocked: isLocked, since: began)
        }
        core.passwords.check(
            credentials, localAddress: local, client: client, kinds: AccountSecrets.kinds(configuration.settings),
            box: configuration.box, completion: answer)
    }

    private func checked(
        _ outcome: PasswordPool.Outcome, _ credentials: Credentials, _ name: String, isLocked: Bool,
        since began: NIODeadline
    ) {
        func failed(_ finding: String, counts: Bool) {
            self.failed(credentials, name, finding, counts: counts, since: began)
        }
        switch outcome {
        case .account, .proved:
            // The same answer as to a wrong password: whoever guesses learns nothing from a lock.
            if isLocked { return failed("the account is locked", counts: false) }
        case .wrong(let finding): return failed(finding, counts: true)
        // R-ACC-40: the answer of a wrong password, but no guess.
        case .outsideHours: return failed("outside the account's usage hours", counts: false)
        case .unavailable(let detail):
            return unavailable(detail)
        }
        switch outcome {
        case .account(let account): authenticated(as: account, credentials)
        case .proved(let account, let signature):
            proved = account
            resolve(.proved(signature: signature))
        case .wrong, .outsideHours, .unavailable: break
        }
    }

    private func unavailable(_ detail: String) {
        core.log(.error, "authentication: \(detail)")
        refuse(.authenticationUnavailable, moment: .auth)
    }

    /// How long PAM or a directory took says whether they know a name: refusals are told at full steps of this only.
    private static let foreignStep = TimeAmount.milliseconds(250)

    private func failed(
        _ credentials: Credentials, _ account: String, _ finding: String, counts: Bool, since began: NIODeadline
    ) {
        core.gate.authFailed()
        let delay = counts ? core.locks.failed(client, local: local, account: account) : 0
        let step = TrailStep(
            check: "auth.\(credentials.mechanism.rawValue.lowercased())",
            finding: "login name \(credentials.name): \(finding)", source: .builtIn("R-RCV-18"), decided: true)
        let verdict = Verdict(.authenticationFailed, trail: [step], remedy: "the right login name and password")
        var pause = TimeAmount.seconds(Int64(delay))
        if core.directory.asksElsewhere {
            let step = Self.foreignStep.nanoseconds
            pause = pause + .nanoseconds(step - (NIODeadline.now() - began).nanoseconds % step)
        }
        guard pause > .zero else { return refuse(verdict, moment: .auth) }
        // Who guesses waits, and only in this session.
        let bound = NIOLoopBound(self, eventLoop: home.loop)
        home.loop.scheduleTask(in: pause) { bound.value.refuse(verdict, moment: .auth) }
    }

    private func authenticated(as account: AccountRecord, _ credentials: Credentials) {
        proved = nil
        authentication = .account(account.address)
        sessionBegan(account.address, mechanism: credentials.mechanism.rawValue)
        core.locks.succeeded(client, account: account.address.folded.text)
        log(.session, text: "authenticated as \(account.address.text) by \(credentials.mechanism.rawValue)")
        resolve(.authenticated(account.address.text))
    }
}
