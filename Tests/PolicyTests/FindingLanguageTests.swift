import Locale
import MailModel
import Policy
import Tables
import Testing

/// Whatever account control and aliases find is said in Japanese as well, by console and commands.
@Suite struct FindingLanguageTests {
    /// The catalogues of the source tree.
    private static let japanese: Texts? = {
        let top = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
        return CatalogueFiles.load(.japanese, from: [top + "/assets/locale"])
    }()

    private func check(_ steps: [TrailStep], _ checks: Set<String>) throws {
        let texts = try #require(Self.japanese)
        for step in steps {
            let said = texts.sentence(step.finding)
            #expect(said != step.finding, "\(step.check)")
            // What stands in a sentence is a sentence of its own: nothing of it stays English.
            for word in [" the ", " mail ", " list ", " is ", "cannot", "forwarded"] {
                #expect(!said.contains(word), "\(said)")
            }
        }
        #expect(Set(steps.map(\.check)) == checks, "every kind of step is among them")
    }

    @Test func ofAccountControl() throws {
        let account = MailAddress(localPart: "taro", domain: "in.example")
        let other = MailAddress(localPart: "boss", domain: "far.example")
        var steps: [TrailStep] = []
        func plan(
            _ text: String, from sender: String = "u@ext.example", _ targets: AccountControl.Targets = .none,
            permitted: [String] = [], wasAnswered: Bool = false, rewrites: Bool = false,
            _ change: (inout ControlledMail) -> Void = { _ in }
        ) {
            var mail = ControlledMail(sender: MailAddress(typed: sender).map { .address($0) } ?? .null)
            change(&mail)
            let control = AccountControl(
                settings: ControlSettings(ControlFile(octets: Array(text.utf8))), targets: targets,
                permitted: permitted.map { Wildcard($0) }, unanswered: [Wildcard("no@*")])
            steps +=
                AccountPlan(
                    account: account, control: control, mail: mail,
                    around: ControlSurroundings(
                        administrator: MailAddress(localPart: "admin", domain: "in.example"), wasAnswered: wasAnswered,
                        rewritesSenders: rewrites, isOperated: { $0 == "in.example" })
                ).steps
        }
        let reply = "[AutoReply]\n"
        let permit = "[AutoForward]\nPermitFrom=Yes\n"
        let discard = "[Delivery]\nDiscard=Yes\n"
        plan("[Control]\nEnabled=No\n")
        plan(discard, .addresses([other]))
        plan(discard, .addresses([account]))
        for why in ["the list /a holds no address", "the list /a cannot be read: X", "ForwardTo is no address"] {
            plan("", .unreadable(why))
        }
        plan("", from: "admin@in.example", .addresses([other]))
        plan("", .addresses([other])) { $0.loops = ["taro@in.example"] }
        plan(permit, .addresses([other]))
        plan(permit, .addresses([other]), permitted: ["*@ext.example"])
        plan("", .addresses([other]), rewrites: true)
        plan("[AutoForward]\nReportTo=None\nSizeLimit=0\nDeleteAttach=Yes\n", .addresses([other, account]))
        plan("[AutoForward]\nReportTo=a@b.example\nSizeLimit=9\n", .addresses([other]))
        for sender in ["u@ext.example", "<>", "owner-l@ext.example", "taro@in.example", "no@ext.example"] {
            plan(reply, from: sender)
        }
        plan(reply) { $0.isAutomatic = true }
        plan(reply) { $0.isBulk = true }
        plan(reply) { $0.isList = true }
        plan(reply, wasAnswered: true)
        try check(
            steps,
            [
                "control.enabled", "control.discard", "forward.list", "forward.administrator", "forward.loop",
                "forward.permit", "forward.self", "forward.to", "forward.attachments", "forward.size", "reply.silence",
                "reply.to",
            ])
    }

    @Test func ofAliases() throws {
        var world = AliasExpansionTests.World(
            accounts: ["taro@def.co.jp"],
            rules: [
                ("a@def.co.jp", "b@def.co.jp,1"), ("b@def.co.jp", "a@def.co.jp"), ("b@def.co.jp", "taro@def.co.jp,0"),
                ("b@def.co.jp", "x@ext.example"), ("b@def.co.jp", "nobody@abc.co.jp"),
                ("self@def.co.jp", "self@def.co.jp"),
            ])
        world.rules += (0..<12).map { ("n\($0)@def.co.jp", "n\($0 + 1)@def.co.jp") }
        let steps = try ["a@def.co.jp", "self@def.co.jp", "n0@def.co.jp"].flatMap { try world.expand($0).trail }
        try check(steps, ["alias.rule", "alias.target", "alias.end"])
    }
}
