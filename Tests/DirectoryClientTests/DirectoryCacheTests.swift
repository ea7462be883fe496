import DirectoryWire
import Glibc
import MailModel
import Testing
import Threads

@testable import DirectoryClient

private let ada = MailAddress(localPart: "ada", domain: "in.example")

private func profile(_ base: String = "dc=in") -> DirectoryProfile {
    var profile = DirectoryProfile()
    profile.backend = .ldap
    profile.base = base
    return profile
}

/// A cache over a helper that knows `ada` and nobody else, and says "trouble" of `broken`.
private func withCache<Value: Sendable>(
    found: Int = 100, missing: Int = 100, holds: Int = 0,
    _ body: @escaping @Sendable (DirectoryCache, FakeHelper) -> Value?
) async -> Value? {
    await apart {
        let folder = temporaryFolder()
        defer { rmdir(folder) }
        let held = Monitor<[DirectoryFrame]>([])
        let helper = FakeHelper(folder + "/socket") { frame, number in
            let answer: DirectoryFrame
            switch frame.texts.first {
            case "ada":
                answer = DirectoryFrame(id: frame.id, kind: .found, fields: DirectoryAccount(name: "ada").fields)
            case "broken": answer = DirectoryFrame(id: frame.id, kind: .unavailable, texts: ["trouble"])
            default: answer = DirectoryFrame(id: frame.id, kind: .missing)
            }
            let ready = held.withLock { held in
                held.append(answer)
                guard number > holds else { return [DirectoryFrame]() }
                defer { held = [] }
                return held
            }
            return .frames(ready)
        }
        guard let helper else { return nil }
        defer { helper.end() }
        let client = DirectoryClient(sockets: [helper.path])
        defer { client.close() }
        let cache = DirectoryCache(client: client)
        cache.use(profile(), .init(found: found, missing: missing))
        return body(cache, helper)
    }
}

/// Waits for the answer when it is not at hand.
private func find(_ address: MailAddress, _ cache: DirectoryCache) -> DirectoryCache.Answer? {
    let answers = Answers<DirectoryCache.Answer>()
    return cache.find(address) { answers.add($0) } ?? answers.wait().first
}

@Suite struct DirectoryCacheTests {
    @Test(
        "Answers are kept for their time, the unknown and the trouble too",
        arguments: [
            ("ada", 100, 100, 1), ("nobody", 100, 100, 1), ("broken", 100, 100, 1), ("nobody", 100, 0, 2),
            ("ada", 0, 100, 2),
        ] as [(String, Int, Int, Int)])
    func kept(_ name: String, _ found: Int, _ missing: Int, _ questions: Int) async {
        let asked = await withCache(found: found, missing: missing) { cache, helper -> Int? in
            let address = MailAddress(localPart: name, domain: "in.example")
            let first = find(address, cache)
            let second = find(address, cache)
            return first == second ? helper.asked.count : -1
        }
        #expect(asked == questions)
    }

    @Test("Several who ask for one account at a time cost one question") func together() async {
        let (asked, told) =
            await withCache(holds: 1) { cache, helper -> (Int, Int)? in
                let answers = Answers<DirectoryCache.Answer>()
                for _ in 0..<20 where cache.find(ada, completion: { answers.add($0) }) != nil { return nil }
                guard helper.wait(for: 1) else { return nil }
                // A second question brings the answer to the first along.
                _ = find(MailAddress(localPart: "grace", domain: "in.example"), cache)
                let told = answers.wait(20).filter { $0 == .found(DirectoryAccount(name: "ada")) }.count
                return (helper.asked.filter { $0.texts.first == "ada" }.count, told)
            } ?? (0, 0)
        #expect(asked == 1 && told == 20)
    }

    @Test("Another directory forgets all answers; other ages forget none") func other() async {
        let asked = await withCache { cache, helper -> [Int]? in
            _ = find(ada, cache)
            cache.use(profile(), .init(found: 50, missing: 50))
            _ = find(ada, cache)
            let before = helper.asked.count
            cache.use(profile("dc=other"), .init(found: 50, missing: 50))
            let kept = cache.count
            _ = find(ada, cache)
            return [before, kept, helper.asked.count]
        }
        #expect(asked == [1, 0, 2])
    }

    @Test("An answer that was asked of the directory before counts for whoever waits, and is not kept") func older()
        async
    {
        let kept = await withCache(holds: 1) { cache, helper -> [Int]? in
            let answers = Answers<DirectoryCache.Answer>()
            guard cache.find(ada, completion: { answers.add($0) }) == nil, helper.wait(for: 1) else { return nil }
            cache.use(profile("dc=other"), .init(found: 50, missing: 50))
            _ = find(MailAddress(localPart: "grace", domain: "in.example"), cache)
            return [answers.wait().count, cache.atHand(ada) == nil ? 0 : 1]
        }
        #expect(kept == [1, 0])
    }

    @Test("What is forgotten is asked for again") func forgotten() async {
        let asked = await withCache { cache, helper -> Int? in
            _ = find(ada, cache)
            cache.forget(ada)
            _ = find(ada, cache)
            return helper.asked.count
        }
        #expect(asked == 2)
    }

    @Test("Strangers cannot fill the memory") func bounded() async {
        let count = await withCache { cache, _ -> Int? in
            let answers = Answers<DirectoryCache.Answer>()
            // In portions: the client lets so many wait at a time.
            let (portions, size) = (13, 1_000)
            for portion in 0..<portions {
                for index in 0..<size {
                    _ = cache.find(MailAddress(localPart: "x\(portion)-\(index)", domain: "in.example")) {
                        answers.add($0)
                    }
                }
                guard answers.wait((portion + 1) * size).count >= (portion + 1) * size else { return nil }
            }
            return cache.count
        }
        #expect(count.map { $0 <= DirectoryCache.limit && $0 >= DirectoryCache.limit / 2 } == true)
    }

    @Test("Without a directory there is an answer at once") func none() {
        let cache = DirectoryCache(client: DirectoryClient(sockets: []))
        #expect(cache.find(ada) { _ in } == .unavailable("no directory is set"))
    }
}
