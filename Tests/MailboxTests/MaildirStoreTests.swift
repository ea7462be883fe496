import Glibc
import MailModel
import Testing

@testable import Mailbox

struct MaildirStoreTests {
    let post = Post()

    @Test func theFirstDeliveryMakesTheMailbox() async throws {
        let id = makeID()
        #expect(try await post.deliver(id, to: "taro") == .success(.stored))
        let names = ScratchFolder.names(in: "\(post.path("taro"))/new")
        #expect(names == ["1750000000.Q\(id)R0.epost,S=\(headerSize + 4)"])
        let text = ScratchFolder.read("\(post.path("taro"))/new/\(names.first ?? "")")
        #expect(text == "Return-Path: <ada@a.example>\nxxxx")
        #expect(ScratchFolder.names(in: "\(post.path("taro"))/tmp").isEmpty)
        for (path, mode) in [
            ("", 0o700), ("/new", 0o700), ("/cur", 0o700), ("/tmp", 0o700), ("/new/\(names[0])", 0o600),
        ] {
            var info = stat()
            #expect(stat(post.path("taro") + path, &info) == 0)
            #expect(Int(info.st_mode & 0o777) == mode, "\(path)")
        }
    }

    @Test func largeContentIsCopiedFromItsFile() async throws {
        let path = "\(post.folder.path)/large"
        ScratchFolder.write(String(repeating: "0123456789abcdef", count: 50_000), to: path)
        let descriptor = open(path, O_RDONLY)
        defer { close(descriptor) }
        let target = MailboxDelivery.Target(mailbox: try post.location("taro"), index: 3)
        let owner = ScratchFolder()
        let content = MailboxDelivery.Content.file(descriptor: descriptor, size: 700_001, owner: owner)
        #expect(await post.deliver(makeID(), to: [target], content: content) == [.success(.stored)])
        let name = try #require(ScratchFolder.names(in: "\(post.path("taro"))/new").first)
        #expect(name.hasSuffix("R3.epost,S=\(headerSize + 700_001)"))
        #expect(ScratchFolder.read("\(post.path("taro"))/new/\(name)")?.utf8.count == headerSize + 700_001)
    }

    @Test func contentThatEndsEarlyIsAnErrorAndLeavesNothing() async throws {
        let path = "\(post.folder.path)/short"
        ScratchFolder.write("short", to: path)
        let descriptor = open(path, O_RDONLY)
        defer { close(descriptor) }
        let target = MailboxDelivery.Target(mailbox: try post.location("taro"), index: 0)
        let content = MailboxDelivery.Content.file(descriptor: descriptor, size: 6, owner: ScratchFolder())
        #expect(await post.deliver(makeID(), to: [target], content: content).map(\.failure) == [.io])
        #expect(ScratchFolder.names(in: "\(post.path("taro"))/new").isEmpty)
        #expect(ScratchFolder.names(in: "\(post.path("taro"))/tmp").isEmpty)
    }

    @Test func severalMailboxesShareOneFile() async throws {
        let targets = try ["a", "b", "c"].enumerated().map { index, account in
            MailboxDelivery.Target(mailbox: try post.location(account), index: index)
        }
        let results = await post.deliver(makeID(), to: targets)
        #expect(results == [.success(.stored), .success(.stored), .success(.stored)])
        var files: Set<UInt> = []
        for (index, account) in ["a", "b", "c"].enumerated() {
            let name = try #require(ScratchFolder.names(in: "\(post.path(account))/new").first)
            #expect(name.contains("R\(index).epost"))
            var info = stat()
            #expect(stat("\(post.path(account))/new/\(name)", &info) == 0)
            #expect(info.st_nlink == 3)
            files.insert(UInt(info.st_ino))
        }
        #expect(files.count == 1)
    }

    @Test func oneFullMailboxDoesNotHoldUpTheOthers() async throws {
        let targets = [
            MailboxDelivery.Target(mailbox: try post.location("a"), index: 0, limit: 5),
            MailboxDelivery.Target(mailbox: try post.location("b"), index: 1),
        ]
        let results = await post.deliver(makeID(), to: targets)
        #expect(results.map(\.failure) == [.full, nil])
        #expect(ScratchFolder.names(in: "\(post.path("b"))/new").count == 1)
        #expect(ScratchFolder.names(in: "\(post.path("a"))/new").isEmpty)
    }

    // MARK: Repetition

    @Test func aRepetitionFindsTheFirstDelivery() async throws {
        let id = makeID()
        #expect(try await post.deliver(id, to: "taro") == .success(.stored))
        #expect(try await post.deliver(id, to: "taro") == .success(.alreadyThere))
        #expect(ScratchFolder.names(in: "\(post.path("taro"))/new").count == 1)
        // Another recipient of the same message is another delivery.
        #expect(try await post.deliver(id, to: "taro", index: 1) == .success(.stored))
    }

    @Test func afterARestartSeenMessagesAreFoundToo() async throws {
        let id = makeID()
        let later = Post(startedAt: id.milliseconds)
        #expect(try await later.deliver(id, to: "taro") == .success(.stored))
        let mailbox = later.path("taro")
        let name = try #require(ScratchFolder.names(in: "\(mailbox)/new").first)
        #expect(rename("\(mailbox)/new/\(name)", "\(mailbox)/cur/\(name):2,FS") == 0)
        #expect(try await later.deliver(id, to: "taro") == .success(.alreadyThere))
        #expect(ScratchFolder.names(in: "\(mailbox)/new").isEmpty)
        #expect(try await later.deliver(id, to: "taro", index: 1) == .success(.stored))
    }

    @Test func whatACrashLeftInTmpIsReplaced() async throws {
        let id = makeID()
        #expect(try await post.deliver(makeID(2), to: "taro") == .success(.stored))
        let name = Maildir.name(id: id, index: 0, size: headerSize + 4)
        ScratchFolder.write("half", to: "\(post.path("taro"))/tmp/\(name)")
        #expect(try await post.deliver(id, to: "taro") == .success(.stored))
        #expect(ScratchFolder.read("\(post.path("taro"))/new/\(name)") == "Return-Path: <ada@a.example>\nxxxx")
    }

    // MARK: Links and foreign objects

    @Test(arguments: ["", "/new", "/tmp", "/cur"])
    func aLinkInTheWayOfTheMailboxIsNotFollowed(_ place: String) async throws {
        let outside = "\(post.folder.path)/outside"
        mkdir(outside, 0o700)
        for name in ["new", "tmp", "cur"] { mkdir("\(outside)/\(name)", 0o700) }
        #expect(try await post.deliver(makeID(), to: "other") == .success(.stored))
        if place.isEmpty {
            symlink(outside, post.path("taro"))
        } else {
            #expect(try await post.deliver(makeID(), to: "taro") == .success(.stored))
            rename(post.path("taro") + place, post.path("taro") + place + ".away")
            symlink("\(outside)\(place)", post.path("taro") + place)
        }
        // Nothing is written to `cur`: that it has become a link is seen when the mailbox is opened again.
        let expected: MailboxError.Kind? = place == "/cur" ? nil : .notWritable
        #expect(try await post.deliver(makeID(2), to: "taro").failure == expected)
        let later = MaildirWriter(clock: { 0 })
        let target = MailboxDelivery.Target(mailbox: try post.location("taro"), index: 0)
        let delivery = MailboxDelivery(id: makeID(3), header: [], content: .octets([0x78]), targets: [target])
        #expect(later.store([delivery]).first?.first?.failure == .notWritable)
        for name in ["new", "tmp", "cur"] { #expect(ScratchFolder.names(in: "\(outside)/\(name)").isEmpty) }
    }

    @Test func aLinkPlantedUnderTheNameInTmpIsReplacedAndNotWrittenThrough() async throws {
        let id = makeID()
        #expect(try await post.deliver(makeID(2), to: "taro") == .success(.stored))
        let victim = "\(post.folder.path)/victim"
        ScratchFolder.write("untouched", to: victim)
        let name = Maildir.name(id: id, index: 0, size: headerSize + 4)
        symlink(victim, "\(post.path("taro"))/tmp/\(name)")
        #expect(try await post.deliver(id, to: "taro") == .success(.stored))
        #expect(ScratchFolder.read(victim) == "untouched")
        var info = stat()
        #expect(lstat("\(post.path("taro"))/new/\(name)", &info) == 0)
        #expect(info.st_mode & S_IFMT == S_IFREG)
    }

    @Test func aFileInThePlaceOfTheMailboxIsAnError() async throws {
        #expect(try await post.deliver(makeID(), to: "other") == .success(.stored))
        ScratchFolder.write("", to: post.path("taro"))
        #expect(try await post.deliver(makeID(), to: "taro").failure == .notWritable)
    }

    @Test(arguments: [
        ("/mail", ["example.jp", "taro"], true), ("/mail", ["太郎"], true), ("mail", ["taro"], false),
        ("/mail", [], false),
        ("/mail", ["..", "taro"], false), ("/mail", ["."], false), ("/mail", ["a/b"], false), ("/mail", [""], false),
        ("/mail", ["a\0b"], false), ("/mail", [String(repeating: "x", count: 255)], true),
        ("/mail", [String(repeating: "x", count: 256)], false), ("/mail", ["..."], true),
    ]) func locations(_ base: String, _ folders: [String], _ isGood: Bool) {
        #expect((MailboxLocation(base: base, folders: folders) != nil) == isGood)
    }

    @Test(arguments: [
        (ENOSPC, MailboxError.Kind.diskFull), (EDQUOT, .diskFull), (EFBIG, .diskFull), (EACCES, .notWritable),
        (EROFS, .notWritable), (ELOOP, .notWritable), (ENOTDIR, .notWritable), (EIO, .io), (EMFILE, .io),
    ]) func kinds(_ code: Int32, _ kind: MailboxError.Kind) {
        #expect(MailboxError(system: code, "").kind == kind)
    }

    @Test func aClosedStoreRefuses() async throws {
        post.store.close()
        #expect(try await post.deliver(makeID(), to: "taro").failure == .io)
    }

    @Test func manyAtOnceAllArrive() async throws {
        let post = post
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<200 {
                group.addTask {
                    let result = try? await post.deliver(makeID(Int64(number)), to: "u\(number % 7)")
                    #expect(result == .success(.stored))
                }
            }
        }
        let stored = (0..<7).map { ScratchFolder.names(in: "\(post.path("u\($0)"))/new").count }
        #expect(stored.reduce(0, +) == 200)
    }
}

extension MaildirStoreTests {
    @Test func aNameWithoutItsWholeContentIsWrittenAgain() async throws {
        let id = makeID()
        #expect(try await post.deliver(makeID(2), to: "taro") == .success(.stored))
        #expect(try await post.deliver(makeID(2), to: "jiro") == .success(.stored))
        // As a power cut may leave them.
        for (index, account) in ["taro", "jiro"].enumerated() {
            let name = Maildir.name(id: id, index: index, size: headerSize + 4)
            ScratchFolder.write("Ret", to: "\(post.path(account))/new/\(name)")
        }
        let targets = try ["taro", "jiro"].enumerated().map { index, account in
            MailboxDelivery.Target(mailbox: try post.location(account), index: index)
        }
        #expect(await post.deliver(id, to: targets) == [.success(.stored), .success(.stored)])
        for (index, account) in ["taro", "jiro"].enumerated() {
            let name = Maildir.name(id: id, index: index, size: headerSize + 4)
            #expect(ScratchFolder.read("\(post.path(account))/new/\(name)") == "Return-Path: <ada@a.example>\na\nb\n")
        }
    }

    @Test func aMailboxThatWasMovedAwayIsMadeAgain() async throws {
        let path = post.path("taro")
        #expect(try await post.deliver(makeID(1), to: "taro") == .success(.stored))
        #expect(rename(path, path + ".old") == 0)
        #expect(try await post.deliver(makeID(2), to: "taro") == .success(.stored))
        #expect(ScratchFolder.names(in: path + "/new").count == 1)
        #expect(ScratchFolder.names(in: path + ".old/new").count == 1)
    }

    @Test(arguments: ["tmp", "new"])
    func aFolderThatVanishedUnderAnOpenMailboxIsMadeAgain(name: String) async throws {
        let path = post.path("taro")
        #expect(try await post.deliver(makeID(1), to: "taro") == .success(.stored))
        ScratchFolder.remove("\(path)/\(name)")
        var result = try await post.deliver(makeID(2), to: "taro")
        // Between writing and naming nothing can be made again; the next try finds everything in place.
        if result.failure == .notWritable { result = try await post.deliver(makeID(2), to: "taro") }
        #expect(result == .success(.stored))
        let names = ScratchFolder.names(in: "\(path)/new")
        #expect(names.contains { $0.contains("Q\(makeID(2))R0") })
        #expect(ScratchFolder.names(in: "\(path)/tmp").isEmpty)
    }

    @Test func aMailboxThatFailsDoesNotHarmItsBatch() async throws {
        ScratchFolder.write("", to: "\(post.folder.path)/file")
        let bad = try #require(MailboxLocation(base: "\(post.folder.path)/file", folders: ["x"]))
        let good = try post.location("taro")
        let deliveries = (1...40).map { number in
            MailboxDelivery(
                id: makeID(Int64(number)), header: [], content: .octets([0x78]),
                targets: [.init(mailbox: number % 4 == 0 ? bad : good, index: 0)])
        }
        let results = MaildirWriter(clock: { 0 }).store(deliveries)
        for (number, result) in zip(1..., results) {
            #expect(result.count == 1)
            #expect(result.first?.failure == (number % 4 == 0 ? .notWritable : nil))
        }
        #expect(ScratchFolder.names(in: "\(post.path("taro"))/new").count == 30)
        #expect(ScratchFolder.names(in: "\(post.path("taro"))/tmp").isEmpty)
    }

    @Test func moreMailboxesThanStayOpen() async throws {
        let cache = MaildirCache(capacity: 3)
        var opened: [FolderHandle.Identity] = []
        for number in 0..<5 { opened.append(try cache.open(try post.location("a\(number)"), now: 0).root.identity) }
        #expect(Set(opened.map(\.inode)).count == 5)
        for (number, identity) in opened.enumerated() {
            #expect(try cache.open(try post.location("a\(number)"), now: 1).root.identity == identity)
        }
    }

    @Test func onAFileSystemThatPromisesLessItWorksTheLongWay() async throws {
        // tmpfs, where there is one to write to.
        guard access("/dev/shm", W_OK) == 0 else { return }
        var template = Array("/dev/shm/epost-mailbox-XXXXXX".utf8CString)
        let base = try #require(mkdtemp(&template).map { String(cString: $0) })
        defer { ScratchFolder.remove(base) }
        let targets = try ["a", "b"].enumerated().map { index, account in
            MailboxDelivery.Target(
                mailbox: try #require(MailboxLocation(base: base, folders: [account])), index: index)
        }
        // The third lies on another file system: a copy of its own.
        let far = MailboxDelivery.Target(mailbox: try post.location("c"), index: 2)
        let results = await post.deliver(makeID(), to: targets + [far])
        #expect(results == [.success(.stored), .success(.stored), .success(.stored)])
        #expect(ScratchFolder.names(in: "\(base)/a/new").count == 1)
        #expect(ScratchFolder.names(in: "\(base)/b/new").count == 1)
        #expect(ScratchFolder.names(in: "\(post.path("c"))/new").count == 1)
        #expect(ScratchFolder.names(in: "\(base)/a/tmp").isEmpty)
    }
}
