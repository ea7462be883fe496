import Crypto
import MailModel
import SMTP
import Store
import Threads

/// Checks proofs of identity: up to tens of milliseconds of computing each, so they have threads of their own, few of
/// them, and a short queue. An unknown user costs as much as a wrong password (RFC 4954 §4; CVE-2018-15473 is the class).
final class PasswordPool: Sendable {
    enum Outcome: Sendable {
        case account(AccountRecord)
        /// SCRAM: right, and our signature goes out before it counts.
        case proved(AccountRecord, signature: [UInt8])
        /// - Parameter finding: why, for the record; the client never learns it.
        case wrong(String)
        /// Right, but not at this time (R-ACC-40).
        case outsideHours
        /// The directory did not answer, or too many wait.
        case unavailable(String)
    }

    private struct Check: Sendable {
        let credentials: Credentials
        let localAddress: IPAddress?
        let kinds: Set<AccountSecret.Kind>
        let box: SecretBox?
        /// PAM or the directory has said that the password is right.
        var isProved = false
        let completion: @Sendable (Outcome) -> Void
    }

    private let directory: any Directory
    private let worker: BatchWorker<Check>

    /// - Parameter keep: takes secrets made for an older account when its password was seen.
    init(
        directory: any Directory, personal: PersonalRules,
        keep: @escaping @Sendable (AccountSecret, MailAddress) -> Void
    ) {
        self.directory = directory
        let examiner = Examiner(directory: directory, personal: personal, keep: keep)
        worker = BatchWorker(name: "auth", threads: 2, limits: .init(items: 1, waiting: 256)) { checks in
            for check in checks {
                check.completion(
                    examiner.outcome(
                        check.credentials, at: check.localAddress, kinds: check.kinds, box: check.box,
                        isProved: check.isProved))
            }
        }
    }

    /// What a challenge is made of. Well below a millisecond.
    /// - Returns: `nil` when there is no entropy or no key.
    func challenge(
        _ mechanism: AuthMechanism, name: String?, localAddress: IPAddress?, box: SecretBox?
    ) throws(DirectoryError) -> Resolution? {
        // 18 octets are 24 letters of base 64 without padding.
        guard let nonce = Random.octets(18).map({ Base64.encode($0) }), let box else { return nil }
        guard let name, mechanism != .cramMD5 else { return .challenge(nonce: nonce) }
        // Who does not exist, or has no keys, has a salt like everybody: the same whenever it is asked for.
        let complete = try directory.completeLogin(name, at: localAddress)
        var salt = box.imitation(of: complete, count: SCRAMKeys.saltOctets)
        var iterations = SCRAMKeys.iterationsOfNew
        if let account = try directory.login(name, at: localAddress),
            let keys = AccountSecrets.scram(try directory.secrets(of: account.address), of: account, box)
        {
            salt = keys.salt
            iterations = keys.iterations
        }
        return .challenge(nonce: nonce, salt: salt, iterations: iterations)
    }

    /// - Parameters:
    ///   - kinds: secrets that the methods in force ask for.
    ///   - completion: called once, on a thread of the pool or before this returns.
    func check(
        _ credentials: Credentials, localAddress: IPAddress?, client: IPAddress, kinds: Set<AccountSecret.Kind>,
        box: SecretBox?, completion: @escaping @Sendable (Outcome) -> Void
    ) {
        let check = Check(
            credentials: credentials, localAddress: localAddress, kinds: kinds, box: box, completion: completion)
        if directory.asksElsewhere { return checkElsewhere(check, client) }
        submit(check)
    }

    /// Only a password can be checked elsewhere (R-RCV-18).
    private func checkElsewhere(_ check: Check, _ client: IPAddress) {
        guard case .password(let password) = check.credentials.proof else {
            return check.completion(.wrong("with this back-end only PLAIN and LOGIN work"))
        }
        do throws(DirectoryError) {
            let found = try directory.login(check.credentials.name, at: check.localAddress)
            let asked = try directory.addresses(ofLogin: check.credentials.name, at: check.localAddress)
            // Who is not there is asked about all the same: it takes as long.
            guard let address = found?.address ?? asked.first else { return check.completion(.wrong("no such user")) }
            directory.check(password, of: address, client: "\(client)") { [self] finding in
                switch finding {
                case .right:
                    var check = check
                    check.isProved = true
                    submit(check)
                case .wrong(let text): check.completion(.wrong(text))
                case .unavailable(let detail): check.completion(.unavailable(detail))
                }
            }
        } catch {
            check.completion(.unavailable(error.detail))
        }
    }

    private func submit(_ check: Check) {
        let completion = check.completion
        if !worker.submit(orDrop: check) { completion(.unavailable("too many authentications at a time")) }
    }

    func close() { worker.close() }
}

/// Compares proofs with what is kept. On the pool's threads.
private final class Examiner: Sendable {
    private let directory: any Directory
    private let personal: PersonalRules
    private let keep: @Sendable (AccountSecret, MailAddress) -> Void
    private let verifier = PasswordVerifier()
    /// Stand in for keys of users who do not exist.
    private let decoySCRAM = SCRAMKeys.decoy()
    private let decoyCRAM = CRAMKeys(password: Random.octets(16) ?? [])

    init(
        directory: any Directory, personal: PersonalRules,
        keep: @escaping @Sendable (AccountSecret, MailAddress) -> Void
    ) {
        self.directory = directory
        self.personal = personal
        self.keep = keep
    }

    func outcome(
        _ credentials: Credentials, at local: IPAddress?, kinds: Set<AccountSecret.Kind>, box: SecretBox?,
        isProved: Bool
    ) -> PasswordPool.Outcome {
        do throws(DirectoryError) {
            let found = try directory.login(credentials.name, at: local)
            // R-RCV-18: only accounts with SMTP-AUTH switched on; for the others the same work is done.
            let account = found.flatMap { $0.isEnabled && $0.usesAuthentication ? $0 : nil }
            if isProved {
                guard let account else { return .wrong("the account is switched off, or is no mail user") }
                return isPermitted(account) ? .account(account) : .outsideHours
            }
            switch credentials.proof {
            case .password(let password):
                let isRight = isRight(password, hash: account?.passwordHash)
                guard isRight, let account else { return .wrong(Self.wrongPassword) }
                if let box { try learn(password, of: account, kinds, box) }
                return isPermitted(account) ? .account(account) : .outsideHours
            case .digest(let digest, let challenge):
                let keys = try kept(account, box, AccountSecrets.cram)
                let isRight = (keys ?? decoyCRAM).matches(digest, challenge: challenge)
                guard isRight, keys != nil, let account else { return .wrong(Self.finding(account, keys != nil)) }
                return isPermitted(account) ? .account(account) : .outsideHours
            case .signed(let message, let proof):
                let keys = try kept(account, box, AccountSecrets.scram)
                let signature = (keys ?? decoySCRAM)?.signature(of: message, proof: proof)
                guard let signature, keys != nil, let account else { return .wrong(Self.finding(account, keys != nil)) }
                return isPermitted(account) ? .proved(account, signature: signature) : .outsideHours
            case .confirmed: return .unavailable("nothing was proved before")
            }
        } catch {
            return .unavailable(error.detail)
        }
    }

    /// In its prepared form (RFC 4616 §2), as new hashes are made; a hash that was brought along may know only what was
    /// typed.
    private func isRight(_ password: [UInt8], hash: String?) -> Bool {
        let prepared = SASLprep.prepare(password) ?? password
        if verifier.verify(prepared, hash: hash) { return true }
        return prepared != password && verifier.verify(password, hash: hash)
    }

    private func isPermitted(_ account: AccountRecord) -> Bool {
        guard let place = try? directory.mailbox(of: account) else { return true }
        return personal.read(PersonalRules.Users(acting: place, sender: place)).permits
    }

    private func kept<Keys>(
        _ account: AccountRecord?, _ box: SecretBox?,
        _ open: ([AccountSecret], AccountRecord, SecretBox) -> Keys?
    ) throws(DirectoryError) -> Keys? {
        guard let box, let account else { return nil }
        return open(try directory.secrets(of: account.address), account, box)
    }

    private static let wrongPassword = "no such user, or the password is wrong"

    private static func finding(_ account: AccountRecord?, _ hasKeys: Bool) -> String {
        account != nil && !hasKeys
            ? "no keys for this method yet: set the password anew, or log in once by PLAIN or LOGIN" : wrongPassword
    }

    /// An account from before a method was switched on gets its keys when its password is seen.
    private func learn(
        _ password: [UInt8], of account: AccountRecord, _ kinds: Set<AccountSecret.Kind>, _ box: SecretBox
    ) throws(DirectoryError) {
        let generation = AccountSecrets.generation(of: account.passwordHash)
        let known = try directory.secrets(of: account.address).filter { $0.generation == generation }.map(\.kind)
        let missing = kinds.subtracting(known)
        guard !missing.isEmpty else { return }
        let made = AccountSecrets.make(
            missing, password: password, account: account.address, hash: account.passwordHash, box: box)
        for secret in made { keep(secret, account.address) }
    }
}
