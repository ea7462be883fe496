/// org.epost.Policy: why it was decided so, and what would be decided.
package enum PolicyInterface {
    /// The record behind the reference at the end of a refusal.
    package enum Explain: ControlMethod {
        package static let name = "org.epost.Policy.Explain"
        package static let isReadOnly = true
        package struct Input: Codable, Hashable, Sendable {
            /// `7K2Q-93HD`
            package var reference: String
            package init(reference: String) { self.reference = reference }
        }
        package typealias Output = Explanation
    }

    /// The same policy functions with facts made up by the caller, and the receiver's own where it knows them: sessions
    /// open now, locks, block lists, mailboxes, users' rules. Nothing is sent or stored.
    package enum Evaluate: ControlMethod {
        package static let name = "org.epost.Policy.Evaluate"
        package static let isReadOnly = true
        package static let mayWait = true
        package struct Input: Codable, Hashable, Sendable {
            package var client: String
            package var sender: String
            package var recipient: String
            package var authenticatedID: String?
            package var isTLS: Bool
            /// Text of an effect.dat to try instead of the one in force.
            package var effect: String?
            /// As in EHLO.
            package var hello: String?
            /// Octets announced at MAIL.
            package var size: Int?
            /// The address of this machine that the client connects to; `nil`: any.
            package var local: String?
            /// Ask the block lists in force about the client; `false`: only answers at hand count. `nil`: ask.
            package var asksLists: Bool?
            package init(
                client: String, sender: String, recipient: String, authenticatedID: String? = nil, isTLS: Bool = false,
                effect: String? = nil, hello: String? = nil, size: Int? = nil, local: String? = nil,
                asksLists: Bool? = nil
            ) {
                self.local = local
                self.asksLists = asksLists
                self.client = client
                self.sender = sender
                self.recipient = recipient
                self.authenticatedID = authenticatedID
                self.isTLS = isTLS
                self.effect = effect
                self.hello = hello
                self.size = size
            }
        }
        package typealias Output = Explanation
    }
}

package struct Explanation: Codable, Hashable, Sendable {
    package struct Step: Codable, Hashable, Sendable {
        package var check: String
        package var finding: String
        /// `effect.dat:3`, a setting key, an RFC section; empty when there is none.
        package var source: String
        package var decided: Bool
        package init(check: String, finding: String, source: String, decided: Bool) {
            self.check = check
            self.finding = finding
            self.source = source
            self.decided = decided
        }
    }
    package var reference: String?
    package var time: Int?
    package var client: String
    package var listener: String?
    package var hello: String?
    package var isTLS: Bool
    package var authenticatedID: String?
    package var sender: String?
    package var recipient: String?
    package var moment: String
    /// Stable reason id, `recipient.relay`.
    package var reason: String
    package var isAccepted: Bool
    /// As sent: `550 5.7.1 relaying denied (ref 7K2Q-93HD)`; empty: the connection would be closed without a word.
    package var reply: String
    package var steps: [Step]
    package var remedy: String?
    package var settingsRevision: Int?
    package init(
        reference: String?, time: Int?, client: String, listener: String?, hello: String?, isTLS: Bool,
        authenticatedID: String?, sender: String?, recipient: String?, moment: String, reason: String,
        isAccepted: Bool, reply: String, steps: [Step], remedy: String?, settingsRevision: Int?
    ) {
        self.reference = reference
        self.time = time
        self.client = client
        self.listener = listener
        self.hello = hello
        self.isTLS = isTLS
        self.authenticatedID = authenticatedID
        self.sender = sender
        self.recipient = recipient
        self.moment = moment
        self.reason = reason
        self.isAccepted = isAccepted
        self.reply = reply
        self.steps = steps
        self.remedy = remedy
        self.settingsRevision = settingsRevision
    }
}

/// org.epost.Tables: the text tables below `conf/` (`effect`, `gateway`, `header`).
package enum TablesInterface {
    package enum Show: ControlMethod {
        package static let name = "org.epost.Tables.Show"
        package static let isReadOnly = true
        package struct Input: Codable, Hashable, Sendable {
            package var table: String
            package init(table: String) { self.table = table }
        }
        package struct Output: Codable, Hashable, Sendable {
            package var text: String
            package var path: String
            package var problems: [Problem]
            /// Changes with the file's content; the base of `Set`.
            package var etag: String
            package init(text: String, path: String, problems: [Problem], etag: String) {
                self.text = text
                self.path = path
                self.problems = problems
                self.etag = etag
            }
        }
    }
    package enum Check: ControlMethod {
        package static let name = "org.epost.Tables.Check"
        package static let isReadOnly = true
        package struct Input: Codable, Hashable, Sendable {
            package var table: String
            /// `nil` = the file in force.
            package var text: String?
            package init(table: String, text: String? = nil) {
                self.table = table
                self.text = text
            }
        }
        package struct Output: Codable, Hashable, Sendable {
            package var problems: [Problem]
            package init(problems: [Problem]) { self.problems = problems }
        }
    }
    /// Written atomically. Faults stop it (`Refused`); warnings do not.
    package enum Set: ControlMethod {
        package static let name = "org.epost.Tables.Set"
        package struct Input: Codable, Hashable, Sendable {
            package var table: String
            package var text: String
            package var baseEtag: String?
            package var note: String
            package init(table: String, text: String, baseEtag: String? = nil, note: String = "") {
                self.table = table
                self.text = text
                self.baseEtag = baseEtag
                self.note = note
            }
        }
        package typealias Output = Applied
    }
}
