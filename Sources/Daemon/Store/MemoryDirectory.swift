import MailModel
import Settings
import Synchronization
import Tables

/// A directory without a file, for tests; can be made to fail.
package final class MemoryDirectory: Directory {
    private struct Content {
        var settings: SettingsSnapshot
        var domains: [DomainRecord]
        var accounts: [MailAddress: AccountRecord] = [:]
        var secrets: [MailAddress: [AccountSecret]] = [:]
        var aliases: [MailAddress: [AliasRule]] = [:]
        var failure: DirectoryError?
    }
    private let content: Mutex<Content>

    package init(
        settings: SettingsSnapshot = SettingsSnapshot(layout: .hierarchy), domains: [DomainRecord] = [],
        accounts: [AccountRecord] = []
    ) {
        content = Mutex(Content(settings: settings, domains: domains))
        for account in accounts { add(account) }
    }

    package func add(_ account: AccountRecord) {
        content.withLock {
            $0.accounts[account.address.folded] = account
            $0.settings.revision += 1
        }
    }

    package func add(_ secrets: [AccountSecret], of address: MailAddress) {
        content.withLock { $0.secrets[address.folded] = secrets }
    }

    package func add(_ alias: AliasRule) {
        content.withLock {
            $0.aliases[alias.alias.folded, default: []].append(alias)
            $0.settings.revision += 1
        }
    }

    package func change(_ body: @Sendable (inout SettingsSnapshot, inout [DomainRecord]) -> Void) {
        content.withLock {
            body(&$0.settings, &$0.domains)
            $0.settings.revision += 1
        }
    }

    /// From now on every question throws this; `nil` heals it.
    package func fail(with error: DirectoryError?) { content.withLock { $0.failure = error } }

    private func ask<Value: Sendable>(_ question: (Content) -> Value) throws(DirectoryError) -> Value {
        let answer: Result<Value, DirectoryError> = content.withLock {
            if let failure = $0.failure { return .failure(failure) }
            return .success(question($0))
        }
        return try answer.get()
    }

    package func settings() throws(DirectoryError) -> SettingsSnapshot { try ask { $0.settings } }
    package func revision() throws(DirectoryError) -> Int64 { try ask { $0.settings.revision } }
    package func domains() throws(DirectoryError) -> [DomainRecord] { try ask { $0.domains } }
    package func account(_ address: MailAddress) throws(DirectoryError) -> AccountRecord? {
        let folded = address.folded
        return try ask { content in
            content.domains.contains { $0.name == folded.domain } ? content.accounts[folded] : nil
        }
    }
    package func secrets(of address: MailAddress) throws(DirectoryError) -> [AccountSecret] {
        try ask { $0.secrets[address.folded] ?? [] }
    }
    package func accounts(named localPart: String) throws(DirectoryError) -> [AccountRecord] {
        let folded = localPart.lowercased()
        return try ask { content in
            content.domains.compactMap { content.accounts[MailAddress(localPart: folded, domain: $0.name)] }
        }
    }
    package func aliases(of address: MailAddress) throws(DirectoryError) -> [AliasRule] {
        let folded = address.folded
        return try ask { $0.aliases[folded] ?? [] }
    }
}
