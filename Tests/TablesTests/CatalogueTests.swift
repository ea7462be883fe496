import Glibc
import MailModel
import Testing

@testable import Tables

/// The English sentences in the code and in the console's catalogue are one text, and each has its Japanese twin.
@Suite("problems in the catalogue")
struct CatalogueTests {
    /// Faulty texts that bring out every problem of every reader.
    static var problems: [TableProblem] {
        let effect = """
            a\tb
            a\u{3000}b
            a b c
            300.1.1.1
            a.example nothing
            a.example true
            a.example false
            *.*.*.*
            0.0.0.0/1
            1.2.3.4 norelay,1
            a@b.example only
            behind
            """
        let gateway =
            "one\n,gw,25\na,h|m|c,25\na,10.0.0.300\na,gw,0\nb.example,gw\nb.example,gw\n"
        let header = "X: %NOBODY%\n\nx\u{1}\n \(String(repeating: "x", count: 600))\n"
        let accounts =
            "x\n\tp\tT\u{1}\tbad..d\t\t2\t0\tx\ntaro\t*****\na\tp\na\tp\n"
        let hours = "1\n9,1,,\n1,9,,\n1,1,x,\n1,1,,\n1,1,,\n"
        return EffectTable.read(effect).problems + GatewayTable.read(gateway).problems
            + HeaderTemplate.read(header).problems + AccountTSV.read(accounts).problems
            + UseTime.read(TableText(hours)).problems + IPPatternList.read(TableText("host")).problems
            + LockTable.read(TableText("host"), kind: .address).problems
            + RecipientRestriction.read(TableText("a@b,9\nnobody\n")).problems
    }

    @Test func everySentenceIsThereInBothLanguages() throws {
        let english = try catalogue("en")
        let japanese = try catalogue("ja")
        let found = Self.problems
        for problem in found {
            var sentence = english[problem.code] ?? "(missing)"
            for (index, argument) in problem.arguments.enumerated() {
                sentence = sentence.split(separator: "{\(index)}", omittingEmptySubsequences: false)
                    .joined(separator: argument)
            }
            #expect(sentence == problem.message, "\(problem.code)")
            #expect(japanese[problem.code]?.isEmpty == false, "\(problem.code)")
        }
        let named = Set(english.keys.filter { $0.hasPrefix("table.") && Self.prefixes.contains(Self.prefix($0)) })
        #expect(named == Set(found.map(\.code)), "each catalogue entry is a problem that can happen")
    }

    private static let prefixes: Set = [
        "table.account", "table.effect", "table.gateway", "table.header", "table.ip", "table.lock", "table.sender",
        "table.usetime",
    ]

    private static func prefix(_ key: String) -> String {
        key.split(separator: ".").prefix(2).joined(separator: ".")
    }

    /// The one-line entries of a catalogue.
    private func catalogue(_ language: String) throws -> [String: String] {
        let tests = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
        let path = "\(tests)/assets/locale/\(language).po"
        let file = try #require(fopen(path, "r"), "\(path)")
        defer { fclose(file) }
        var octets: [UInt8] = []
        while case let octet = fgetc(file), octet != EOF { octets.append(UInt8(truncatingIfNeeded: octet)) }
        var out: [String: String] = [:]
        var key: String?
        for line in TableText(octets: octets).lines {
            if line.hasPrefix("msgid \"") {
                key = String(line.dropFirst(7).dropLast())
            } else if line.hasPrefix("msgstr \""), let name = key {
                out[name] = String(line.dropFirst(8).dropLast())
            }
        }
        return out
    }
}
