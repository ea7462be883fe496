import MailModel
import Policy
import Tables
import Testing

@Suite struct AccountPlanTests {
    static let account = MailAddress(localPart: "taro", domain: "in.example")
    static let administrator = MailAddress(localPart: "admin", domain: "in.example")

    private func plan(
        _ text: String, from sender: String = "u@ext.example", permitted: [String] = [], unanswered: [String] = [],
        targets: AccountControl.Targets? = nil, wasAnswered: Bool = false, rewrites: Bool = false,
        mail change: (inout ControlledMail) -> Void = { _ in }
    ) -> AccountPlan {
        let settings = ControlSettings(ControlFile(octets: Array(text.utf8)))
        let found = MailAddress(typed: settings.forwardTo).map { AccountControl.Targets.addresses([$0]) } ?? .none
        var mail = ControlledMail(sender: MailAddress(typed: sender).map { .address($0) } ?? .null)
        change(&mail)
        return AccountPlan(
            account: Self.account,
            control: AccountControl(
                settings: settings, targets: targets ?? found, permitted: permitted.map { Wildcard($0) },
                unanswered: unanswered.map { Wildcard($0) }),
            mail: mail,
            around: ControlSurroundings(
                administrator: Self.administrator, wasAnswered: wasAnswered, rewritesSenders: rewrites,
                isOperated: { $0 == "in.example" }))
    }

    static let forward = "[AutoForward]\nForwardTo=abc@def.co.jp\n"
    static let discard = "[Delivery]\nDiscard=Yes\n"

    /// R-CTL-08 to R-CTL-15; spec file 11, part 5, vectors 1 to 9: control file, sender, PERMITFROM.TXT; stored, envelope sender.
    static let vectors: [(String, String, [String], Bool, AccountPlan.Forward.Sender?)] = [
        (forward + discard, "u@ext.example", [], false, .kept),
        (forward, "u@ext.example", [], true, .kept),
        (forward + "PermitFrom=Yes\n", "other@ext.example", ["ok@ext.example"], true, nil),
        (forward + "PermitFrom=Yes\n" + discard, "OK@ext.example", ["ok@*"], false, .kept),
        (forward + "ReportTo=None\n", "u@ext.example", [], true, .null),
        (forward + "ReportTo=Admin\n", "u@ext.example", [], true, .address(administrator)),
        (
            forward + "ReportTo=x@y.example\n", "u@ext.example", [], true,
            .address(MailAddress(localPart: "x", domain: "y.example"))
        ),
        (forward + discard, "Admin@in.example", [], true, nil),
        (forward + "[Control]\nEnabled=No\n" + discard, "u@ext.example", [], true, nil),
        (forward + discard, "<>", [], false, .null),
    ]

    @Test(arguments: vectors.indices) func vectorOfTheSpecification(_ index: Int) {
        let (text, sender, permitted, stores, expected) = Self.vectors[index]
        let plan = plan(text, from: sender, permitted: permitted)
        #expect(plan.stores == stores)
        #expect(plan.forwards.map(\.sender) == (expected.map { [$0] } ?? []))
        #expect(!plan.steps.isEmpty)
    }

    /// R-CTL-15 to R-CTL-17
    @Test func whatCannotBeForwardedIsKept() {
        let text = Self.forward + Self.discard
        #expect(plan(text, targets: .unreadable("gone")).stores)
        #expect(plan(text, targets: .addresses([Self.account])).stores)
        let looped = plan(text) { $0.loops = ["TARO@in.example"] }
        #expect(looped.stores && looped.forwards.isEmpty)
        #expect(plan(text) { $0.loops = ["other@in.example"] }.forwards.count == 1)
    }

    /// SRS only where SPF would break: a foreign sender to a foreign domain.
    @Test func sendersAreRewrittenOutsideOnly() {
        let targets = AccountControl.Targets.addresses([
            MailAddress(localPart: "a", domain: "far.example"), MailAddress(localPart: "b", domain: "in.example"),
        ])
        let foreign = plan(Self.forward, targets: targets, rewrites: true)
        #expect(foreign.forwards.map(\.sender) == [.rewritten, .kept])
        #expect(foreign.forwards.map(\.recipients.count) == [1, 1])
        #expect(
            plan(Self.forward, from: "h@in.example", targets: targets, rewrites: true).forwards.map(\.sender) == [.kept]
        )
    }

    /// RFC 3834, R-CTL-20, R-CTL-31 to R-CTL-33: what is answered and what is not; R-CTL-22, R-CTL-23: from whom, to
    /// whom.
    @Test func silence() {
        let text = "[AutoReply]\nSubject=away\n"
        let answer = plan(text).answer
        #expect(answer?.to.text == "u@ext.example" && answer?.from == Self.account)
        for sender in [
            "<>", "MAILER-DAEMON@ext.example", "postmaster@ext.example", "owner-l@ext.example", "l-request@ext.example",
            "Taro@in.example",
        ] {
            #expect(plan(text, from: sender).answer == nil, "\(sender)")
        }
        #expect(plan(text) { $0.isAutomatic = true }.answer == nil)
        #expect(plan(text) { $0.isBulk = true }.answer == nil)
        #expect(plan(text) { $0.isList = true }.answer == nil)
        #expect(plan(text, unanswered: ["*@EXT.example"]).answer == nil)
        let list = MailAddress(localPart: "list", domain: "l.example")
        #expect(plan(text, unanswered: ["list@l.example"]) { $0.addressed = [list] }.answer == nil)
        #expect(plan(text, wasAnswered: true).answer == nil)
        #expect(plan("[AutoReply]\nEnabled=No\n").answer == nil)
        let other = plan(text + "ReplyFrom=desk@in.example\nReplyTo=log@in.example\n").answer
        #expect(other?.from.text == "desk@in.example" && other?.to.text == "log@in.example")
        // Both together (R-CTL-32).
        let both = plan(text + Self.forward)
        #expect(both.answer != nil && both.forwards.count == 1 && both.stores)
    }
}
