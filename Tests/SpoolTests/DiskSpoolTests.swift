import Database
import Glibc
import MailModel
import Synchronization
import Testing

@testable import Spool

/// What is particular to the disk: versions, damage, restarts, several openings.
@Suite struct DiskSpoolTests {
    let folder = ScratchFolder()
    let notices = Notices()
    var root: String { "\(folder.path)/spool" }
    var database: String { "\(root)/node/queue.db" }

    private func open(_ role: DiskSpool.Role = .delivery, at now: Int64 = noon) throws -> DiskSpool {
        try DiskSpool(root: root, node: "node", role: role, clock: { now }, notify: notices.add)
    }

    @Test func onlyItsOwnerMayRead() async throws {
        let spool = try open()
        defer { spool.close() }
        try await spool.add(makeMessage(spool, content: [UInt8](repeating: 1, count: 100_000)))
        for (path, mode) in [("", 0o700), ("/queue.db", 0o600), ("/queue.db-wal", 0o600), ("/large", 0o700)] {
            var info = stat()
            #expect(stat("\(root)/node\(path)", &info) == 0)
            #expect(Int(info.st_mode & 0o777) == mode, "\(path)")
        }
    }

    @Test func whatWaitsIsThereAfterARestart() async throws {
        let first = try open()
        let messages = [makeMessage(first), makeMessage(first), makeMessage(first)]
        for message in messages { try await first.add(message) }
        _ = try first.claim(limit: 10, now: noon)
        _ = try first.act(.hold, on: [messages[2].id], now: noon)
        first.close()
        let second = try open()
        defer { second.close() }
        #expect(try second.claim(limit: 10, now: noon).messages.map(\.id) == messages.prefix(2).map(\.id))
        #expect(try second.counts().held == 1)
        #expect(notices.list.isEmpty)
    }

    /// Not synced by itself, but as final as any other change for whoever opens the queue next; large content goes with it.
    @Test(arguments: [20, 100_000])
    func aRepeatableChangeIsNoLessDone(size: Int) async throws {
        let first = try open()
        let message = makeMessage(
            first, to: ["a@example.jp", "b@example.jp"], content: [UInt8](repeating: 1, count: size))
        try await first.add(message)
        let claimed = try #require(try first.claim(limit: 10, now: noon).messages.first)
        try await first.apply(
            DeliveryChange(
                message: claimed.key,
                items: [
                    .init(index: 0, outcome: .finished),
                    .init(index: 1, outcome: .deferred(AttemptHistory(tries: 1), until: noon + 60_000)),
                ], isRepeatable: true))
        first.close()
        let second = try open()
        let rest = try #require(try second.claim(limit: 10, now: noon + 60_000).messages.first)
        #expect(rest.recipients.map(\.index) == [1])
        try await second.apply(
            DeliveryChange(message: rest.key, items: [.init(index: 1, outcome: .finished)], isRepeatable: true))
        // A change that is synced afterwards, on the same connection.
        try await second.add(makeMessage(second))
        second.close()
        let third = try open()
        defer { third.close() }
        #expect(try third.claim(limit: 10, now: noon + 120_000).messages.map(\.id) != [message.id])
        #expect(try third.counts().messages == 1)
        #expect(ScratchFolder.names(in: "\(root)/node/large").isEmpty)
    }

    @Test func idsGoOnThoughTheClockWentBackAndTheQueueIsEmpty() async throws {
        let first = try open()
        let message = makeMessage(first)
        try await first.add(message)
        for claimed in try first.claim(limit: 1, now: noon).messages { try await first.finish(claimed) }
        first.close()
        let second = try open(at: noon - 3_600_000)
        defer { second.close() }
        #expect(second.makeID() > message.id)
    }

    @Test func processesOfOneNodeGiveOutDifferentIDs() throws {
        let spools = try [DiskSpool.Role.receiver, .delivery, .observer].map { try open($0) }
        defer { for spool in spools { spool.close() } }
        let ids = spools.flatMap { spool in (0..<2_000).map { _ in spool.makeID() } }
        #expect(Set(ids).count == ids.count)
    }

    /// Delivery looks behind the last row it saw: a row given out a second time would never be delivered.
    @Test func aMessageAfterTheNewestWasDoneIsSeen() async throws {
        let receiver = try open(.receiver)
        let delivery = try open()
        defer {
            receiver.close()
            delivery.close()
        }
        for _ in 0..<5 {
            let message = makeMessage(receiver)
            try await receiver.add(message)
            let claimed = try delivery.claim(limit: 10, now: noon).messages
            #expect(claimed.map(\.id) == [message.id])
            for claim in claimed { try await delivery.finish(claim) }
            #expect(try delivery.counts() == QueueCounts())
            #expect(try delivery.list(QueueQuery()).matching == 0)
            #expect(throws: SpoolError.self) { try delivery.show(message.id) }
        }
        // Tombstones do not gather.
        let connection = try Connection(path: database, mode: .readOnly)
        #expect(try connection.first("SELECT count(*) FROM message") { $0.int(0) } == 1)
        #expect(try connection.first("SELECT count(*) FROM content") { $0.int(0) } == 0)
    }

    @Test func changesByTheSupervisorAreSeenWithoutAWake() async throws {
        let delivery = try open()
        let observer = try open(.observer)
        defer {
            observer.close()
            delivery.close()
        }
        let message = makeMessage(delivery)
        try await delivery.add(message)
        #expect(try observer.act(.hold, on: [message.id], now: noon) == [message.id])
        #expect(try delivery.claim(limit: 1, now: noon).messages.isEmpty)
        #expect(try observer.act(.release, on: [message.id], now: noon) == [message.id])
        // A look once in a second finds what nobody told.
        #expect(try delivery.claim(limit: 1, now: noon + 1_000).messages.map(\.id) == [message.id])
    }

    @Test func theWakeUpComesAfterTheCommit() async throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        defer { for end in ends { Glibc.close(end) } }
        let spool = try DiskSpool(root: root, node: "node", role: .receiver, wakeDescriptor: ends[1])
        try await spool.add(makeMessage(spool))
        spool.close()
        var octets = [UInt8](repeating: 0, count: 10)
        #expect(read(ends[0], &octets, 10) == 1)
    }

    // MARK: Refusals

    @Test func aBadMessageDoesNotTakeItsBatchAlong() async throws {
        let spool = try open()
        defer { spool.close() }
        var bad = makeMessage(spool)
        bad.envelope.recipients = []
        let results = Mutex<[Bool]>([])
        await withCheckedContinuation { continuation in
            let messages = [makeMessage(spool), bad, makeMessage(spool)]
            let left = Mutex(messages.count)
            for message in messages {
                spool.add(message) { result in
                    results.withLock { $0.append((try? result.get()) != nil) }
                    if left.withLock({ count in
                        count -= 1; return count == 0
                    }) {
                        continuation.resume()
                    }
                }
            }
        }
        #expect(results.withLock { $0.count { $0 } } == 2)
        #expect(try spool.counts().messages == 2)
    }

    @Test func anUnknownVersionIsRefusedAndKept() throws {
        try open().close()
        do {
            let connection = try Connection(path: database, mode: .readWrite)
            try connection.run("UPDATE spool SET value = 7 WHERE key = 'version'")
            try connection.checkpoint(.truncate)
        }
        let before = contents(database)
        let error = #expect(throws: SpoolError.self) { try open() }
        #expect(error?.kind == .unsupportedVersion(7))
        #expect(contents(database) == before)
        #expect(ScratchFolder.names(in: "\(root)/node").allSatisfy { !$0.contains("damaged") })
    }

    /// Version 1 had no column for refusals and warnings.
    @Test func aDatabaseOfTheVersionBeforeIsBroughtUpToDate() async throws {
        let first = try open()
        let message = makeMessage(first)
        try await first.add(message)
        first.close()
        do {
            let connection = try Connection(path: database, mode: .readWrite)
            try connection.execute(
                """
                ALTER TABLE recipient DROP COLUMN refusals; ALTER TABLE recipient DROP COLUMN warned;
                UPDATE spool SET value = 1 WHERE key = 'version';
                """)
        }
        let spool = try open()
        defer { spool.close() }
        let claim = try spool.claim(limit: 10, now: .max)
        let claimed = try #require(claim.messages.first)
        #expect(claimed.id == message.id)
        let history = AttemptHistory(tries: 2, failure: .refusal, refusals: 1, isWarned: true)
        try await spool.apply(
            DeliveryChange(message: claimed.key, items: [.init(index: 0, outcome: .deferred(history, until: 5))]))
        #expect(try spool.show(message.id).recipients.first?.history == history)
    }

    @Test func aForeignDatabaseIsRefused() throws {
        mkdir(root, 0o700)
        mkdir("\(root)/node", 0o700)
        try Connection(path: database, mode: .readWrite).execute("CREATE TABLE somebody (else_ TEXT)")
        let error = #expect(throws: SpoolError.self) { try open() }
        #expect(error?.kind == .unsupportedVersion(0))
    }

    @Test func afterClosingEverythingIsRefused() async throws {
        let spool = try open()
        spool.close()
        let failure = await #expect(throws: SpoolError.self) { try await spool.add(makeMessage(spool)) }
        #expect(failure?.kind == .closed)
        #expect(#expect(throws: SpoolError.self) { try spool.counts() }?.kind == .closed)
        #expect(#expect(throws: SpoolError.self) { try spool.act(.hold, on: [], now: 0) }?.kind == .closed)
    }

    // MARK: Content

    @Test func contentWithoutAMessageIsSweptAtStart() async throws {
        let spool = try open(.receiver)
        let message = makeMessage(spool, content: [UInt8](repeating: 1, count: 100_000))
        try await spool.add(message)
        // A session that is still writing, and one that died.
        let writing = try spool.beginLarge(spool.makeID())
        try writing.append([1, 2, 3])
        let dead = "\(root)/node/large/\(spool.makeID())"
        fclose(fopen(dead, "w"))
        let delivery = try open()
        #expect(notices.list == [.sweptContent(1)])
        #expect(ScratchFolder.names(in: "\(root)/node/large").count == 2)
        #expect(access(dead, F_OK) != 0)
        writing.discard()
        #expect(ScratchFolder.names(in: "\(root)/node/large") == [message.id.rawValue])
        for claimed in try delivery.claim(limit: 1, now: noon).messages { try await delivery.finish(claimed) }
        delivery.close()
        spool.close()
        #expect(ScratchFolder.names(in: "\(root)/node/large").isEmpty)
    }

    @Test func contentOfAFailedMessageGoes() async throws {
        let spool = try open()
        var message = makeMessage(spool)
        message.envelope.recipients = []
        let content = try spool.beginLarge(message.id)
        try content.append([1])
        message.content = .large(content)
        await #expect(throws: SpoolError.self) { try await spool.add(message) }
        #expect(ScratchFolder.names(in: "\(root)/node/large").isEmpty)
        spool.close()
    }

    private func contents(_ path: String) -> [UInt8] {
        guard let file = fopen(path, "r") else { return [] }
        defer { fclose(file) }
        var octets = [UInt8](repeating: 0, count: 1 << 20)
        return Array(octets.prefix(fread(&octets, 1, octets.count, file)))
    }
}
