import MailModel
import Tables

/// The five matrices of spec file 06, part 3, as data. Row = class of the sender, column = class of the recipient.
package enum RelayMatrix: String, Hashable, Sendable, Codable, CaseIterable {
    /// No rule, or `default` (R-RELAY-41).
    case one = "I"
    /// `true` (R-RELAY-42).
    case two = "II"
    /// `false` (R-RELAY-43).
    case three = "III"
    /// `norelay` (R-RELAY-44).
    case four = "IV"
    /// `only`, for the source that it names (R-RELAY-45).
    case five = "V"
    /// `only`, for everybody else (R-RELAY-45).
    case fiveOthers = "V-others"

    package enum Cell: Hashable, Sendable, Codable {
        case allowed
        case denied
        /// ※1 of matrix IV: allowed for sessions with SMTP authentication.
        case authenticated
    }

    package func cell(from: AddressClass, to: AddressClass) -> Cell {
        let row = rows[Self.position(from)]
        switch Self.position(to) {
        case 0: return row.known
        case 1: return row.unknown
        default: return row.external
        }
    }

    private struct Row {
        let known: Cell
        let unknown: Cell
        let external: Cell
        init(_ known: Cell, _ unknown: Cell, _ external: Cell) {
            self.known = known
            self.unknown = unknown
            self.external = external
        }
    }

    private static func position(_ addressClass: AddressClass) -> Int {
        switch addressClass {
        case .internalKnown: 0
        case .internalUnknown: 1
        case .external: 2
        }
    }

    /// Rows Int+, Int−, Ext; columns Int+, Int−, Ext.
    private var rows: [Row] {
        switch self {
        case .one: Self.matrixI
        case .two: Self.matrixII
        case .three: Self.matrixIII
        case .four: Self.matrixIV
        case .five: Self.matrixV
        case .fiveOthers: Self.matrixVOthers
        }
    }

    private static let matrixI = [
        Row(.allowed, .denied, .allowed),
        Row(.denied, .denied, .denied),
        Row(.allowed, .denied, .denied),
    ]
    private static let matrixII = [
        Row(.allowed, .denied, .allowed),
        Row(.allowed, .denied, .allowed),
        Row(.allowed, .denied, .allowed),
    ]
    private static let matrixIII = [
        Row(.denied, .denied, .denied),
        Row(.denied, .denied, .denied),
        Row(.denied, .denied, .denied),
    ]
    private static let matrixIV = [
        Row(.allowed, .denied, .authenticated),
        Row(.denied, .denied, .denied),
        Row(.allowed, .denied, .authenticated),
    ]
    private static let matrixV = [
        Row(.allowed, .denied, .allowed),
        Row(.denied, .denied, .denied),
        Row(.allowed, .denied, .allowed),
    ]
    private static let matrixVOthers = [
        Row(.denied, .denied, .denied),
        Row(.denied, .denied, .denied),
        Row(.allowed, .denied, .denied),
    ]
}

/// Which matrix is in force for one transaction, and why.
package struct RelaySelection: Hashable, Sendable {
    package let matrix: RelayMatrix
    /// The rule that chose it; for `fiveOthers` the `only` that named somebody else; `nil`: nothing matched.
    package let rule: EffectTable.Rule?

    /// The first matching rule decides; without one matrix I, or the second part of matrix V when the table has an
    /// `only` (R-RELAY-07).
    package static func choose(_ table: EffectTable, client: IPAddress, sender: ReversePath) -> RelaySelection {
        RelaySelection(table, rule: table.firstMatch(client: client, sender: sender))
    }

    init(matrix: RelayMatrix, rule: EffectTable.Rule?) {
        self.matrix = matrix
        self.rule = rule
    }

    /// - Parameter rule: the one that matched; `nil`: none did.
    init(_ table: EffectTable, rule: EffectTable.Rule?) {
        matrix = rule.map { Self.matrix(of: $0.action) } ?? (table.hasOnly ? .fiveOthers : .one)
        self.rule = rule ?? table.onlyRule
    }

    private static func matrix(of action: EffectTable.Action) -> RelayMatrix {
        switch action {
        case .accept: .two
        case .standard: .one
        case .refuse: .three
        case .norelay, .norelayStrict, .norelayReserved, .norelayOpenReception: .four
        case .only: .five
        }
    }

    /// ※1 does not apply (R-RELAY-15).
    package var cancelsAuthentication: Bool { rule?.action == .norelayStrict && matrix == .four }
    /// Reception for local accounts needs no authentication (R-RELAY-14).
    package var opensReception: Bool { rule?.action == .norelayOpenReception && matrix == .four }

    /// Whether a recipient of class `to` is let in, before any other check.
    /// - Parameter isAuthenticated: with the rights of an account.
    package func allows(from: AddressClass, to: AddressClass, isAuthenticated: Bool) -> Bool {
        switch matrix.cell(from: from, to: to) {
        case .allowed: true
        case .denied: false
        case .authenticated: isAuthenticated && !cancelsAuthentication
        }
    }

    package var source: RuleSource { rule?.source ?? .builtIn("R-RELAY-06") }

    /// `rule '*.*.*.* norelay' (matrix IV)`
    package var finding: String {
        guard let rule else { return "no rule matches (matrix I)" }
        if matrix == .fiveOthers { return "no rule matches; '\(rule.text)' names another source (matrix V, others)" }
        return "rule '\(rule.text)' matches (matrix \(matrix.rawValue))"
    }
}
