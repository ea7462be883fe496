import MailModel

/// Accounts as tab-separated text for import and export (R-ACC-46 to 50): eight columns, or ten as the vendor's larger
/// product writes them; one account a line, no header line.
package enum AccountTSV {
    package struct Row: Hashable, Sendable {
        /// Line of the file, from 1; 0 for rows to be written.
        package var line: Int
        package var account: String
        /// Clear text, or `{SCHEME}…`.
        package var password: String
        package var fullName: String
        package var domain: String
        package var home: String
        package var usesSMTPAuth: Bool
        package var usesAPOP: Bool
        /// Octets; 0 = no limit.
        package var mailboxLimit: Int64

        package init(
            line: Int = 0, account: String, password: String, fullName: String = "", domain: String = "",
            home: String = "", usesSMTPAuth: Bool = false, usesAPOP: Bool = false, mailboxLimit: Int64 = 0
        ) {
            self.line = line
            self.account = account
            self.password = password
            self.fullName = fullName
            self.domain = domain
            self.home = home
            self.usesSMTPAuth = usesSMTPAuth
            self.usesAPOP = usesAPOP
            self.mailboxLimit = mailboxLimit
        }
    }

    package enum Column: Int, Hashable, Sendable, CaseIterable {
        case account = 1
        case password, fullName, domain, home, smtpAuth, apop, limit
    }

    /// Faulty lines give no row; each problem names line and column. Empty lines are left out.
    /// - Parameter needsPassword: else it may be empty or masked, for accounts that keep theirs.
    package static func read(_ text: TableText, needsPassword: Bool = true) -> TableReading<[Row]> {
        var rows: [Row] = []
        var problems: [TableProblem] = []
        var seen: [String: Int] = [:]
        for (index, line) in text.lines.enumerated() where !line.trimmingBlanks().isEmpty {
            let (row, faults) = parse(line, number: index + 1, needsPassword: needsPassword)
            problems += faults
            guard let row else { continue }
            let key = "\(row.account.lowercased())@\(row.domain.lowercased())"
            if let earlier = seen[key] {
                problems.append(
                    problem(
                        index + 1, line, .account, "twice", [String(earlier)],
                        "The account stands in line \(earlier) already.", isWarning: true))
            }
            seen[key] = index + 1
            rows.append(row)
        }
        return TableReading(value: rows, problems: problems)
    }

    package static func read(_ text: String) -> TableReading<[Row]> { read(TableText(text)) }

    private static func parse(_ line: String, number: Int, needsPassword: Bool) -> (Row?, [TableProblem]) {
        let fields = line.utf8.split(separator: 0x09, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        func field(_ column: Column) -> String { column.rawValue <= fields.count ? fields[column.rawValue - 1] : "" }
        var faults: [TableProblem] = []
        func fault(_ column: Column, _ code: String, _ message: String) {
            faults.append(problem(number, line, column, code, [TableText.shown(field(column))], message))
        }
        if fields.count < 2 {
            fault(.password, "columns", "Columns are separated by TABs; account and password are required.")
        }
        if !MailAddress.isAccountName(field(.account)) {
            fault(
                .account, "account",
                "An account name is 1 to 64 letters, digits, dots, or _ - +, without a dot at an end.")
        }
        let isKept = !needsPassword && ["", "*****"].contains(field(.password))
        if fields.count >= 2, !isKept, !isSecret(field(.password)) {
            fault(.password, "password", "The password is missing, masked, or holds a control character.")
        }
        let domain = field(.domain).trimmingBlanks()
        if !domain.isEmpty, !MailAddress.isPlainDomain(domain) {
            fault(.domain, "domain", "The domain name is malformed.")
        }
        for column in [Column.fullName, .home] where field(column).unicodeScalars.contains(where: isControl) {
            fault(column, "control", "The field holds a control character.")
        }
        let smtpAuth = flag(field(.smtpAuth))
        if smtpAuth == nil { fault(.smtpAuth, "flag", "The flag is 0 or 1.") }
        let apop = flag(field(.apop))
        if apop == nil { fault(.apop, "flag", "The flag is 0 or 1.") }
        let limit = size(field(.limit))
        if limit == nil { fault(.limit, "limit", "The limit is a number of octets, 0 for none.") }
        guard faults.isEmpty, let smtpAuth, let apop, let limit else { return (nil, faults) }
        let row = Row(
            line: number, account: field(.account), password: field(.password), fullName: field(.fullName),
            domain: domain, home: field(.home), usesSMTPAuth: smtpAuth, usesAPOP: apop, mailboxLimit: limit)
        return (row, [])
    }

    /// A field of its own may hold neither TAB nor line end, so what cannot be written is refused at entry; here it
    /// becomes a blank.
    package static func write(_ rows: some Sequence<Row>) -> String {
        var out = ""
        for row in rows {
            let fields = [
                row.account, row.password, row.fullName, row.domain, row.home, row.usesSMTPAuth ? "1" : "0",
                row.usesAPOP ? "1" : "0", String(row.mailboxLimit),
            ]
            out += fields.map(cleaned).joined(separator: "\t") + "\n"
        }
        return out
    }

    private static func cleaned(_ field: String) -> String {
        guard field.unicodeScalars.contains(where: isControl) else { return field }
        return String(String.UnicodeScalarView(field.unicodeScalars.map { isControl($0) ? " " : $0 }))
    }

    private static func isControl(_ scalar: UnicodeScalar) -> Bool { scalar.value < 0x20 || scalar.value == 0x7F }

    /// `*****` is what the original writes for accounts whose password it doesn't know.
    private static func isSecret(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 1024 && text != "*****" && !text.unicodeScalars.contains(where: isControl)
    }

    private static func flag(_ text: String) -> Bool? {
        switch text.trimmingBlanks() {
        case "", "0": false
        case "1": true
        default: nil
        }
    }

    private static func size(_ text: String) -> Int64? {
        let digits = text.trimmingBlanks()
        if digits.isEmpty { return 0 }
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int64(digits)
    }

    private static func problem(
        _ line: Int, _ text: String, _ column: Column, _ code: String, _ arguments: [String], _ message: String,
        isWarning: Bool = false
    ) -> TableProblem {
        // The second column is a secret: the line is shown without it.
        let shown = text.split(separator: "\t", omittingEmptySubsequences: false).enumerated()
            .map { $0.offset == 1 ? "…" : String($0.element) }.joined(separator: " ⇥ ")
        return TableProblem(
            line: line, column: column.rawValue, text: TableText.shown(shown), code: "table.account.\(code)",
            arguments: column == .password ? [] : arguments, message: message, isWarning: isWarning)
    }
}
