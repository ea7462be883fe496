/// The values of one place of the configuration as texts; `nil` = it does not exist (or: back to the default).
typealias Values = [String]?

/// One place as the server has it.
struct ServerValue: Hashable, Sendable {
    var values: Values
    /// Revision that last changed the place; 0 = never.
    var revision: Int
    var author = ""
    var origin = ""
    /// Milliseconds since 1970 when it was changed; 0 = not known.
    var time = 0
}

/// A change that waits for Apply: the value when it was begun, and the new one (console.md 6.1).
struct StagedEdit: Hashable, Sendable {
    /// Setting key, `domain/NAME` or `table/NAME`.
    var path: String
    var base: ServerValue
    var new: Values
    /// Never saved to disk, never shown.
    var isSecret = false
    /// What somebody else made of the place meanwhile; the edit is in conflict while this is set.
    var theirs: ServerValue?

    var isConflict: Bool { theirs != nil }
    /// Sent by a call of its own, not with the settings.
    var isRecord: Bool { path.contains("/") }
}

/// All staged changes, in the order in which they were begun, with undo. A value: what it does depends on what it is
/// given alone.
struct Draft: Hashable, Sendable {
    private(set) var edits: [StagedEdit] = []
    fileprivate var undone: [Step] = []
    fileprivate var done: [Step] = []

    /// What one `u` takes back: the state of one or more places before and after.
    fileprivate struct Step: Hashable, Sendable {
        var before: [String: StagedEdit?]
        var after: [String: StagedEdit?]
    }

    /// Undo goes back this far.
    static let undoLimit = 200

    init() {}

    subscript(path: String) -> StagedEdit? { edits.first { $0.path == path } }
    var isEmpty: Bool { edits.isEmpty }
    var count: Int { edits.count }
    var conflicts: [StagedEdit] { edits.filter(\.isConflict) }
    /// What Apply can send.
    var ready: [StagedEdit] { edits.filter { !$0.isConflict } }
    var canUndo: Bool { !done.isEmpty }
    var canRedo: Bool { !undone.isEmpty }

    /// Stages `new` for `path`; staging what the server has anyway takes the edit away.
    mutating func stage(_ path: String, _ new: Values, server: ServerValue, isSecret: Bool = false) {
        var edit = self[path] ?? StagedEdit(path: path, base: server, new: new, isSecret: isSecret)
        edit.new = new
        let settled = (edit.theirs ?? edit.base).values
        record([path: new == settled && !isSecret ? nil : edit])
    }

    /// Takes edits away.
    mutating func drop(_ paths: [String]) {
        var changes: [String: StagedEdit?] = [:]
        for path in paths where self[path] != nil { changes[path] = .some(nil) }
        record(changes)
    }

    /// Ends a conflict for mine: what they wrote is the new base, and Apply overwrites it knowingly.
    mutating func keepMine(_ path: String) {
        guard var edit = self[path], let theirs = edit.theirs else { return }
        edit.base = theirs
        edit.theirs = nil
        record([path: edit])
    }

    mutating func takeTheirs(_ path: String) {
        guard self[path]?.theirs != nil else { return }
        drop([path])
    }

    // MARK: - The server moves on

    enum Outcome: Hashable, Sendable {
        /// Not in the draft.
        case notStaged
        /// They set what I wanted: my edit is gone.
        case sameAsMine
        case conflict
        /// The place did not change, only its revision did, or both changes fit beside each other.
        case rebased
    }

    /// The server's value of `path` is now `value`. Not undoable: it is not the user's doing. Undo steps that hold an edit
    /// of the place are moved to the new value too, so that undo never brings back a stale base.
    mutating func serverChanged(_ path: String, to value: ServerValue) -> Outcome {
        let outcome = rebaseCurrent(path, value)
        for index in done.indices { done[index].rebase(path, value) }
        for index in undone.indices { undone[index].rebase(path, value) }
        return outcome
    }

    private mutating func rebaseCurrent(_ path: String, _ value: ServerValue) -> Outcome {
        guard let edit = self[path] else { return .notStaged }
        let rebased = edit.rebased(on: value)
        set(path, rebased)
        guard let rebased else { return .sameAsMine }
        return rebased.isConflict ? .conflict : .rebased
    }

    /// The server took these edits; they leave the draft and cannot be undone from here (History does that).
    mutating func applied(_ paths: some Sequence<String>) {
        let gone = Set(paths)
        edits.removeAll { gone.contains($0.path) }
        let touches: (Step) -> Bool = { step in step.after.keys.contains(where: gone.contains) }
        done.removeAll(where: touches)
        undone.removeAll(where: touches)
    }

    // MARK: - Undo

    /// - Returns: the paths that changed.
    mutating func undo() -> [String] {
        guard let step = done.popLast() else { return [] }
        undone.append(step)
        for (path, edit) in step.before { set(path, edit) }
        return step.before.keys.sorted()
    }

    mutating func redo() -> [String] {
        guard let step = undone.popLast() else { return [] }
        done.append(step)
        for (path, edit) in step.after { set(path, edit) }
        return step.after.keys.sorted()
    }

    private mutating func record(_ changes: [String: StagedEdit?]) {
        var before: [String: StagedEdit?] = [:]
        var after: [String: StagedEdit?] = [:]
        for (path, edit) in changes where self[path] != edit {
            before[path] = .some(self[path])
            after[path] = .some(edit)
            set(path, edit)
        }
        guard !after.isEmpty else { return }
        done.append(Step(before: before, after: after))
        if done.count > Self.undoLimit { done.removeFirst() }
        undone.removeAll()
    }

    private mutating func set(_ path: String, _ edit: StagedEdit?) {
        if let index = edits.firstIndex(where: { $0.path == path }) {
            if let edit { edits[index] = edit } else { edits.remove(at: index) }
        } else if let edit {
            edits.append(edit)
        }
    }
}

extension Draft.Step {
    fileprivate mutating func rebase(_ path: String, _ value: ServerValue) {
        if let edit = before[path] ?? nil { before[path] = .some(edit.rebased(on: value)) }
        if let edit = after[path] ?? nil { after[path] = .some(edit.rebased(on: value)) }
    }
}

extension StagedEdit {
    /// This edit after the server's value became `value`; `nil` when nothing is left to do.
    fileprivate func rebased(on value: ServerValue) -> StagedEdit? {
        var edit = self
        if isSecret {
            // Its values are never known here: only a newer revision tells that somebody else set it.
            if value.revision > (theirs ?? base).revision { edit.theirs = value }
            return edit
        }
        if value.values == new { return nil }
        if value.values == base.values {
            edit.base = value
            edit.theirs = nil
            return edit
        }
        if let merged = Self.merge(path: path, base: base.values, mine: new, theirs: value.values) {
            edit.base = value
            edit.theirs = nil
            edit.new = merged
            return merged == value.values ? nil : edit
        }
        edit.theirs = value
        return edit
    }

    /// Records (`domain/…`) merge field by field when no field was changed by both sides; `nil` = they cannot.
    private static func merge(path: String, base: Values, mine: Values, theirs: Values) -> Values? {
        guard path.hasPrefix("domain/"), let base, let mine, let theirs,
            base.count == mine.count, base.count == theirs.count
        else { return nil }
        var merged: [String] = []
        for index in base.indices {
            let (was, own, other) = (base[index], mine[index], theirs[index])
            if own == was || own == other {
                merged.append(other)
            } else if other == was {
                merged.append(own)
            } else {
                return nil
            }
        }
        return .some(merged)
    }
}
