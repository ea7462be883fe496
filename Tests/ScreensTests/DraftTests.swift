import Testing

@testable import ConsoleCore

/// Staged edits as a model: random edits of two administrators (console.md 8.1, item 2).
struct DraftTests {
    @Test func stagingTheServersValueIsNoEdit() {
        var draft = Draft()
        let server = ServerValue(values: ["25"], revision: 1)
        draft.stage("receiver.port", ["2525"], server: server)
        #expect(draft["receiver.port"]?.new == ["2525"])
        draft.stage("receiver.port", ["25"], server: server)
        #expect(draft.isEmpty)
    }

    @Test func undoAndRedoGoStepByStep() {
        var draft = Draft()
        let server = ServerValue(values: ["1"], revision: 1)
        draft.stage("a", ["2"], server: server)
        draft.stage("a", ["3"], server: server)
        draft.stage("b", ["9"], server: server)
        #expect(draft.undo() == ["b"])
        #expect(draft.undo() == ["a"])
        #expect(draft["a"]?.new == ["2"])
        #expect(draft.redo() == ["a"])
        #expect(draft["a"]?.new == ["3"])
        draft.stage("c", ["1"], server: ServerValue(values: nil, revision: 0))
        #expect(draft.redo() == [])
    }

    @Test func droppingManyIsOneUndo() {
        var draft = Draft()
        for path in ["a", "b", "c"] { draft.stage(path, ["x"], server: ServerValue(values: [], revision: 0)) }
        draft.drop(["a", "b", "c"])
        #expect(draft.isEmpty)
        #expect(draft.undo() == ["a", "b", "c"])
        #expect(draft.count == 3)
    }

    @Test func aChangeOfTheSamePlaceIsAConflictUntilItIsSettled() {
        var draft = Draft()
        draft.stage("threads", ["24"], server: ServerValue(values: ["20"], revision: 1))
        let theirs = ServerValue(values: ["32"], revision: 2, author: "sato")
        #expect(draft.serverChanged("threads", to: theirs) == .conflict)
        #expect(draft.ready.isEmpty)
        draft.keepMine("threads")
        #expect(draft["threads"]?.base.revision == 2)
        #expect(draft.ready.map(\.path) == ["threads"])
        #expect(draft.serverChanged("threads", to: ServerValue(values: ["40"], revision: 3)) == .conflict)
        draft.takeTheirs("threads")
        #expect(draft.isEmpty)
    }

    @Test func theSameChangeByAnotherLeavesNothingToDo() {
        var draft = Draft()
        draft.stage("a", ["2"], server: ServerValue(values: ["1"], revision: 1))
        #expect(draft.serverChanged("a", to: ServerValue(values: ["2"], revision: 2)) == .sameAsMine)
        #expect(draft.isEmpty)
    }

    @Test func differentFieldsOfADomainMerge() {
        var draft = Draft()
        let base = ["0", "common", "192.0.2.1", ""]
        draft.stage(
            "domain/x.example", ["50", "common", "192.0.2.1", ""], server: ServerValue(values: base, revision: 1))
        let theirs = ServerValue(values: ["0", "common", "192.0.2.9", ""], revision: 2)
        #expect(draft.serverChanged("domain/x.example", to: theirs) == .rebased)
        #expect(draft["domain/x.example"]?.new == ["50", "common", "192.0.2.9", ""])
        let again = ServerValue(values: ["60", "common", "192.0.2.9", ""], revision: 3)
        #expect(draft.serverChanged("domain/x.example", to: again) == .conflict)
    }

    /// Undo must never bring back a base that the server has left, or Apply would be refused for no reason.
    @Test func undoKeepsUpWithTheServer() {
        var draft = Draft()
        draft.stage("a", ["2"], server: ServerValue(values: ["1"], revision: 1))
        draft.drop(["a"])
        _ = draft.serverChanged("a", to: ServerValue(values: ["7"], revision: 5))
        _ = draft.undo()
        #expect(draft["a"]?.isConflict == true)
    }

    @Test(arguments: 0..<60)
    func nobodysAppliedValueIsLost(seed: Int) {
        var random = Seeded(UInt64(seed + 1))
        var server: [String: ServerValue] = [:]
        for path in ["a", "b", "c"] { server[path] = ServerValue(values: ["0"], revision: 0) }
        var revision = 0
        var drafts = [Draft(), Draft()]
        var lastApplied: [String: String] = [:]
        for step in 0..<200 {
            let who = Int.random(in: 0..<2, using: &random)
            guard let path = ["a", "b", "c"].randomElement(using: &random), let held = server[path] else { continue }
            switch Int.random(in: 0..<6, using: &random) {
            case 0, 1, 2: drafts[who].stage(path, [String(step)], server: held)
            case 3: _ = drafts[who].undo()
            case 4:
                if Bool.random(using: &random) { drafts[who].keepMine(path) } else { drafts[who].takeTheirs(path) }
            default:
                // Apply: the server takes only edits whose base is its newest value.
                for edit in drafts[who].ready {
                    #expect(edit.base.revision == server[edit.path]?.revision, "Apply would be refused")
                    revision += 1
                    let value = ServerValue(values: edit.new, revision: revision)
                    lastApplied[edit.path] = edit.new?.first
                    server[edit.path] = value
                    drafts[who].applied([edit.path])
                    for draft in drafts.indices { _ = drafts[draft].serverChanged(edit.path, to: value) }
                }
            }
            for draft in drafts.indices {
                for edit in drafts[draft].edits {
                    let known = edit.theirs ?? edit.base
                    #expect(known.values == server[edit.path]?.values)
                }
            }
        }
        for (path, value) in lastApplied { #expect(server[path]?.values == [value]) }
        for draft in drafts.indices {
            drafts[draft].drop(drafts[draft].edits.map(\.path))
            #expect(drafts[draft].isEmpty)
        }
    }

    @Test func savedDraftComesBackWithoutSecrets() {
        var draft = Draft()
        draft.stage("a\tb", ["x\ny", ""], server: ServerValue(values: nil, revision: 3))
        draft.stage("c", nil, server: ServerValue(values: ["1"], revision: 4))
        draft.stage("admin.password_hash", ["hunter2"], server: ServerValue(values: [], revision: 0), isSecret: true)
        let text = DraftFile.text(of: draft, time: 77)
        #expect(!text.contains("hunter2"))
        let saved = DraftFile.read(text)
        #expect(saved?.time == 77)
        #expect(saved?.edits.map(\.path) == ["a\tb", "c"])
        #expect(saved?.edits.first?.new == ["x\ny", ""])
        #expect(saved?.edits.last?.new == .some(nil))
    }

    @Test(arguments: [
        "", "x", "epost-console draft 1", "epost-console draft 1\t5\nq", "epost-console draft 1\t5\n1\ta\t9\t+\tz",
    ])
    func halfADraftIsNone(text: String) {
        #expect(DraftFile.read(text) == nil)
    }
}

/// A generator whose numbers follow from its seed.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }
    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state &* 0x2545_F491_4F6C_DD1D
    }
}
