import MailModel
import Spool
import Testing

@testable import Delivery

@Suite("Who gets the next slot")
struct ScheduleTests {
    private let schedule = Schedule()

    private func destination(_ name: String) -> RemoteDestination {
        RemoteDestination(DestinationRecord(hop: NextHop(.domain(name), port: 25)), now: 0)
    }

    private func job(_ sender: String, _ number: Int, to destination: RemoteDestination, recipients: Int = 1)
        -> RemoteJob
    {
        let claimed = (0..<recipients).map {
            ClaimedRecipient(
                index: $0, recipient: Recipient(address: MailAddress(localPart: "r\($0)", domain: "x.test")))
        }
        let message = ClaimedMessage(
            key: MessageKey(row: Int64(number)), id: Self.id,
            sender: .address(MailAddress(localPart: sender, domain: "a.test")),
            size: 100, receivedAt: 0, recipients: claimed)
        return RemoteJob(message: message, recipients: claimed, hop: destination.hop)
    }

    private static let id = MemorySpool().makeID()

    private func senders(_ count: Int, threads: Int) -> [String] {
        var out: [String] = []
        for _ in 0..<count {
            guard let (job, destination) = schedule.next(threads: threads) else { break }
            out.append(job.message.sender.address?.localPart ?? "")
            schedule.release(job, of: destination)
        }
        return out
    }

    @Test("a list of 10,000 does not delay one mail, to the same destination or to others", arguments: [1, 10_000])
    func fair(_ destinations: Int) {
        let places = (0..<destinations).map { destination("d\($0).test") }
        for number in 0..<10_000 {
            schedule.add(
                job("list", number, to: places[number % destinations]), to: places[number % destinations], now: 0)
        }
        schedule.add(job("single", 10_000, to: places[0]), to: places[0], now: 0)
        #expect(senders(3, threads: 20).contains("single"))
    }

    @Test("senders take turns; each keeps the order of its own messages")
    func turns() {
        let place = destination("d.test")
        var order: [Int] = []
        for number in 0..<6 { schedule.add(job(number % 2 == 0 ? "a" : "b", number, to: place), to: place, now: 0) }
        while let (job, destination) = schedule.next(threads: 1) {
            order.append(Int(job.message.key.row))
            schedule.release(job, of: destination)
        }
        #expect(order == [0, 1, 2, 3, 4, 5])
        #expect(schedule.active == 0 && place.isEmpty)
    }

    @Test("a destination has no more slots than its limit; others go on meanwhile")
    func limit() {
        let (slow, quick) = (destination("slow.test"), destination("quick.test"))
        for number in 0..<50 { schedule.add(job("a", number, to: slow), to: slow, now: 0) }
        for number in 50..<60 { schedule.add(job("a", number, to: quick), to: quick, now: 0) }
        var taken: [(RemoteJob, RemoteDestination)] = []
        while let next = schedule.next(threads: 8) { taken.append(next) }
        #expect(taken.count == 8)
        #expect(slow.active <= DestinationRecord.firstLimit && quick.active <= DestinationRecord.firstLimit)
        // What the slow one holds stays; the quick one gets every slot that becomes free.
        var done = 0
        while let index = taken.firstIndex(where: { $0.1 === quick }) {
            let (job, place) = taken.remove(at: index)
            schedule.release(job, of: place)
            done += 1
            if let next = schedule.next(threads: 8) { taken.append(next) }
        }
        #expect(done == 10)
        #expect(slow.active == DestinationRecord.firstLimit)
    }

    @Test("many dead destinations hold a quarter of the slots, no more")
    func dead() {
        let dead = (0..<40).map { destination("dead\($0).test") }
        for (number, place) in dead.enumerated() {
            place.record.unreachable()
            schedule.add(job("a", number, to: place), to: place, now: 0)
        }
        let good = destination("good.test")
        good.record.succeeded(most: 20)
        schedule.add(job("b", 100, to: good), to: good, now: 0)
        var taken: [(RemoteJob, RemoteDestination)] = []
        while let next = schedule.next(threads: 20) { taken.append(next) }
        #expect(taken.count { $0.1 !== good } == 5)
        #expect(taken.contains { $0.1 === good })
        // Each slot that one of them gives back goes to the next of them: all get their turn.
        var seen = Set<String>()
        while let (job, place) = taken.popLast() {
            seen.insert(place.hop.text)
            schedule.release(job, of: place)
            while let next = schedule.next(threads: 20) { taken.append(next) }
        }
        #expect(seen.count == 41)
    }

    @Test("faults narrow, success widens, up to the setting")
    func adapts() {
        let record = DestinationRecord(hop: NextHop(.domain("d.test"), port: 25))
        for _ in 0..<30 { record.succeeded(most: 20) }
        #expect(record.limit == 20 && record.health == .good)
        record.faltered()
        #expect(record.limit == 10)
        record.unreachable()
        #expect(record.limit == 1 && record.health == .failing)
        record.succeeded(most: 20)
        #expect(record.limit == 2 && record.health == .good)
        record.bound(to: 1)
        #expect(record.limit == 1)
    }

    @Test("no room: the broadest line is narrowed, and comes back at the pace at which it goes")
    func shed() throws {
        let (slow, other) = (destination("slow.test"), destination("other.test"))
        for number in 0..<11_900 { schedule.add(job("list", number, to: slow), to: slow, now: 0) }
        schedule.add(job("single", 11_900, to: other), to: other, now: 0)
        slow.flow.settled(2_000)
        let put = schedule.shed(among: [slow, other], now: 10_000)  // 200 a second
        let keep = 11_900 - put.count
        #expect(keep == 3_000)
        let times = put.map(\.until)
        #expect(times == times.sorted())
        #expect(times.allSatisfy { $0 >= 11_000 && $0 <= 10_000 + Congestion.longest })
        let last = try #require(times.last)
        #expect(abs(Double(last - 10_000) / 1_000 - 11_900 / 200) < 2)
        // More of the same waits in the queue; another sender's mail to the same destination does not.
        #expect(schedule.place(job("list", 12_000, to: slow), at: slow, now: 10_000) != nil)
        #expect(schedule.place(job("single", 12_001, to: slow), at: slow, now: 10_000) == nil)
    }
}
