import Synchronization
import Testing

@testable import Supervisor

/// R-ACC-11: wrong tries of a domain's operation password are slowed, however many connections try.
@Suite struct TrySlotsTests {
    @Test func eachTryWaitsLongerAndACrowdStandsInALine() {
        let slots = TrySlots(clock: { 1_000 })
        let waits = (0..<9).map { _ in slots.begin(7, longest: 60_000) }
        #expect(waits == [0, 500, 1_500, 3_500, 7_500, 15_500, 31_500, nil, nil])
        #expect(slots.begin(8, longest: 60_000) == 0, "another user does not wait")
    }

    @Test func aRightPasswordForgetsTheWrongOnesAndTimePasses() {
        let now = Atomic<Int64>(0)
        let slots = TrySlots(clock: { now.load(ordering: .relaxed) })
        #expect(slots.begin(7, longest: 60_000) == 0)
        now.store(400, ordering: .relaxed)
        #expect(slots.begin(7, longest: 60_000) == 100)
        slots.succeeded(7)
        #expect(slots.begin(7, longest: 60_000) == 0)
        now.store(2_000, ordering: .relaxed)
        #expect(slots.begin(7, longest: 60_000) == 0, "the pause is over")
    }
}
