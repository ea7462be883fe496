import MailModel
import Policy
import Tables
import Testing

/// Decisions under a draft against those in force.
@Suite struct ReplayTests {
    private static func mail(_ to: String, isExternal: Bool) -> ReplayedMail {
        ReplayedMail(
            session: SessionFacts(client: World.ip("203.0.113.9")),
            sender: SenderFacts(path: World.path("a@bad.example")),
            recipient: RecipientFacts(
                address: World.address(to), directory: isExternal ? .external : .account()))
    }

    @Test(
        "effects, worst first",
        arguments: [
            ("*.*.*.* norelay", "203.0.113.0/24", true, ReplayEffect.newlyRelayed),
            ("*.*.*.* norelay", "*.*.*.* false", false, .newlyRefused),
            ("203.0.113.9 false", "*.*.*.* norelay", false, .newlyAccepted),
            ("*.*.*.* norelay", "*.*.*.* false", true, .otherReply),
            ("*.*.*.* norelay", "*.*.*.* norelay,0", true, nil),
        ] as [(String, String, Bool, ReplayEffect?)])
    func effects(_ now: String, _ draft: String, _ isExternal: Bool, _ expected: ReplayEffect?) {
        let mail = Self.mail(isExternal ? "x@far.example" : "taro@in.example", isExternal: isExternal)
        let settings = AcceptanceSettings()
        let before = mail.verdict(EffectTable.read(now).value, settings)
        let after = mail.verdict(EffectTable.read(draft).value, settings)
        #expect(ReplayEffect(before: before, after: after, isExternal: isExternal) == expected)
    }

    @Test func relayedToTheOutsideIsTheWorst() {
        #expect(
            [ReplayEffect.otherReply, .newlyAccepted, .newlyRefused, .newlyRelayed].sorted().first == .newlyRelayed)
    }
}
