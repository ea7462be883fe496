import MailModel
import Policy
import Tables
import Testing

@Suite struct AliasExpansionTests {
    struct World: AliasSource {
        var operated: Set<String> = ["def.co.jp", "abc.co.jp"]
        var accounts: Set<String> = []
        var rules: [(String, String)] = []

        func isOperated(domain: String) throws(Never) -> Bool { operated.contains(domain.lowercased()) }
        func rules(for address: MailAddress) throws(Never) -> [AliasRule] {
            rules.compactMap { try? AliasRule.read(alias: $0.0, target: $0.1).get() }
                .filter { $0.alias.folded == address.folded }
        }
        func wildcards(of domain: String) throws(Never) -> [AliasRule] {
            rules(for: MailAddress(localPart: "*", domain: domain))
        }
        func exists(_ address: MailAddress) throws(Never) -> Bool { accounts.contains(address.folded.text) }

        func expand(_ text: String) throws -> AliasExpansion {
            AliasExpansion.expand(try #require(MailAddress(typed: text)), in: self, explain: true)
        }
        /// `real=envelope` of each target, then `!address` of each dead end.
        func outcome(_ text: String) throws -> [String] {
            let expansion = try expand(text)
            return expansion.targets.map { "\($0.address.text)=\($0.envelope.text)" }
                + expansion.dead.map { "!\($0.address.text) \($0.fault)" }
        }
    }

    /// R-ALIAS-01 to R-ALIAS-09, the examples of spec file 09, part 2; `def-info`, `info@abc.co.jp` and so on are accounts.
    static let examples: [(String, String, String, String)] = [
        ("info@def.co.jp", "def-info@def.co.jp,1", "info@def.co.jp", "def-info@def.co.jp=def-info@def.co.jp"),
        ("info@def.co.jp", "info@abc.co.jp,1", "info@def.co.jp", "info@abc.co.jp=info@abc.co.jp"),
        ("info@def.co.jp", "info@abc.co.jp,0", "info@def.co.jp", "info@abc.co.jp=info@def.co.jp"),
        ("*@def.co.jp", "*@abc.co.jp,1", "sales@def.co.jp", "sales@abc.co.jp=sales@abc.co.jp"),
        ("info@abc.co.jp", "abc-info@abc.co.jp", "info@abc.co.jp", "abc-info@abc.co.jp=info@abc.co.jp"),
        ("info@abc.co.jp", "boss@ext.example", "INFO@ABC.co.jp", "boss@ext.example=boss@ext.example"),
        ("*@def.co.jp", "all@abc.co.jp,0", "nobody@def.co.jp", "all@abc.co.jp=nobody@def.co.jp"),
    ]

    @Test(arguments: examples.indices) func exampleOfTheManual(_ index: Int) throws {
        let (alias, target, address, expected) = Self.examples[index]
        let world = World(
            accounts: [
                "def-info@def.co.jp", "abc-info@abc.co.jp", "sales@abc.co.jp", "all@abc.co.jp", "info@abc.co.jp",
            ],
            rules: [(alias, target)])
        #expect(try world.outcome(address) == [expected])
    }

    /// What is staged is judged before it is applied, and which of it counted is told.
    @Test func editsThatAreNotMadeYetAreFollowed() throws {
        let world = World(
            accounts: ["taro@def.co.jp", "hanako@def.co.jp"],
            rules: [("info@def.co.jp", "taro@def.co.jp"), ("*@def.co.jp", "taro@def.co.jp")])
        func address(_ text: String) throws -> MailAddress { try #require(MailAddress(typed: text)) }
        func edited(_ edits: [String: [String]]) throws -> EditedAliases<World> {
            var rules: [MailAddress: [AliasRule]] = [:]
            for (alias, targets) in edits {
                rules[try address(alias)] = try targets.map { try AliasRule.read(alias: alias, target: $0).get() }
            }
            return EditedAliases(world, edits: rules)
        }
        let moved = try edited(["info@def.co.jp": ["hanako@def.co.jp"], "sales@def.co.jp": ["taro@def.co.jp"]])
        let found = AliasExpansion.expand(try address("INFO@def.co.jp"), in: moved)
        #expect(found.targets.map(\.address.text) == ["hanako@def.co.jp"])
        #expect(moved.met.map(\.text) == ["info@def.co.jp"])
        let gone = try edited(["info@def.co.jp": [], "*@def.co.jp": []])
        let nobody = AliasExpansion.expand(try address("info@def.co.jp"), in: gone)
        #expect(nobody.targets.isEmpty && nobody.dead.map(\.fault) == [.unknown])
        #expect(gone.met.count == 2)
        let other = try edited(["sales@def.co.jp": ["taro@def.co.jp"]])
        #expect(AliasExpansion.expand(try address("info@def.co.jp"), in: other).targets.count == 1)
        #expect(other.met.isEmpty)
    }

    /// R-ALIAS-14: exact alias, account, wildcard.
    @Test func wildcardTakesOnlyWhatNobodyHas() throws {
        let world = World(
            accounts: ["taro@def.co.jp", "info@def.co.jp", "all@def.co.jp"],
            rules: [("*@def.co.jp", "all@def.co.jp"), ("info@def.co.jp", "taro@def.co.jp,1")])
        #expect(try world.outcome("taro@def.co.jp") == ["taro@def.co.jp=taro@def.co.jp"])
        #expect(try world.outcome("info@def.co.jp") == ["taro@def.co.jp=taro@def.co.jp"])
        #expect(try world.outcome("else@def.co.jp") == ["all@def.co.jp=else@def.co.jp"])
        #expect(try world.outcome("x@abc.co.jp") == ["!x@abc.co.jp unknown"])
        #expect(try world.outcome("x@ext.example") == ["x@ext.example=x@ext.example"])
    }

    /// R-ALIAS-16
    @Test func severalTargetsAndChainsDeliverOnce() throws {
        let world = World(
            accounts: ["taro@def.co.jp", "hanako@def.co.jp"],
            rules: [
                ("team@def.co.jp", "taro@def.co.jp"), ("team@def.co.jp", "more@def.co.jp"),
                ("more@def.co.jp", "hanako@def.co.jp"), ("more@def.co.jp", "TARO@def.co.jp"),
                ("more@def.co.jp", "gone@def.co.jp"),
            ])
        #expect(
            try world.outcome("team@def.co.jp") == [
                "taro@def.co.jp=team@def.co.jp", "hanako@def.co.jp=team@def.co.jp", "!gone@def.co.jp unknown",
            ])
        #expect(try world.expand("team@def.co.jp").trail.count > 5)
    }

    @Test func loopEndsAndSaysSo() throws {
        let circle = World(rules: [
            ("a@def.co.jp", "b@abc.co.jp"), ("b@abc.co.jp", "c@def.co.jp"), ("c@def.co.jp", "a@def.co.jp"),
            ("d@def.co.jp", "d@def.co.jp"), ("*@abc.co.jp", "*@def.co.jp"), ("*@def.co.jp", "*@abc.co.jp"),
        ])
        #expect(try circle.outcome("a@def.co.jp") == ["!a@def.co.jp loop"])
        #expect(try circle.outcome("d@def.co.jp") == ["!d@def.co.jp loop"])
        #expect(try circle.outcome("x@abc.co.jp") == ["!x@abc.co.jp loop"])
    }

    /// `info -> info, boss` keeps a copy.
    @Test func aliasToItselfMeansTheAccount() throws {
        let world = World(
            accounts: ["info@def.co.jp"],
            rules: [("info@def.co.jp", "info@def.co.jp"), ("info@def.co.jp", "boss@ext.example")])
        #expect(
            try world.outcome("info@def.co.jp") == [
                "info@def.co.jp=info@def.co.jp", "boss@ext.example=boss@ext.example",
            ])
    }

    @Test(arguments: [(9, true), (10, true), (11, false)]) func chainHasALimit(_ length: Int, _ arrives: Bool) throws {
        var world = World(accounts: ["end@def.co.jp"])
        for step in 0..<length {
            world.rules.append(
                ("n\(step)@def.co.jp", step == length - 1 ? "end@def.co.jp" : "n\(step + 1)@def.co.jp"))
        }
        let expansion = try world.expand("n0@def.co.jp")
        #expect(expansion.targets.count == (arrives ? 1 : 0))
        #expect(expansion.dead.map(\.fault) == (arrives ? [] : [.tooLong]))
    }

    /// Every alias leads to every other one: the work grows with the rules, not with the ways through them.
    @Test func webOfAliasesCostsEachOnce() throws {
        var world = World(accounts: ["end@def.co.jp"])
        for one in 0..<9 {
            for other in 0..<9 where other != one { world.rules.append(("n\(one)@def.co.jp", "n\(other)@def.co.jp")) }
            world.rules.append(("n\(one)@def.co.jp", "end@def.co.jp"))
        }
        let expansion = try world.expand("n0@def.co.jp")
        #expect(expansion.targets.map(\.address.text) == ["end@def.co.jp"])
        #expect(expansion.dead.count < 100)
    }
}
