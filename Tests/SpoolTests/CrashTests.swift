import Glibc
import MailModel
import Spool
import Testing

/// kill -9 at any moment: nothing acknowledged is lost, nothing is half there, nothing happens twice.
@Suite(.serialized, .timeLimit(.minutes(3))) struct CrashTests {
    private func root(_ folder: ScratchFolder) -> String { "\(folder.path)/spool" }

    @Test func whatWasAcknowledgedSurvivesTheReceiver() async throws {
        let folder = ScratchFolder()
        var acknowledged: [String] = []
        for round in 1...8 {
            let helper = try Helper(.receive, root: root(folder))
            for _ in 0..<(round * 7) { if let line = helper.line() { acknowledged.append(line) } }
            acknowledged += helper.kill()
        }
        acknowledged.removeAll { $0 == "ready" }
        #expect(acknowledged.allSatisfy { QueueID($0) != nil })
        #expect(Set(acknowledged).count == acknowledged.count)
        #expect(acknowledged.count > 100)

        let spool = try DiskSpool(root: root(folder), node: "node", role: .delivery)
        defer { spool.close() }
        var found: Set<String> = []
        for message in try spool.claim(limit: 1_000_000, now: noon).messages {
            #expect(found.insert(message.id.rawValue).inserted)
            #expect(message.recipients.count == 2)
            let octets = try spool.content(of: message.key).octets
            #expect(octets == contentOf(message.id, isLarge: octets.count > 100))
        }
        #expect(Set(acknowledged).isSubset(of: found))
        // Content without a row is gone.
        let files = Set(ScratchFolder.names(in: "\(root(folder))/node/large"))
        #expect(files.isSubset(of: found))
    }

    @Test func deliveryNeitherLosesNorRepeatsAReport() async throws {
        let folder = ScratchFolder()
        let number = 300
        var ids: Set<QueueID> = []
        do {
            let spool = try DiskSpool(root: root(folder), node: "node", role: .receiver)
            for _ in 0..<number {
                let message = makeMessage(spool)
                ids.insert(message.id)
                try await spool.add(message)
            }
            spool.close()
        }
        for round in 1...6 {
            let helper = try Helper(.deliver, root: root(folder))
            for _ in 0..<(round * 5) { _ = helper.line() }
            _ = helper.kill()
        }
        let last = try Helper(.deliver, root: root(folder))
        while let line = last.line(), line != "done" {}
        _ = last.kill()

        let spool = try DiskSpool(root: root(folder), node: "node", role: .observer)
        defer { spool.close() }
        var parents: [QueueID] = []
        for offset in stride(from: 0, to: number + 100, by: 100) {
            for row in try spool.list(QueueQuery(offset: offset, limit: 100)).rows {
                #expect(row.sender == .null)
                if let parent = try spool.show(row.id).parent { parents.append(parent) }
            }
        }
        #expect(parents.count == number)
        #expect(Set(parents) == ids)
    }

    @Test func oneProcessAddsWhileAnotherDelivers() async throws {
        let folder = ScratchFolder()
        var ends: [Int32] = [-1, -1]
        try #require(socketpair(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0, &ends) == 0)
        defer { for end in ends { close(end) } }
        let spool = try DiskSpool(root: root(folder), node: "node", role: .delivery)
        defer { spool.close() }
        let helper = try Helper(.receive, root: root(folder), wake: ends[1])
        var claimed: Set<String> = []
        while claimed.count < 300 {
            var octet: UInt8 = 0
            #expect(recv(ends[0], &octet, 1, 0) == 1)
            for message in try spool.claim(limit: 50, now: noon).messages {
                #expect(claimed.insert(message.id.rawValue).inserted)
                try await spool.finish(message)
            }
        }
        let acknowledged = helper.kill().filter { $0 != "ready" }
        while case let claim = try spool.claim(limit: 50, now: noon), !claim.messages.isEmpty {
            for message in claim.messages {
                #expect(claimed.insert(message.id.rawValue).inserted)
                try await spool.finish(message)
            }
        }
        #expect(Set(acknowledged).isSubset(of: claimed))
        #expect(try spool.counts().messages == 0)
    }

    /// A write that fails, by the limit on file sizes: temporary, and over by itself.
    @Test func aFailingWriteIsRefusedAndGoesByItself() throws {
        let folder = ScratchFolder()
        let helper = try Helper(.full, root: root(folder))
        var lines: [String] = []
        while let line = helper.line() { lines.append(line) }
        _ = helper.kill()
        let failures = lines.filter { $0.contains(" ") }
        #expect(failures == ["failed io", "large diskFull"])
        let acknowledged = lines.filter { QueueID($0) != nil }
        #expect(acknowledged.count > 1)
        let spool = try DiskSpool(root: root(folder), node: "node", role: .observer)
        defer { spool.close() }
        for id in acknowledged.compactMap({ QueueID($0) }) { #expect(throws: Never.self) { try spool.show(id) } }
        // The first message, and the last one after there was room again.
        #expect(try spool.counts().messages == acknowledged.count + 1)
    }

    /// A file system of 6 MB; needs the right to mount one.
    @Test func aFullDiskIsRefusedAndGoesByItself() async throws {
        let folder = ScratchFolder()
        mkdir("\(folder.path)/small", 0o700)
        guard run("/bin/mount", ["-t", "tmpfs", "-o", "size=6m", "tmpfs", "\(folder.path)/small"]) == 0 else { return }
        defer { _ = run("/bin/umount", ["-l", "\(folder.path)/small"]) }
        let ballast = "\(folder.path)/small/ballast"
        try #require(Self.fill(ballast, octets: 2 << 20))
        let spool = try DiskSpool(root: "\(folder.path)/small/spool", node: "node", role: .delivery)
        defer { spool.close() }
        var stored: Set<QueueID> = []
        var failure: SpoolError?
        for _ in 0..<500 where failure == nil {
            let message = makeMessage(spool, content: [UInt8](repeating: 7, count: 30_000))
            do {
                try await spool.add(message)
                stored.insert(message.id)
            } catch {
                failure = error as? SpoolError
            }
        }
        #expect(failure?.kind == .diskFull)
        #expect(failure?.reason == .diskFull)
        #expect(try spool.counts().messages == stored.count)
        let long = makeMessage(spool, content: [UInt8](repeating: 7, count: 10 << 20))
        let refused = await #expect(throws: SpoolError.self) { try await spool.add(long) }
        #expect(refused?.kind == .diskFull)
        #expect(ScratchFolder.names(in: "\(folder.path)/small/spool/node/large").isEmpty)
        // Room again: it goes on without a restart, and nothing that was acknowledged is missing.
        unlink(ballast)
        let last = makeMessage(spool)
        try await spool.add(last)
        stored.insert(last.id)
        #expect(Set(try spool.claim(limit: 1_000, now: noon).messages.map(\.id)) == stored)
    }

    private static func fill(_ path: String, octets: Int) -> Bool {
        guard let file = fopen(path, "w") else { return false }
        defer { fclose(file) }
        return fwrite([UInt8](repeating: 1, count: octets), 1, octets, file) == octets
    }

    /// - Returns: the exit code, or -1 when it could not be started.
    private func run(_ program: String, _ arguments: [String]) -> Int32 {
        var argv: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
        defer { for text in argv { free(text) } }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        defer { posix_spawn_file_actions_destroy(&actions) }
        var process: pid_t = 0
        guard posix_spawn(&process, program, &actions, nil, &argv, environ) == 0 else { return -1 }
        var status: Int32 = 0
        waitpid(process, &status, 0)
        return status
    }
}
