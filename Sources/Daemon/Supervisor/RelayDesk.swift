import Control
import ControlServer
import MailModel
import MessageFormat
import Policy
import Store
import Tables

/// org.epost.Policy.Relay: what effect.dat, in force or tried, comes to.
struct RelayDesk: Sendable {
    private let directory: any Directory
    private let rules: @Sendable () -> EffectTable

    init(directory: any Directory, rules: @escaping @Sendable () -> EffectTable) {
        self.directory = directory
        self.rules = rules
    }

    func register(on server: ControlServer) {
        server.on(PolicyInterface.Relay.self) { input, _ throws(ControlError) in try relay(input) }
    }

    private func relay(_ input: PolicyInterface.Relay.Input) throws(ControlError) -> PolicyInterface.Relay.Output {
        var client: IPAddress?
        if let text = input.client {
            client = IPAddress(text)
            if client == nil { throw PolicyDesk.refused("client", text, "an IPv4 or IPv6 address") }
        }
        let reading = input.effect.map { EffectTable.read($0) }
        let table = reading?.value ?? rules()
        let problems = reading?.problems ?? EffectTable.read(table.lines).problems
        let domains: [String]
        do {
            domains = try directory.domains().map(\.name)
        } catch {
            throw ControlError(
                .failed, code: "store.failed", "The directory cannot be read: \(error.detail)",
                arguments: [error.detail])
        }
        func grid(_ subject: RelayView.Subject) -> RelayGrid {
            Self.grid(RelayView(subject, table: table, operatedDomains: domains))
        }
        return .init(
            client: client.map { grid(.client($0)) }, others: grid(.everybodyElse(isIPv6: false)),
            othersIPv6: grid(.everybodyElse(isIPv6: true)),
            problems: TableProblems.translated(problems, file: EffectTable.fileName))
    }

    /// Sender rules named in one cell at most; automatic entries make files of thousands of lines.
    private static let exceptionsShown = 20

    static func grid(_ view: RelayView) -> RelayGrid {
        var client = ""
        if case .client(let address) = view.subject { client = address.description }
        return RelayGrid(
            client: client, matrix: view.selection.matrix.rawValue, rule: view.selection.rule.map(rule),
            exposure: word(view.exposure),
            cells: view.cells.map { cell in
                RelayGrid.Cell(
                    from: cell.from.rawValue, to: cell.to.rawValue, allowed: cell.allowed,
                    allowedWithAuthentication: cell.allowedWithAuthentication, reason: cell.reason.rawValue,
                    source: cell.source.text, exceptions: cell.exceptions.prefix(exceptionsShown).map(rule))
            })
    }

    private static func rule(_ rule: EffectTable.Rule) -> RelayGrid.Rule {
        RelayGrid.Rule(line: rule.line, text: DisplayText.clean(rule.text, limit: 200))
    }

    private static func word(_ exposure: RelayView.Exposure) -> String {
        switch exposure {
        case .none: "none"
        case .forgedSenders: "forged-senders"
        case .everybody: "everybody"
        }
    }
}
