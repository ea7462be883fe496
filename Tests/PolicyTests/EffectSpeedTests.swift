import MailModel
import Tables
import Testing

@testable import Policy

/// The rules of a large site cost what one rule costs: look-ups are indexed. Bounds are many times what is measured, so
/// that only a change of the order of growth breaks them.
@Suite("relay rules: speed") struct EffectSpeedTests {
    private static func table(_ count: Int) -> EffectTable {
        var lines = ["#<> default", "#blank false"]
        for number in 0..<count {
            switch number % 5 {
            case 0: lines.append("10.\(number / 250 % 250).\(number % 250).7 false")
            case 1: lines.append("198.18.\(number % 250).0/\(20 + number % 9) norelay")
            case 2: lines.append("domain\(number).example false")
            case 3: lines.append("user\(number)@domain.example default")
            default: lines.append("2001:db8:\(String(number, radix: 16))::/48 norelay")
            }
        }
        lines.append("*.*.*.* norelay")
        return EffectTable.read(lines.joined(separator: "\n")).value
    }

    private func time(_ table: EffectTable, rounds: Int) -> Duration {
        let session = SessionFacts(client: World.ip("203.0.113.9"))
        let settings = AcceptanceSettings()
        let sender = SenderFacts(path: World.path("taro@ext.example"))
        let recipient = RecipientFacts(address: World.address("a@in.example"), directory: .account())
        return ContinuousClock().measure {
            for _ in 0..<rounds {
                let decision = SenderPolicy.decide(sender, in: session, rules: table, settings: settings)
                let verdict = RecipientPolicy.decide(recipient, from: decision, in: session, settings: settings)
                if !verdict.isAccepted { Issue.record("\(verdict)") }
            }
        }
    }

    @Test func aThousandRulesCostLittleMoreThanOne() {
        let small = Self.table(0)
        let large = Self.table(1_000)
        _ = time(small, rounds: 200)
        // The best of some tries: the machine has other things to do too.
        let few = (0..<5).map { _ in time(small, rounds: 300) }.min() ?? .zero
        let many = (0..<5).map { _ in time(large, rounds: 300) }.min() ?? .zero
        #expect(many < few * 20, "\(few) with 3 rules, \(many) with 1,003")
        #expect(many < .seconds(1), "300 decisions")
    }

    @Test func readingALongFileTakesLinearTime() {
        func seconds(_ count: Int) -> Duration {
            (0..<3).map { _ in ContinuousClock().measure { _ = Self.table(count) } }.min() ?? .zero
        }
        let small = seconds(500)
        let large = seconds(4_000)
        // Eight times the lines; growth by the square would be 64 times.
        #expect(large < small * 40 + .milliseconds(500), "\(small) for 500 rules, \(large) for 4,000")
    }
}
