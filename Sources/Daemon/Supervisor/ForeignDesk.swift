import Control
import ControlServer
import DirectoryWire
import MailModel
import MessageFormat
import Settings
import Store
import Synchronization

/// Accounts of the system or of a directory, for people: lists, and a check that says what works. Waits: its callers
/// are on threads of `Offload`.
final class ForeignDesk: Sendable {
    private struct Kept {
        var accounts: [DirectoryAccount]
        var revision: Int64
        /// Monotonic milliseconds.
        var until: Int
    }
    private let kept = Mutex<Kept?>(nil)
    private let directory: StoreDirectory
    private let browser: AccountBrowser
    private let helper: DirectoryHelper
    /// Scrolling asks for window after window of one list.
    private static let age = 30_000
    private static let limit = 100_000

    init(directory: StoreDirectory, browser: AccountBrowser, helper: DirectoryHelper) {
        self.directory = directory
        self.browser = browser
        self.helper = helper
    }

    var isInUse: Bool { directory.asksElsewhere }

    func list(
        _ input: DirectoryInterface.ListAccounts.Input
    ) throws(ControlError) -> DirectoryInterface.ListAccounts.Output {
        try browser.list(try accounts(), input)
    }

    private func accounts() throws(ControlError) -> [DirectoryAccount] {
        do throws(DirectoryError) {
            let revision = try directory.revision()
            let now = Clock.monotonic()
            if let kept = kept.withLock({ $0 }), kept.revision == revision, kept.until > now { return kept.accounts }
            let accounts = try directory.listForeign(limit: Self.limit)
            kept.withLock { $0 = Kept(accounts: accounts, revision: revision, until: Clock.monotonic() + Self.age) }
            return accounts
        } catch {
            throw Self.failure(error)
        }
    }

    func get(_ address: String) throws(ControlError) -> AccountEntry {
        try browser.entry(of: try record(address))
    }

    func change(
        _ input: DirectoryInterface.ChangeAccount.Input, _ store: StoreWriter, by author: Author
    ) throws(ControlError) -> Applied {
        try store.changeForeignAccount(
            try record(input.address).address, input.values, note: input.note, by: author)
    }

    func mailboxes(
        of accounts: [String], in domain: String
    ) -> [(account: String, place: MailboxPlace, limit: Int)] {
        accounts.compactMap { name in
            guard let found = try? directory.account(MailAddress(localPart: name, domain: domain)),
                let place = try? directory.mailbox(of: found), let limit = try? directory.mailboxLimit(of: found)
            else { return nil }
            return (found.account, place, limit)
        }
    }

    private func record(_ address: String) throws(ControlError) -> AccountRecord {
        do throws(DirectoryError) {
            if let parsed = MailAddress(typed: address), let found = try directory.account(parsed) { return found }
        } catch {
            throw Self.failure(error)
        }
        throw ControlError(.notFound, code: "account.unknown", "there is no account \(address)", arguments: [address])
    }

    /// org.epost.Directory.CheckDirectory
    func check(
        _ input: DirectoryInterface.CheckDirectory.Input
    ) throws(ControlError) -> DirectoryInterface.CheckDirectory.Output {
        do throws(DirectoryError) {
            var settings = try directory.settings()
            if let backend = input.backend { settings.set(AccountSettings.backend.key, to: [backend]) }
            let faults = settings.take(input.settings ?? [])
            guard faults.isEmpty else {
                return .init(
                    backend: settings[AccountSettings.backend].rawValue,
                    steps: faults.map { .init(name: "settings", isRight: false, detail: $0.message) })
            }
            let backend = settings[AccountSettings.backend]
            guard backend != .soft else { return .init(backend: backend.rawValue, steps: []) }
            let refusals = settings.problems().filter { !$0.isWarning && $0.key.hasPrefix("ldap.") }
            guard refusals.isEmpty else {
                return .init(
                    backend: backend.rawValue,
                    steps: refusals.map { .init(name: "settings", isRight: false, detail: $0.message) })
            }
            let address = try input.account.map { text throws(DirectoryError) in
                if let address = MailAddress(typed: text) { return address }
                return MailAddress(localPart: text, domain: try directory.domains().first?.name ?? "")
            }
            let steps = try helper.during { () throws(DirectoryError) in try directory.testForeign(settings, address) }
            return .init(
                backend: backend.rawValue,
                steps: steps.map {
                    .init(name: $0.name, isRight: $0.isRight, detail: DisplayText.clean($0.detail, limit: 500))
                })
        } catch {
            throw Self.failure(error)
        }
    }

    private static func failure(_ error: DirectoryError) -> ControlError {
        let shown = DisplayText.clean(error.detail, limit: 500)
        return ControlError(
            .failed, code: "directory.failed", "The directory gives no answer: \(shown)", arguments: [shown])
    }
}

extension SettingsSnapshot {
    /// Takes settings of the way to the accounts as if they were in force; others are none of its business.
    fileprivate mutating func take(_ changes: [SettingChange]) -> [SettingProblem] {
        var faults: [SettingProblem] = []
        for change in changes where AccountBackend.concerns(change.key) {
            switch change.values.flatMap({ SettingsCatalogue.definition(of: change.key)?.normalized($0) }) {
            case .success(let texts): set(change.key, to: texts)
            case .failure(let problem): faults.append(problem)
            case nil: set(change.key, to: nil)
            }
        }
        return faults
    }
}
