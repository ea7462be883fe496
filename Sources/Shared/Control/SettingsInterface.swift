/// org.epost.Settings: read, check, change, history, revert. Values travel as lists of texts: one element for a single
/// value, `true`/`false` for switches, decimal digits for numbers; a secret is never sent to a client (its values are
/// `["********"]` when set, `[]` when not).
package enum SettingsInterface {
    package enum List: ControlMethod {
        package static let name = "org.epost.Settings.List"
        package static let isReadOnly = true
        package struct Input: Codable, Hashable, Sendable {
            /// Only keys that begin so; `nil` = all.
            package var prefix: String?
            package init(prefix: String? = nil) { self.prefix = prefix }
        }
        package struct Output: Codable, Hashable, Sendable {
            package var settings: [SettingEntry]
            package var revision: Int
            package init(settings: [SettingEntry], revision: Int) {
                self.settings = settings
                self.revision = revision
            }
        }
    }

    package enum Validate: ControlMethod {
        package static let name = "org.epost.Settings.Validate"
        package static let mayWait = true
        package static let isReadOnly = true
        package struct Input: Codable, Hashable, Sendable {
            package var changes: [SettingChange]
            package init(changes: [SettingChange]) { self.changes = changes }
        }
        package struct Output: Codable, Hashable, Sendable {
            package var problems: [Problem]
            package init(problems: [Problem]) { self.problems = problems }
        }
    }

    /// All or nothing. Errors: `Refused` with problems, `Conflict` when a base revision is not the newest of its key.
    package enum Apply: ControlMethod {
        package static let name = "org.epost.Settings.Apply"
        package static let mayWait = true
        package struct Input: Codable, Hashable, Sendable {
            package var changes: [SettingChange]
            package var note: String
            package var dryRun: Bool
            package init(changes: [SettingChange], note: String = "", dryRun: Bool = false) {
                self.changes = changes
                self.note = note
                self.dryRun = dryRun
            }
        }
        package typealias Output = Applied
    }

    package enum History: ControlMethod {
        package static let name = "org.epost.Settings.History"
        package static let isReadOnly = true
        package struct Input: Codable, Hashable, Sendable {
            /// Only revisions below this one; `nil` = newest first.
            package var before: Int?
            package var limit: Int
            /// Only revisions that touched this path or one below it.
            package var path: String?
            package init(before: Int? = nil, limit: Int = 100, path: String? = nil) {
                self.before = before
                self.limit = limit
                self.path = path
            }
        }
        package struct Output: Codable, Hashable, Sendable {
            package var revisions: [Revision]
            package init(revisions: [Revision]) { self.revisions = revisions }
        }
    }

    /// Undoes one revision as a new one. Errors: `NotFound`, `Conflict` when a later revision changed the same place,
    /// `Refused` where it cannot be undone (a deleted mailbox).
    package enum Revert: ControlMethod {
        package static let name = "org.epost.Settings.Revert"
        package static let mayWait = true
        package struct Input: Codable, Hashable, Sendable {
            package var revision: Int
            package var note: String
            package var dryRun: Bool
            package init(revision: Int, note: String = "", dryRun: Bool = false) {
                self.revision = revision
                self.note = note
                self.dryRun = dryRun
            }
        }
        package typealias Output = Applied
    }
}

package struct SettingEntry: Codable, Hashable, Sendable {
    package var key: String
    package var values: [String]
    package var isDefault: Bool
    /// Revision that last changed it; 0 = never. The base revision of a change.
    package var revision: Int
    package init(key: String, values: [String], isDefault: Bool, revision: Int) {
        self.key = key
        self.values = values
        self.isDefault = isDefault
        self.revision = revision
    }
}

package struct SettingChange: Codable, Hashable, Sendable {
    package var key: String
    /// `nil` = back to the default.
    package var values: [String]?
    /// `nil` = do not look whether somebody else changed it.
    package var baseRevision: Int?
    package init(key: String, values: [String]?, baseRevision: Int? = nil) {
        self.key = key
        self.values = values
        self.baseRevision = baseRevision
    }
}

package struct Applied: Codable, Hashable, Sendable {
    /// The new revision; the newest one after a dry run or when nothing changed.
    package var revision: Int
    /// What was (or would be) changed.
    package var changes: [ChangeRecord]
    /// How each change takes effect: `now`, `newSessions`, `restart.epstrs`, …; same order as `changes`.
    package var effects: [String]
    package var warnings: [Problem]
    package init(revision: Int, changes: [ChangeRecord], effects: [String], warnings: [Problem]) {
        self.revision = revision
        self.changes = changes
        self.effects = effects
        self.warnings = warnings
    }
}

/// One place of the configuration before and after.
package struct ChangeRecord: Codable, Hashable, Sendable {
    /// Setting key, `domain/example.jp`, `account/taro@example.jp`, `table/effect`.
    package var path: String
    /// Texts for people; `nil` = did not exist; secrets are `********`.
    package var old: [String]?
    package var new: [String]?
    package init(path: String, old: [String]?, new: [String]?) {
        self.path = path
        self.old = old
        self.new = new
    }
}

package struct Revision: Codable, Hashable, Sendable {
    package var revision: Int
    /// Milliseconds since 1970.
    package var time: Int
    package var author: String
    package var origin: String
    package var note: String
    /// The first 200 of them, or fewer in a long answer.
    package var changes: [ChangeRecord]
    /// How many there are when not all are told.
    package var count: Int?
    package init(
        revision: Int, time: Int, author: String, origin: String, note: String, changes: [ChangeRecord],
        count: Int? = nil
    ) {
        self.revision = revision
        self.time = time
        self.author = author
        self.origin = origin
        self.note = note
        self.changes = changes
        self.count = count
    }
}
