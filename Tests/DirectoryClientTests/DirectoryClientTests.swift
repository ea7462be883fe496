import DirectoryWire
import Glibc
import Testing
import Threads

@testable import DirectoryClient

private let ada = DirectoryAccount(name: "ada", fullName: "Ada Lovelace")

private func profile(_ backend: DirectoryProfile.Backend = .ldap) -> DirectoryProfile {
    var profile = DirectoryProfile()
    profile.backend = backend
    profile.timeout = 1
    return profile
}

private func say(_ answer: DirectoryClient.Answer) -> String {
    switch answer {
    case .found(let account): "found \(account.name)"
    case .missing: "missing"
    case .right(let account): "right \(account.name)"
    case .wrong(let finding): "wrong \(finding)"
    case .list(let accounts): "list " + accounts.map(\.name).joined(separator: " ")
    case .report(let steps): "report " + steps.map { "\($0.name) \($0.isRight) \($0.detail)" }.joined(separator: ", ")
    case .unavailable(let detail): "unavailable \(detail)"
    }
}

private let texts: @Sendable (String...) -> [[UInt8]] = { $0.map { Array($0.utf8) } }

/// Asks one question of a helper that replies as told.
private func ask(
    _ kind: DirectoryFrame.Kind, milliseconds: Int = 20_000,
    reply: @escaping @Sendable (DirectoryFrame, Int) -> FakeHelper.Reply
) async -> (answer: String, asked: [FakeHelper.Asked]) {
    await apart {
        let folder = temporaryFolder()
        defer { rmdir(folder) }
        guard let helper = FakeHelper(folder + "/socket", reply: reply) else { return ("no helper", []) }
        defer { helper.end() }
        let client = DirectoryClient(sockets: [helper.path])
        defer { client.close() }
        let answers = Answers<String>()
        client.ask(kind, texts("ada", "in.example"), profile(), milliseconds: milliseconds) { answers.add(say($0)) }
        return (answers.wait().first ?? "no answer", helper.asked)
    }
}

@Suite struct DirectoryClientTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let kind: DirectoryFrame.Kind
        let reply: @Sendable (DirectoryFrame) -> FakeHelper.Reply
        let answer: String
    }
    private static let unreadable = "unavailable epost-directory gave an answer that cannot be read"

    static let cases: [Case] = [
        Case(testDescription: "found", kind: .find) {
            .frames([DirectoryFrame(id: $0.id, kind: .found, fields: ada.fields)])
        } answer: {
            "found ada"
        },
        Case(testDescription: "missing", kind: .find) {
            .frames([DirectoryFrame(id: $0.id, kind: .missing)])
        } answer: {
            "missing"
        },
        Case(testDescription: "right", kind: .check) {
            .frames([DirectoryFrame(id: $0.id, kind: .right, fields: ada.fields)])
        } answer: {
            "right ada"
        },
        Case(testDescription: "wrong", kind: .check) {
            .frames([DirectoryFrame(id: $0.id, kind: .wrong, texts: ["LDAP: Invalid credentials"])])
        } answer: {
            "wrong LDAP: Invalid credentials"
        },
        Case(testDescription: "trouble", kind: .find) {
            .frames([DirectoryFrame(id: $0.id, kind: .unavailable, texts: ["LDAP: Can't contact LDAP server"])])
        } answer: {
            "unavailable LDAP: Can't contact LDAP server"
        },
        Case(testDescription: "an account without a name", kind: .find) {
            .frames([DirectoryFrame(id: $0.id, kind: .found, texts: ["", "x", "", "1"])])
        } answer: {
            unreadable
        },
        Case(testDescription: "a question as an answer", kind: .find) {
            .frames([DirectoryFrame(id: $0.id, kind: .find, texts: ["ada", "in.example"])])
        } answer: {
            unreadable
        },
        Case(testDescription: "pages", kind: .list) {
            .frames([
                DirectoryFrame(id: $0.id, kind: .page, fields: [Array("1".utf8)] + ada.fields),
                DirectoryFrame(id: $0.id, kind: .page, texts: ["0", "grace", "", "", "1"]),
            ])
        } answer: {
            "list ada grace"
        },
        Case(testDescription: "a report", kind: .test) {
            .frames([DirectoryFrame(id: $0.id, kind: .report, texts: ["connect", "1", "ldap://a", "bind", "0", "no"])])
        } answer: {
            "report connect true ldap://a, bind false no"
        },
    ]

    @Test("Answers are read", arguments: cases) func answers(_ row: Case) async {
        let (answer, asked) = await ask(row.kind) { frame, _ in row.reply(frame) }
        #expect(answer == row.answer)
        #expect(asked == [.init(kind: row.kind, texts: ["ada", "in.example"], backend: "ldap")])
    }

    @Test("Silence ends with the question's time") func silence() async {
        let (answer, _) = await ask(.find, milliseconds: 30) { _, _ in .silence }
        #expect(answer == "unavailable the directory did not answer in time")
    }

    @Test("What was under way when the helper ends is asked once more, and no more often") func ends() async {
        let (again, twice) = await ask(.find) { frame, number in
            number == 1 ? .close : .frames([DirectoryFrame(id: frame.id, kind: .found, fields: ada.fields)])
        }
        #expect(again == "found ada" && twice.count == 2)
        let (lost, asked) = await ask(.find) { _, _ in .close }
        #expect(lost == "unavailable epost-directory has ended" && asked.count == 2)
    }

    @Test("Octets that are no frame end the connection") func garbage() async {
        let (answer, asked) = await ask(.find) { _, _ in .octets([255, 255, 255, 255, 0]) }
        #expect(answer == "unavailable epost-directory has ended" && asked.count == 2)
    }

    @Test("An answer to nobody's question is left lying") func strangers() async {
        let (answer, _) = await ask(.find) { frame, _ in
            .frames([
                DirectoryFrame(id: frame.id &+ 7, kind: .missing),
                DirectoryFrame(id: frame.id, kind: .found, fields: ada.fields),
            ])
        }
        #expect(answer == "found ada")
    }

    @Test("Without a helper the question is answered, in its own time") func nobody() async {
        let answer = await apart {
            let client = DirectoryClient(sockets: ["/nonexistent/socket"])
            defer { client.close() }
            let answers = Answers<String>()
            client.ask(.find, texts("ada", "in.example"), profile(), milliseconds: 50) { answers.add(say($0)) }
            return answers.wait().first ?? ""
        }
        #expect(answer == "unavailable the directory did not answer in time")
    }

    @Test("A helper that is only being started is waited for") func late() async {
        let answer = await apart {
            let folder = temporaryFolder()
            defer { rmdir(folder) }
            let client = DirectoryClient(sockets: [folder + "/socket"])
            defer { client.close() }
            let answers = Answers<String>()
            client.ask(.find, texts("ada", "in.example"), profile(), milliseconds: 20_000) { answers.add(say($0)) }
            let helper = FakeHelper(folder + "/socket") { frame, _ in
                .frames([DirectoryFrame(id: frame.id, kind: .missing)])
            }
            defer { helper?.end() }
            return answers.wait().first ?? ""
        }
        #expect(answer == "missing")
    }

    @Test("Accounts of the system are asked of the privileged helper, directories never") func sockets() async {
        let (privileged, own) = await apart { () -> ([String], [String]) in
            let folder = temporaryFolder()
            defer { rmdir(folder) }
            let missing: @Sendable (DirectoryFrame, Int) -> FakeHelper.Reply = { frame, _ in
                .frames([DirectoryFrame(id: frame.id, kind: .missing)])
            }
            guard let first = FakeHelper(folder + "/systemd", reply: missing),
                let second = FakeHelper(folder + "/own", reply: missing)
            else { return ([], []) }
            defer {
                first.end()
                second.end()
            }
            let client = DirectoryClient(sockets: [first.path, second.path])
            defer { client.close() }
            for backend in [DirectoryProfile.Backend.system, .ldap, .system] {
                let answers = Answers<String>()
                client.ask(.find, texts("ada", "x"), profile(backend), milliseconds: 20_000) { answers.add(say($0)) }
                _ = answers.wait()
            }
            return (first.asked.map(\.backend), second.asked.map(\.backend))
        }
        #expect(privileged == ["system", "system"] && own == ["ldap"])
    }

    @Test("A question that is too long is answered at once") func long() async {
        let answer = await apart {
            let client = DirectoryClient(sockets: ["/nonexistent/socket"])
            let answers = Answers<String>()
            let fields = [[UInt8](repeating: 65, count: DirectoryFrame.maximumOctets)]
            client.ask(.find, fields, profile(), milliseconds: 20_000) { answers.add(say($0)) }
            return answers.wait().first ?? ""
        }
        #expect(answer == "unavailable too many questions to the directory wait")
    }

    @Test("One connection serves many questions, whatever order the answers have") func order() async {
        let (found, connections) = await apart { () -> (Set<String>, Int) in
            let folder = temporaryFolder()
            defer { rmdir(folder) }
            let held = Monitor<[DirectoryFrame]>([])
            let helper = FakeHelper(folder + "/socket") { frame, number in
                let account = DirectoryAccount(name: frame.texts[0])
                let all = held.withLock { held in
                    held.append(DirectoryFrame(id: frame.id, kind: .found, fields: account.fields))
                    return held
                }
                return number < 50 ? .silence : .frames(all.reversed())
            }
            guard let helper else { return ([], 0) }
            defer { helper.end() }
            let client = DirectoryClient(sockets: [helper.path])
            defer { client.close() }
            let answers = Answers<String>()
            for index in 0..<50 {
                client.ask(.find, texts("user\(index)", "x"), profile(), milliseconds: 20_000) { answer in
                    answers.add("user\(index): \(say(answer))")
                }
            }
            return (Set(answers.wait(50)), helper.connections)
        }
        #expect(found == Set((0..<50).map { "user\($0): found user\($0)" }))
        #expect(connections == 1)
    }
}

extension DirectoryClientTests.Case {
    fileprivate init(
        testDescription: String, kind: DirectoryFrame.Kind,
        _ reply: @escaping @Sendable (DirectoryFrame) -> FakeHelper.Reply, answer: () -> String
    ) {
        self.init(testDescription: testDescription, kind: kind, reply: reply, answer: answer())
    }
}
