import DirectoryWire
import Glibc
import Threads

/// Answers questions on threads of its own: log-ins apart from look-ups, so that neither waits for the other. What NSS
/// and PAM are asked is asked by processes of its own, for their modules hang and crash.
final class HelperWork: Sendable {
    private let options: Helper.Options
    private let lookups: HelperLane
    private let checks: HelperLane
    private let lists: HelperLane

    init(_ options: Helper.Options) {
        self.options = options
        let source = Source(options: options, ldap: LDAPAccounts())
        let system = SystemWorkers(options)
        let work: @Sendable (HelperLane.Job) -> Void = { job in
            guard job.profile.backend == .system else {
                return source.answer(job.frame, job.profile) { job.client.answer($0) }
            }
            do throws(SourceFailure) {
                try system.ask(job.frame, job.profile, milliseconds: job.patience) { job.client.answer($0) }
            } catch {
                job.client.refuse(job.frame, error.detail)
            }
        }
        lookups = HelperLane("lookup", threads: 4, waiting: 4096, work: work)
        checks = HelperLane("check", threads: 8, waiting: 512, work: work)
        lists = HelperLane("list", threads: 1, waiting: 8, work: work)
    }

    func take(_ frame: DirectoryFrame, _ profile: DirectoryProfile?, from client: HelperClient) {
        guard let profile, profile.backend == .system || !options.isSystemOnly else {
            return client.refuse(frame, "this helper does not ask such a directory")
        }
        let lane: HelperLane
        let patience: Int
        // A directory has time limits of its own for each step.
        let steps = profile.backend == .ldap ? (3 * profile.timeout + 2) * 1000 : 0
        switch frame.kind {
        case .find: (lane, patience) = (lookups, max(options.patience * 500, steps))
        case .check: (lane, patience) = (checks, max(options.patience * 1000, steps))
        default: (lane, patience) = (lists, max(options.patience * 6000, steps))
        }
        lane.take(
            .init(
                frame: frame, profile: profile, client: client, arrived: SystemClock.monotonic(), patience: patience))
    }
}

/// Why a directory gave no answer.
struct SourceFailure: Error {
    let detail: String
    init(_ detail: String) { self.detail = detail }
}

/// What a password check found.
enum PasswordFinding {
    case right(DirectoryAccount)
    /// - Parameter finding: why, for the record; the client of the mail server never learns it.
    case wrong(String)
}

/// Asks what a question is about, and waits for the answer.
struct Source: Sendable {
    let options: Helper.Options
    /// `nil`: there is only the system.
    let ldap: LDAPAccounts?

    private func directory() throws(SourceFailure) -> LDAPAccounts {
        guard let ldap else { throw SourceFailure("this process does not ask directories") }
        return ldap
    }

    func answer(_ frame: DirectoryFrame, _ profile: DirectoryProfile, _ send: (DirectoryFrame) -> Void) {
        let texts = frame.texts
        do throws(SourceFailure) {
            switch frame.kind {
            case .find where texts.count == 2:
                let found = try find(texts[0], texts[1], profile)
                send(DirectoryFrame(id: frame.id, kind: found == nil ? .missing : .found, fields: found?.fields ?? []))
            case .check where frame.fields.count == 4:
                switch try check(texts[0], texts[1], frame.fields[2], client: texts[3], profile) {
                case .right(let account): send(DirectoryFrame(id: frame.id, kind: .right, fields: account.fields))
                case .wrong(let finding): send(DirectoryFrame(id: frame.id, kind: .wrong, texts: [finding]))
                }
            case .list where texts.count == 1:
                try list(frame.id, limit: min(max(Int(texts[0]) ?? 0, 1), 200_000), profile, send)
            case .test where texts.count == 2:
                let steps =
                    profile.backend == .ldap
                    ? try directory().test(texts[0], texts[1], profile)
                    : SystemAccounts.test(texts[0], profile) + [PAMCheck.test(options)]
                let fields = steps.flatMap { [$0.name, $0.isRight ? "1" : "0", String($0.detail.prefix(1000))] }
                send(DirectoryFrame(id: frame.id, kind: .report, texts: fields))
            default: throw SourceFailure("the question cannot be read")
            }
        } catch {
            send(DirectoryFrame(id: frame.id, kind: .unavailable, texts: [String(error.detail.prefix(1000))]))
        }
    }

    private func find(
        _ name: String, _ domain: String, _ profile: DirectoryProfile
    ) throws(SourceFailure) -> DirectoryAccount? {
        switch profile.backend {
        case .system: try SystemAccounts.find(name, profile)
        case .ldap: try directory().find(name, domain, profile)
        }
    }

    private func check(
        _ name: String, _ domain: String, _ password: [UInt8], client: String, _ profile: DirectoryProfile
    ) throws(SourceFailure) -> PasswordFinding {
        // An LDAP bind without a password is anonymous, and succeeds (RFC 4513 §5.1.2).
        if password.isEmpty { return .wrong("an empty password") }
        switch profile.backend {
        case .ldap: return try directory().check(name, domain, password, profile)
        case .system:
            // Who is no mail user costs as much as a wrong password.
            let account = try SystemAccounts.find(name, profile)
            let user = account == nil ? nil : SystemAccounts.qualified(name, profile)
            let finding = try PAMCheck.check(user ?? name, password, client: client, options)
            guard let account, user != nil else { return .wrong("no such mail user") }
            return finding.map { .wrong($0) } ?? .right(account)
        }
    }

    private func list(
        _ id: UInt32, limit: Int, _ profile: DirectoryProfile, _ send: (DirectoryFrame) -> Void
    ) throws(SourceFailure) {
        var page: [[UInt8]] = []
        func add(_ account: DirectoryAccount) {
            let fields = account.fields
            if DirectoryFrame.octets(of: page + fields) > DirectoryFrame.maximumOctets / 2 {
                send(DirectoryFrame(id: id, kind: .page, fields: [Array("1".utf8)] + page))
                page = []
            }
            page += fields
        }
        switch profile.backend {
        case .system: for account in try SystemAccounts.list(limit: limit, profile) { add(account) }
        case .ldap: try directory().list(limit: limit, profile, add)
        }
        // The last page says so.
        send(DirectoryFrame(id: id, kind: .page, fields: [Array("0".utf8)] + page))
    }
}
