import MailModel
import Tables
import Testing

@Suite struct AliasRuleTests {
    /// R-ALIAS-12, R-ALIAS-13: alias, real address, and whether the pair is one.
    static let pairs: [(String, String, AliasRule.Fault?)] = [
        ("info", "abc-info", .alias), ("info", "abc-info@abc.co.jp", .alias),
        ("info@abc.co.jp", "abc-info", .target), ("info@abc.co.jp", "abc-info@abc.co.jp", nil),
        ("*@abc.co.jp", "*@def.co.jp,1", nil), ("*@abc.co.jp", "abc-postmaster@abc.co.jp", nil),
        ("in*@abc.co.jp", "x@abc.co.jp", .wildcard), ("info@abc.co.jp", "x*@abc.co.jp", .wildcard),
        ("info@*.jp", "x@abc.co.jp", .alias), ("info@abc.co.jp", "x@abc.co.jp,2", .option),
        ("info@abc.co.jp", "x@abc.co.jp,", .option), ("info@abc.co.jp", " x@abc.co.jp , 0 ", nil),
        ("a b@abc.co.jp", "x@abc.co.jp", .alias), ("info@abc.co.jp", "x@abc.co.jp\nDATA", .target),
    ]

    @Test(arguments: pairs.indices) func pairIsReadOrSaysWhy(_ index: Int) {
        let (alias, target, fault) = Self.pairs[index]
        switch AliasRule.read(alias: alias, target: target) {
        case .success(let rule):
            #expect(fault == nil, "\(alias) \(target)")
            #expect(AliasRule.read(alias: rule.alias.text, target: rule.targetText) == .success(rule))
        case .failure(let failure): #expect(failure.fault == fault, "\(alias) \(target)")
        }
    }

    /// R-ALIAS-18
    @Test func fileIsReadAndWritten() {
        let text =
            "info@abc.co.jp\tabc-info@abc.co.jp\r\n\r\n*@def.co.jp\t*@abc.co.jp,1\r\nx@def.co.jp\ty@abc.co.jp,0\r\n"
        let reading = AliasTSV.read(TableText(text))
        #expect(reading.problems.isEmpty)
        #expect(reading.value.map(\.line) == [1, 3, 4])
        #expect(
            AliasTSV.write(reading.value.map(\.rule))
                == "info@abc.co.jp\tabc-info@abc.co.jp\n*@def.co.jp\t*@abc.co.jp,1\nx@def.co.jp\ty@abc.co.jp,0\n")
    }

    @Test func faultNamesLineAndColumn() {
        let reading = AliasTSV.read(
            TableText("a@x.example\tb@x.example\nonly\na@x.example\tno\nA@X.example\tB@x.example\n"))
        #expect(reading.problems.map(\.line) == [2, 3, 4])
        #expect(reading.problems.map(\.column) == [1, 2, 1])
        #expect(reading.problems.map(\.isWarning) == [false, false, true])
        #expect(reading.value.count == 1)
    }
}
