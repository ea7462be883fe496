import Database
import Glibc
import MailModel
import Testing

@testable import Spool

/// A damaged database is set aside, recovered as far as possible, and reported.
@Suite struct RecoveryTests {
    let folder = ScratchFolder()
    let notices = Notices()
    var root: String { "\(folder.path)/spool" }
    var node: String { "\(root)/node" }
    var database: String { "\(node)/queue.db" }

    private func open(_ role: DiskSpool.Role = .delivery) throws -> DiskSpool {
        try DiskSpool(root: root, node: "node", role: role, notify: notices.add)
    }

    /// Fills a spool and closes it, with everything in the database file.
    private func fill(_ number: Int) async throws -> [QueueID] {
        let spool = try open(.receiver)
        var ids: [QueueID] = []
        for index in 0..<number {
            let content = [UInt8](repeating: UInt8(truncatingIfNeeded: index), count: index == 1 ? 100_000 : 9_000)
            let message = makeMessage(spool, content: content)
            ids.append(message.id)
            try await spool.add(message)
        }
        spool.close()
        try Connection(path: database, mode: .readWrite).checkpoint(.truncate)
        return ids
    }

    /// Overwrites pages of 16 KiB, counted from 0.
    private func spoil(_ pages: Range<Int>) {
        let descriptor = Glibc.open(database, O_WRONLY)
        let noise = [UInt8](repeating: 0xA5, count: 16384)
        for page in pages { pwrite(descriptor, noise, noise.count, off_t(page * 16384)) }
        close(descriptor)
    }

    private var setAside: [String] {
        ScratchFolder.names(in: node).filter { $0.hasPrefix("queue.db.damaged-") && !$0.hasSuffix("-wal") }
    }

    @Test func aFileThatIsNoDatabaseIsSetAside() async throws {
        _ = try await fill(3)
        spoil(0..<1)
        let spool = try open()
        defer { spool.close() }
        #expect(setAside.count == 1)
        guard case .recovered(let file, let messages, let lost) = try #require(notices.list.first) else {
            Issue.record("\(notices.list)")
            return
        }
        #expect(file == "\(node)/\(setAside[0])")
        #expect(messages == 0)
        #expect(!lost.isEmpty)
        #expect(notices.list.first?.text.contains(setAside[0]) == true)
        // It goes on, empty; the long content is not swept but kept.
        #expect(try spool.counts().messages == 0)
        try await spool.add(makeMessage(spool))
        #expect(try spool.counts().messages == 1)
        #expect(ScratchFolder.names(in: "\(node)/lost-\(setAside[0])").count == 1)
        #expect(access("\(node)/queue.damaged", F_OK) != 0)
    }

    @Test func whatCanBeReadIsRecovered() async throws {
        let ids = try await fill(60)
        // Somewhere in the content.
        spoil(30..<32)
        let broken = try Connection(path: database, mode: .readOnly)
        #expect(!broken.problems().isEmpty)
        // The first read that meets the damage fails; with nobody else there, the next one repairs.
        let receiver = try open(.receiver)
        for id in ids { _ = try? receiver.content(of: id) }
        receiver.close()
        #expect(access("\(node)/queue.damaged", F_OK) != 0)

        let spool = try open()
        defer { spool.close() }
        guard case .recovered(_, let messages, let lost) = try #require(notices.list.first) else {
            Issue.record("\(notices.list)")
            return
        }
        #expect(messages >= 55 && messages < 60)
        #expect(lost.count == 60 - messages)
        #expect(lost.allSatisfy { $0.contains("no content") && $0.contains("taro@example.jp") })
        let claimed = try spool.claim(limit: 100, now: noon).messages
        #expect(claimed.count == messages)
        for message in claimed {
            let position = try #require(ids.firstIndex(of: message.id))
            let size = position == 1 ? 100_000 : 9_000
            #expect(
                try spool.content(of: message.key).octets
                    == [UInt8](repeating: UInt8(truncatingIfNeeded: position), count: size))
        }
        // Ids and rows go on behind those that were known.
        let next = makeMessage(spool)
        #expect(ids.allSatisfy { $0 < next.id })
        try await spool.add(next)
        #expect(try spool.claim(limit: 1, now: noon).messages.map(\.id) == [next.id])
    }

    @Test func damageMetAtWorkIsRepairedWhenAllLetGo() async throws {
        let ids = try await fill(60)
        let receiver = try open(.receiver)
        let delivery = try open()
        defer {
            receiver.close()
            delivery.close()
        }
        #expect(try delivery.counts().messages == 60)
        spoil(30..<32)
        // A reader without anything in its cache meets the damage first.
        let fresh = try DiskSpool(root: root, node: "node", role: .observer)
        for id in ids { _ = try? fresh.content(of: id) }
        fresh.close()
        #expect(access("\(node)/queue.damaged", F_OK) == 0)
        // The first to come has to wait for the other; then the other repairs.
        let first = await #expect(throws: SpoolError.self) { try await receiver.add(makeMessage(receiver)) }
        #expect(first?.kind == .damaged)
        #expect(try delivery.counts().messages >= 55)
        #expect(setAside.count == 1)
        try await receiver.add(makeMessage(receiver))
        #expect(try delivery.claim(limit: 100, now: noon).messages.count == delivery.counts().messages)
    }

    @Test func aRepairThatWasCutOffIsDoneAgain() async throws {
        let ids = try await fill(4)
        // As after a crash between setting aside and making the new one.
        rename(database, "\(node)/queue.db.damaged-20260101T000000Z")
        let mark = fopen("\(node)/queue.damaged", "w")
        fputs("queue.db.damaged-20260101T000000Z", mark)
        fclose(mark)
        let spool = try open()
        defer { spool.close() }
        #expect(try spool.claim(limit: 10, now: noon).messages.map(\.id) == ids)
        #expect(setAside == ["queue.db.damaged-20260101T000000Z"])
        #expect(access("\(node)/queue.damaged", F_OK) != 0)
    }

    @Test func aMissingDatabaseIsReported() async throws {
        _ = try await fill(1)
        unlink(database)
        let spool = try open(.receiver)
        defer { spool.close() }
        #expect(notices.list == [.databaseWasMissing(database)])
    }
}
