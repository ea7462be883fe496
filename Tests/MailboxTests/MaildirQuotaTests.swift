import Glibc
import MailModel
import Testing

@testable import Mailbox

struct MaildirQuotaTests {
    let post = Post()

    // MARK: The file's text

    @Test(
        arguments: [
            ("1000S\n10 1\n", MaildirSize(octetLimit: 1000, used: .init(octets: 10, messages: 1))),
            (
                "1000S,5C\n10 1\n-4 -1\n+6 1\n",
                MaildirSize(octetLimit: 1000, messageLimit: 5, used: .init(octets: 12, messages: 1), changes: 3)
            ),
            ("5C,1000S\n", MaildirSize(octetLimit: 1000, messageLimit: 5, used: .init(), changes: 0)),
            ("1000S\n         10            1\n", MaildirSize(octetLimit: 1000, used: .init(octets: 10, messages: 1))),
            ("", nil), ("\n", nil), ("1000S\n10 1", nil), ("S\n", nil), ("1000X\n", nil), ("1000S,1000S\n", nil),
            ("-1S\n", nil), ("1000S\n10\n", nil), ("1000S\n10 1 1\n", nil), ("1000S\nten 1\n", nil),
            ("1000S\n-1 0\n", nil), ("1000S\n9223372036854775807 1\n1 1\n", nil),
            ("99999999999999999999S\n", nil), ("1000S\n" + String(repeating: "1 1\n", count: 1300), nil),
        ] as [(String, MaildirSize?)])
    func text(_ text: String, _ expected: MaildirSize?) {
        #expect(MaildirSize(Array(text.utf8)) == expected)
    }

    @Test func itsOwnTextComesBack() {
        let size = MaildirSize(octetLimit: 1_000, messageLimit: 7, used: .init(octets: 99, messages: 3))
        #expect(MaildirSize(Array(size.text.utf8)) == size)
    }

    @Test(
        arguments: [
            ("1750000000.Q1R0.epost,S=123", 123), ("1.2.h,S=5,W=6:2,S", 5), ("1.2.h,W=6,S=7:2,", 7), ("1.2.h:2,S", nil),
            ("1.2.h,S=:2,", nil), ("1.2.h,S=99999999999999999999", nil),
        ] as [(String, Int?)])
    func octetsInNames(_ name: String, _ expected: Int?) {
        #expect(MaildirSize.octets(inName: name) == expected)
    }

    // MARK: The limit

    @Test func aMessageFitsToTheLastOctet() async throws {
        let size = headerSize + 4
        #expect(try await post.deliver(makeID(1), to: "taro", limit: 2 * size) == .success(.stored))
        #expect(try await post.deliver(makeID(2), to: "taro", limit: 2 * size) == .success(.stored))
        #expect(try await post.deliver(makeID(3), to: "taro", limit: 2 * size).failure == .full)
        #expect(
            try post.store.usage(of: post.location("taro"), limit: 2 * size) == .init(octets: 2 * size, messages: 2))
        #expect(try await post.deliver(makeID(3), to: "taro", limit: 2 * size, ignoresLimit: true) == .success(.stored))
        #expect(try post.store.usage(of: post.location("taro"), limit: 2 * size).messages == 3)
    }

    @Test func aRepetitionIsNotRefusedByTheLimit() async throws {
        let size = headerSize + 4
        #expect(try await post.deliver(makeID(), to: "taro", limit: size) == .success(.stored))
        #expect(try await post.deliver(makeID(), to: "taro", limit: size) == .success(.alreadyThere))
    }

    /// Maildir++: a file that says "full" is calculated again when others have changed the mailbox meanwhile.
    @Test func roomMadeByAReaderIsFound() async throws {
        let size = headerSize + 4
        for number in 1...2 { _ = try await post.deliver(makeID(Int64(number)), to: "taro", limit: 2 * size) }
        let mailbox = post.path("taro")
        let name = try #require(ScratchFolder.names(in: "\(mailbox)/new").first)
        unlink("\(mailbox)/new/\(name)")
        ScratchFolder.write("\(2 * size)S\n\(size) 1\n\(size) 1\n", to: "\(mailbox)/maildirsize")
        #expect(try await post.deliver(makeID(3), to: "taro", limit: 2 * size) == .success(.stored))
    }

    @Test func aChangedLimitCountsAgain() async throws {
        let size = headerSize + 4
        _ = try await post.deliver(makeID(1), to: "taro", limit: 10 * size)
        let file = "\(post.path("taro"))/maildirsize"
        ScratchFolder.write("\(10 * size)S\n7 7\n", to: file)
        #expect(try post.store.usage(of: post.location("taro"), limit: 10 * size).octets == 7)
        #expect(try post.store.usage(of: post.location("taro"), limit: 20 * size).octets == size)
    }

    @Test func foldersCountAndForeignNamesAreMeasured() async throws {
        _ = try await post.deliver(makeID(1), to: "taro")
        let mailbox = post.path("taro")
        for folder in [".Trash", ".Sent"] {
            mkdir("\(mailbox)/\(folder)", 0o700)
            mkdir("\(mailbox)/\(folder)/cur", 0o700)
        }
        ScratchFolder.write("12345", to: "\(mailbox)/.Trash/cur/1.2.host:2,ST")
        ScratchFolder.write("12345", to: "\(mailbox)/.Sent/cur/1.2.host,S=1000:2,S")
        mkdir("\(mailbox)/notes", 0o700)
        symlink(post.folder.path, "\(mailbox)/.Link")
        #expect(
            try post.store.usage(of: post.location("taro"), limit: 0)
                == .init(octets: headerSize + 4 + 5 + 1000, messages: 3))
        #expect(ScratchFolder.read("\(mailbox)/maildirsize") == nil)
    }

    @Test func eachDeliveryAddsALine() async throws {
        let size = headerSize + 4
        ScratchFolder.write("", to: "\(post.folder.path)/unused")
        _ = try await post.deliver(makeID(1), to: "taro")
        ScratchFolder.write("1000000S\n\(size) 1\n", to: "\(post.path("taro"))/maildirsize")
        _ = try await post.deliver(makeID(2), to: "taro", limit: 1_000_000)
        // Also where there is no limit of ours: the file may be Dovecot's.
        _ = try await post.deliver(makeID(3), to: "taro")
        let text = ScratchFolder.read("\(post.path("taro"))/maildirsize")
        #expect(text == "1000000S\n\(size) 1\n\(size) 1\n\(size) 1\n")
    }

    @Test func aPlantedLinkIsNoQuotaFile() async throws {
        let victim = "\(post.folder.path)/victim"
        ScratchFolder.write("1000000S\n1 1\n", to: victim)
        _ = try await post.deliver(makeID(1), to: "taro")
        symlink(victim, "\(post.path("taro"))/maildirsize")
        #expect(try await post.deliver(makeID(2), to: "taro", limit: 1_000_000) == .success(.stored))
        #expect(ScratchFolder.read(victim) == "1000000S\n1 1\n")
        #expect(try post.store.usage(of: post.location("taro"), limit: 1_000_000).messages == 2)
    }

    @Test func deliveriesAtTheSameTimeDoNotGoOverTheLimitTogether() async throws {
        let post = post
        let size = headerSize + 1_000
        _ = try await post.deliver(makeID(0), to: "taro", limit: 10 * size, size: 1_000)
        // A quota file that stays, so that only what is under way tells the deliveries of each other.
        ScratchFolder.write("\(10 * size)S\n\(size) 1\n", to: "\(post.path("taro"))/maildirsize")
        let stored = await withTaskGroup(of: Bool.self) { group in
            for number in 1...40 {
                group.addTask {
                    let result = try? await post.deliver(
                        makeID(Int64(number)), to: "taro", limit: 10 * size, size: 1_000)
                    return result == .success(.stored)
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        // Not one too many, and none refused that would have fitted.
        #expect(stored == 9)
        #expect(ScratchFolder.names(in: "\(post.path("taro"))/new").count == 10)
        #expect(try post.store.usage(of: post.location("taro"), limit: 10 * size).messages == 10)
    }

    @Test func aMailboxThatDoesNotExistIsEmpty() throws {
        #expect(try post.store.usage(of: post.location("nobody"), limit: 5) == .init())
        #expect(ScratchFolder.names(in: "\(post.folder.path)/mail").isEmpty)
    }
}
