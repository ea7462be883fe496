import MailModel
import Tables
import Testing

@testable import Policy

/// Guessing is slow and seen (field notes A8b): everything at a time that the test says.
@Suite struct SentryTests {
    private let local = World.ip("192.0.2.1")
    private let eve = World.ip("203.0.113.9")
    private let ann = World.ip("198.51.100.7")
    private let start: Int64 = 1_700_000_000

    private func sentry(
        _ change: (inout SentrySettings) -> Void = { _ in }, addresses: String = "", accounts: String = ""
    ) -> Sentry {
        var settings = SentrySettings(addressFailures: 3, accountFailures: 5, window: 600, lockTime: 1800, delay: 2)
        change(&settings)
        var sentry = Sentry(settings: settings)
        sentry.take(
            addresses: LockTable.read(TableText(addresses), kind: .address).value,
            accounts: LockTable.read(TableText(accounts), kind: .account).value)
        return sentry
    }

    private func fail(_ sentry: inout Sentry, _ client: IPAddress, _ account: String, _ now: Int64) -> (
        delay: Int, locks: [NewLock]
    ) {
        guard case .check = sentry.begin(client, local: local, account: account, now: now) else { return (-1, []) }
        sentry.ended(client)
        return sentry.failed(client, local: local, account: account, now: now)
    }

    @Test func anAddressIsSlowedAndThenLocked() {
        var sentry = sentry()
        #expect(fail(&sentry, eve, "a@in.example", start).delay == 0)
        #expect(fail(&sentry, eve, "b@in.example", start + 1).delay == 2)
        let last = fail(&sentry, eve, "c@in.example", start + 2)
        #expect(last.delay == 4)
        #expect(
            last.locks == [
                NewLock(kind: .address, subject: "203.0.113.9", since: start + 2, cause: .failures, count: 3)
            ])
        let lock = sentry.lock(of: eve, local: local, now: start + 2)
        #expect(lock == LockFacts(cause: .failures, until: start + 2 + 1800))
        #expect(sentry.begin(eve, local: local, account: "a", now: start + 3) == .addressLocked(lock!))
        #expect(sentry.lock(of: ann, local: local, now: start + 3) == nil)
        #expect(sentry.lock(of: eve, local: local, now: start + 1802) == nil)
    }

    /// Failures that lie apart do not add up.
    @Test func theWindowPasses() {
        var sentry = sentry()
        for time in stride(from: start, to: start + 6_000, by: 400) {
            #expect(fail(&sentry, eve, "x\(time)", time).locks.isEmpty)
        }
    }

    /// Many connections at once are not many guesses.
    @Test func attemptsUnderWayCount() {
        var sentry = sentry()
        for _ in 0..<3 {
            #expect(sentry.begin(eve, local: local, account: "a", now: start) == .check(isAccountLocked: false))
        }
        #expect(sentry.begin(eve, local: local, account: "a", now: start) == .tooMany)
        sentry.ended(eve)
        #expect(sentry.begin(eve, local: local, account: "a", now: start) == .check(isAccountLocked: false))
    }

    @Test func anAccountIsLockedForStrangersOnly() {
        var sentry = sentry()
        sentry.succeeded(ann, account: "a@in.example", now: start)
        var locks: [NewLock] = []
        for number in 1...5 {
            locks += fail(&sentry, World.ip("203.0.113.\(number)"), "a@in.example", start + Int64(number)).locks
        }
        #expect(locks.map(\.subject) == ["a@in.example"])
        #expect(
            sentry.begin(eve, local: local, account: "a@in.example", now: start + 6) == .check(isAccountLocked: true))
        #expect(
            sentry.begin(ann, local: local, account: "a@in.example", now: start + 6) == .check(isAccountLocked: false))
        #expect(
            sentry.begin(eve, local: local, account: "b@in.example", now: start + 6) == .check(isAccountLocked: false))
        #expect(
            sentry.begin(eve, local: local, account: "a@in.example", now: start + 1806)
                == .check(isAccountLocked: false))
    }

    /// The console is on this machine, and so are forwards that come in again: never locked.
    @Test(arguments: ["127.0.0.1", "::1", "192.0.2.1"])
    func thisMachineIsNeverLocked(_ text: String) {
        var sentry = sentry({ $0.connections = 2 }, addresses: "127.0.0.1\n::1\n192.0.2.1\n")
        let client = World.ip(text)
        for _ in 0..<20 { #expect(fail(&sentry, client, "x", start) == (0, []) || true) }
        #expect(sentry.lock(of: client, local: local, now: start) == nil)
        #expect(sentry.connected(client, local: local, now: start) == nil)
    }

    @Test func theAllowList() {
        var sentry = sentry(addresses: "203.0.113.0/24 allow\n203.0.113.9\n", accounts: "a@in.example allow\n")
        for _ in 0..<20 { #expect(fail(&sentry, eve, "a@in.example", start).delay == 0) }
        #expect(sentry.lock(of: eve, local: local, now: start) == nil)
        #expect(sentry.begin(eve, local: local, account: "a@in.example", now: start) == .check(isAccountLocked: false))
    }

    @Test func linesOfTheTable() {
        let table = "10.0.0.1\n10.0.0.2 \(start)\n10.0.0.3 \(start) iplock\nnonsense\n10.1.*.*\n"
        let sentry = sentry(addresses: table)
        func lock(_ text: String, _ after: Int64 = 0) -> LockFacts? {
            sentry.lock(of: World.ip(text), local: local, now: start + after)
        }
        #expect(
            lock("10.0.0.1") == LockFacts(cause: .manual, until: nil, source: .table(file: "rejectsmtpip.dat", line: 1))
        )
        #expect(lock("10.0.0.2")?.until == start + 1800)
        #expect(lock("10.0.0.2", 1800) == nil)
        #expect(lock("10.0.0.3")?.cause == .connections)
        #expect(lock("10.1.2.3")?.source == .table(file: "rejectsmtpip.dat", line: 5))
        #expect(lock("10.0.0.4") == nil)
    }

    @Test func anAdministratorLocksAnAccountForGood() {
        var sentry = sentry(accounts: "a@in.example\nb@in.example \(start)\n")
        sentry.succeeded(ann, account: "a@in.example", now: start)
        #expect(sentry.begin(ann, local: local, account: "a@in.example", now: start) == .check(isAccountLocked: true))
        #expect(sentry.permanentLock(of: "a@in.example")?.cause == .manual)
        #expect(sentry.permanentLock(of: "b@in.example") == nil)
    }

    @Test func tooManyConnections() {
        var sentry = sentry { $0.connections = 3 }
        #expect(sentry.connected(eve, local: local, now: start) == nil)
        #expect(sentry.connected(eve, local: local, now: start) == nil)
        let lock = sentry.connected(eve, local: local, now: start)
        #expect(lock?.cause == .connections)
        #expect(sentry.lock(of: eve, local: local, now: start)?.cause == .connections)
        sentry.release("203.0.113.9", .address)
        #expect(sentry.lock(of: eve, local: local, now: start) == nil)
    }

    /// A subscriber's whole IPv6 network is one guesser.
    @Test func ipv6CountsByNetwork() {
        var sentry = sentry()
        var locks: [NewLock] = []
        for number in 1...3 { locks += fail(&sentry, World.ip("2001:db8::\(number)"), "x\(number)", start).locks }
        #expect(locks.map(\.subject) == ["2001:db8::/64"])
        #expect(sentry.lock(of: World.ip("2001:db8::99"), local: local, now: start) != nil)
        #expect(sentry.lock(of: World.ip("2001:db8:0:1::1"), local: local, now: start) == nil)
    }

    @Test func memoryIsBounded() {
        var sentry = sentry { $0.addressFailures = 2 }
        for number in 0..<(Sentry.capacity * 2) {
            let client = World.ip("10.\(number >> 16 & 255).\(number >> 8 & 255).\(number & 255)")
            _ = sentry.failed(client, local: local, account: "x\(number)", now: start)
        }
        _ = sentry.failed(eve, local: local, account: "y", now: start)
        #expect(!sentry.failed(eve, local: local, account: "y", now: start).locks.isEmpty)
    }
}
