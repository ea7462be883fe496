import Control
import ControlServer
import Store

/// org.epost.Directory
struct DirectoryDesk: Sendable {
    let desk: Desk
    let browser: AccountBrowser
    let foreign: ForeignDesk
    private let measure = MailboxMeasure()

    init(desk: Desk, browser: AccountBrowser, foreign: ForeignDesk) {
        self.foreign = foreign
        self.desk = desk
        self.browser = browser
    }

    func register(on server: ControlServer) {
        registerDomains(on: server)
        registerAccounts(on: server)
    }

    private func registerDomains(on server: ControlServer) {
        let desk = desk
        server.on(DirectoryInterface.ListDomains.self) { _, _ throws(ControlError) in
            try await desk.offload.run { () throws(ControlError) in .init(domains: try desk.store.listDomains()) }
        }
        server.on(DirectoryInterface.OpenDomain.self) { input, caller throws(ControlError) in
            .init(key: try await desk.gate.open(input.domain, password: input.password, caller))
        }
        change(DirectoryInterface.AddDomain.self, on: server, domain: { $0.name }) {
            input, author throws(ControlError) in
            try desk.store.addDomain(input.name, input.values, note: input.note, by: author)
        }
        change(DirectoryInterface.ChangeDomain.self, on: server, domain: { $0.name }) {
            input, author throws(ControlError) in
            try desk.store.changeDomain(
                input.name, input.values, base: input.baseRevision, note: input.note, by: author)
        }
        change(DirectoryInterface.RemoveDomain.self, on: server, domain: { $0.name }) {
            input, author throws(ControlError) in
            try desk.store.removeDomain(input.name, note: input.note, by: author)
        }
    }

    private func registerAccounts(on server: ControlServer) {
        let (desk, browser, measure, foreign) = (desk, browser, measure, foreign)
        let logins = LastLogins(path: desk.layout.usage)
        server.on(DirectoryInterface.CheckDirectory.self) { input, caller throws(ControlError) in
            // Whoever names the server and the file of the password learns what is in that file.
            if input.settings?.isEmpty == false, !caller.mayChange {
                throw ControlError(
                    .notPermitted, code: "directory.only-admins",
                    "only who may change settings may try some that are not in force")
            }
            return try await desk.offload.run { () throws(ControlError) in try foreign.check(input) }
        }
        server.on(DirectoryInterface.ListAccounts.self) { input, caller throws(ControlError) in
            try desk.gate.need([input.domain], caller)
            return try await desk.offload.run { () throws(ControlError) in
                var output = foreign.isInUse ? try foreign.list(input) : try browser.list(input)
                output.rows = logins.completed(output.rows)
                return output
            }
        }
        server.on(DirectoryInterface.GetAccount.self) { input, caller throws(ControlError) in
            try desk.gate.need(address: input.address, caller)
            return try await desk.offload.run { () throws(ControlError) in
                if foreign.isInUse {
                    let entry = try foreign.get(input.address)
                    return logins.completed([entry]).first ?? entry
                }
                let found = try browser.get(input.address, usage: input.usage ?? true)
                let entry = input.usage == false ? found : try measure.completed(found, browser)
                return logins.completed([entry]).first ?? entry
            }
        }
        server.on(DirectoryInterface.AccountUsage.self) { input, caller throws(ControlError) in
            try desk.gate.need([input.domain], caller)
            return try await desk.offload.run { () throws(ControlError) in
                let accounts = Array(input.accounts.prefix(200))
                let places =
                    foreign.isInUse
                    ? foreign.mailboxes(of: accounts, in: input.domain)
                    : try browser.mailboxes(of: accounts, in: input.domain)
                return .init(rows: measure.usages(of: places))
            }
        }
        change(DirectoryInterface.AddAccount.self, on: server, address: { $0.address }) {
            input, author throws(ControlError) in
            if foreign.isInUse { throw StoreWriter.elsewhere("account/\(input.address)") }
            return try desk.store.addAccount(input.address, input.values, note: input.note, by: author)
        }
        change(DirectoryInterface.ChangeAccount.self, on: server, address: { $0.address }) {
            input, author throws(ControlError) in
            if foreign.isInUse { return try foreign.change(input, desk.store, by: author) }
            return try desk.store.changeAccount(
                input.address, input.values, base: input.baseRevision, note: input.note, by: author)
        }
        change(DirectoryInterface.RemoveAccount.self, on: server, address: { $0.address }) {
            input, author throws(ControlError) in
            let (applied, place) = try desk.store.removeAccount(
                input.address, deletesMailbox: input.deleteMailbox, note: input.note, by: author)
            guard let place, let failure = MailboxRemoval.remove(place) else { return applied }
            var answer = applied
            answer.warnings.append(
                Problem(
                    path: "account/\(input.address)", code: "account.mailbox-stays",
                    message: "the account is gone, but its mailbox \(place.path) could not be deleted: \(failure)",
                    arguments: [place.path, failure], isWarning: true))
            return answer
        }
    }

    private func change<M: ControlMethod>(
        _ method: M.Type, on server: ControlServer, domain: (@Sendable (M.Input) -> String)? = nil,
        address: (@Sendable (M.Input) -> String)? = nil,
        _ body: @escaping @Sendable (M.Input, Author) throws(ControlError) -> Applied
    ) where M.Output == Applied {
        let desk = desk
        server.on(method) { input, caller throws(ControlError) in
            try desk.needConfiguration()
            if let domain { try desk.gate.need([domain(input)], caller) }
            if let address { try desk.gate.need(address: address(input), caller) }
            let applied = try await desk.offload.run { () throws(ControlError) in
                try body(input, Desk.author(caller))
            }
            return await desk.inForce(applied, by: caller)
        }
    }
}
