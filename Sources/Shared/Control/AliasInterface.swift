/// org.epost.Aliases: addresses that stand for other addresses (spec file 09).
package enum AliasInterface {
    /// A window of all aliases; an alias with several real addresses has a row for each.
    package enum List: ControlMethod {
        package static let name = "org.epost.Aliases.List"
        package static let isReadOnly = true
        package struct Input: Codable, Hashable, Sendable {
            /// Part of alias or real address, letter case ignored.
            package var filter: String?
            /// Only aliases of this domain.
            package var domain: String?
            /// `alias` or `target`.
            package var sort: String?
            package var descending: Bool?
            package var offset: Int
            /// 1–1,000.
            package var limit: Int
            /// Where this row is: alias and real address with a blank between.
            package var locate: String?
            package init(
                filter: String? = nil, domain: String? = nil, sort: String? = nil, descending: Bool? = nil,
                offset: Int = 0, limit: Int = 500, locate: String? = nil
            ) {
                self.filter = filter
                self.domain = domain
                self.sort = sort
                self.descending = descending
                self.offset = offset
                self.limit = limit
                self.locate = locate
            }
        }
        package struct Output: Codable, Hashable, Sendable {
            package var rows: [AliasEntry]
            package var total: Int
            package var offset: Int
            /// Of `locate`; `nil` when it is not among the rows.
            package var position: Int?
            /// Domains whose aliases are left out: they are protected, and the caller has not opened them.
            package var protected: [String]?
            package init(
                rows: [AliasEntry], total: Int, offset: Int, position: Int? = nil, protected: [String]? = nil
            ) {
                self.rows = rows
                self.total = total
                self.offset = offset
                self.position = position
                self.protected = protected
            }
        }
    }
    /// One alias with all its real addresses, in their order.
    package enum Get: ControlMethod {
        package static let name = "org.epost.Aliases.Get"
        package static let isReadOnly = true
        package struct Input: Codable, Hashable, Sendable {
            package var alias: String
            package init(alias: String) { self.alias = alias }
        }
        package struct Output: Codable, Hashable, Sendable {
            /// `real`, `real,0` or `real,1`; empty when there is no such alias.
            package var targets: [String]
            /// Base revision of a change; 0 = there is none.
            package var revision: Int
            package init(targets: [String], revision: Int) {
                self.targets = targets
                self.revision = revision
            }
        }
    }
    /// Gives an alias exactly these real addresses in this order; none removes it.
    package enum Set: ControlMethod {
        package static let name = "org.epost.Aliases.Set"
        package struct Input: Codable, Hashable, Sendable {
            package var alias: String
            /// `real`, `real,0` or `real,1`.
            package var targets: [String]
            package var baseRevision: Int?
            package var note: String
            package init(alias: String, targets: [String], baseRevision: Int? = nil, note: String = "") {
                self.alias = alias
                self.targets = targets
                self.baseRevision = baseRevision
                self.note = note
            }
        }
        package typealias Output = Applied
    }
    /// Adds one real address to an alias, behind those that it has.
    package enum Add: ControlMethod {
        package static let name = "org.epost.Aliases.Add"
        package struct Input: Codable, Hashable, Sendable {
            package var alias: String
            /// `real`, `real,0` or `real,1`.
            package var target: String
            package var note: String
            package init(alias: String, target: String, note: String = "") {
                self.alias = alias
                self.target = target
                self.note = note
            }
        }
        package typealias Output = Applied
    }
    /// Exchanges one real address of an alias for another, or moves it to another alias.
    package enum Change: ControlMethod {
        package static let name = "org.epost.Aliases.Change"
        package struct Input: Codable, Hashable, Sendable {
            package var alias: String
            /// The real address as it is now, with or without its option.
            package var target: String
            package var newAlias: String
            package var newTarget: String
            package var baseRevision: Int?
            package var note: String
            package init(
                alias: String, target: String, newAlias: String, newTarget: String, baseRevision: Int? = nil,
                note: String = ""
            ) {
                self.alias = alias
                self.target = target
                self.newAlias = newAlias
                self.newTarget = newTarget
                self.baseRevision = baseRevision
                self.note = note
            }
        }
        package typealias Output = Applied
    }
    package enum Remove: ControlMethod {
        package static let name = "org.epost.Aliases.Remove"
        package struct Input: Codable, Hashable, Sendable {
            package var alias: String
            /// Only this real address; `nil` = the alias with all of them.
            package var target: String?
            package var note: String
            package init(alias: String, target: String? = nil, note: String = "") {
                self.alias = alias
                self.target = target
                self.note = note
            }
        }
        package typealias Output = Applied
    }
    /// Adds the lines `alias<TAB>real[,n]` that are not there yet. A fault in any line and nothing is changed.
    /// The next part of a text that is too long for one call, to be imported by `Import`. Forgotten after ten idle
    /// minutes.
    package enum Send: ControlMethod {
        package static let name = "org.epost.Aliases.Send"
        package struct Input: Codable, Hashable, Sendable {
            /// What the first part answered; `nil` with the first.
            package var transfer: String?
            /// Whole lines.
            package var text: String
            package init(transfer: String? = nil, text: String) {
                self.transfer = transfer
                self.text = text
            }
        }
        package struct Output: Codable, Hashable, Sendable {
            package var transfer: String
            package init(transfer: String) { self.transfer = transfer }
        }
    }

    package enum Import: ControlMethod {
        package static let name = "org.epost.Aliases.Import"
        package static let mayWait = true
        package struct Input: Codable, Hashable, Sendable {
            /// Parts that were sent before `text`.
            package var transfer: String?
            package var text: String
            /// Aliases that the text does not hold are removed.
            package var replaces: Bool
            /// Only tell what would be done.
            package var dryRun: Bool
            package var note: String
            package init(
                transfer: String? = nil, text: String, replaces: Bool = false, dryRun: Bool = false, note: String = ""
            ) {
                self.transfer = transfer
                self.text = text
                self.replaces = replaces
                self.dryRun = dryRun
                self.note = note
            }
        }
        package struct Output: Codable, Hashable, Sendable {
            /// The new revision; the newest one after a dry run or when nothing changed.
            package var revision: Int
            /// Lines that are (or would be) new, were there already, are removed.
            package var added: Int
            package var kept: Int
            package var removed: Int
            /// Warnings; their paths are `line/12`.
            package var problems: [Problem]
            package init(revision: Int, added: Int, kept: Int, removed: Int, problems: [Problem]) {
                self.revision = revision
                self.added = added
                self.kept = kept
                self.removed = removed
                self.problems = problems
            }
        }
    }
    /// A window of all aliases as lines that `Import` takes.
    package enum Export: ControlMethod {
        package static let name = "org.epost.Aliases.Export"
        package static let isReadOnly = true
        package struct Input: Codable, Hashable, Sendable {
            package var offset: Int
            /// 1–10,000.
            package var limit: Int
            package init(offset: Int = 0, limit: Int = 5000) {
                self.offset = offset
                self.limit = limit
            }
        }
        package struct Output: Codable, Hashable, Sendable {
            package var text: String
            /// Lines in `text`, and in all.
            package var count: Int
            package var total: Int
            package init(text: String, count: Int, total: Int) {
                self.text = text
                self.count = count
                self.total = total
            }
        }
    }
    /// What would happen to a mail for an address: every step of its aliases, and where it ends. With `edits`, as if
    /// they were made; nothing is changed.
    package enum Test: ControlMethod {
        package static let name = "org.epost.Aliases.Test"
        package static let isReadOnly = true
        package struct Edit: Codable, Hashable, Sendable {
            package var alias: String
            /// `real`, `real,0`, `real,1`, all that it would have, in their order; empty: the alias would be gone.
            package var targets: [String]
            package init(alias: String, targets: [String]) {
                self.alias = alias
                self.targets = targets
            }
        }
        package struct Input: Codable, Hashable, Sendable {
            package var address: String
            package var edits: [Edit]?
            package init(address: String, edits: [Edit]? = nil) {
                self.address = address
                self.edits = edits
            }
        }
        package struct Output: Codable, Hashable, Sendable {
            package struct Place: Codable, Hashable, Sendable {
                /// Mailbox or outside address.
                package var address: String
                /// What the mailbox or the next server sees as recipient.
                package var envelope: String
                package var isLocal: Bool
                package init(address: String, envelope: String, isLocal: Bool) {
                    self.address = address
                    self.envelope = envelope
                    self.isLocal = isLocal
                }
            }
            package struct Dead: Codable, Hashable, Sendable {
                package var address: String
                /// `unknown`, `loop`, `too-long`, `too-many`.
                package var fault: String
                package init(address: String, fault: String) {
                    self.address = address
                    self.fault = fault
                }
            }
            package var places: [Place]
            /// Where a branch ends without a mailbox; the sender gets a report.
            package var dead: [Dead]
            package var steps: [Explanation.Step]
            /// Aliases of `edits` that the way led over.
            package var edited: [String]
            package init(places: [Place], dead: [Dead], steps: [Explanation.Step], edited: [String] = []) {
                self.places = places
                self.dead = dead
                self.steps = steps
                self.edited = edited
            }
        }
    }
}

package struct AliasEntry: Codable, Hashable, Sendable {
    package var alias: String
    /// Without option.
    package var target: String
    /// `auto`, `always`, `never`.
    package var rewrite: String
    /// `ok`, `chain` (leads to another alias), `external`, `no-domain` (the alias's domain is not operated), `no-box`
    /// (leads to nobody), `loop`.
    package var state: String
    /// Base revision of a change.
    package var revision: Int
    package init(alias: String, target: String, rewrite: String, state: String, revision: Int) {
        self.alias = alias
        self.target = target
        self.rewrite = rewrite
        self.state = state
        self.revision = revision
    }
}
