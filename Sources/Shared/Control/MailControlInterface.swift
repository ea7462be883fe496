/// What IMS.CTL says, field by field (spec file 11, part 4). In an answer every field is there; in a question those
/// that shall change.
package struct MailControl: Codable, Hashable, Sendable {
    /// Off: the file is kept and ignored.
    package var enabled: Bool?
    /// An address or `FILE:/path`; empty: no forwarding.
    package var forwardTo: String?
    /// Only senders of PERMITFROM.TXT.
    package var permitFrom: Bool?
    /// `Admin`, `Sender`, `None` or an address.
    package var reportTo: String?
    package var deleteAttachments: Bool?
    /// Octets of text in a forwarded mail; -1: no limit.
    package var sizeLimit: Int?
    package var reply: Bool?
    package var subject: String?
    package var replyFrom: String?
    package var replyTo: String?
    /// The reply holds the mail; without its header when `withoutHeader`.
    package var echo: Bool?
    package var withoutHeader: Bool?
    /// Senders are written to REPLIED.TXT.
    package var record: Bool?
    /// Senders are added to NOREPLY.TXT.
    package var once: Bool?
    /// Absolute path of an executable; empty: none.
    package var program: String?
    /// The mail is not left in the mailbox.
    package var discard: Bool?

    package init() {}

    package var isEmpty: Bool { self == MailControl() }
}

/// One text beside IMS.CTL that shall be written with it.
package struct AccountFileText: Codable, Hashable, Sendable {
    /// `permitfrom`, `reply`, `noreply`, …
    package var file: String
    package var text: String
    /// The file as the edit began with it; `nil` = whatever stands there is replaced.
    package var baseEtag: String?
    package init(file: String, text: String, baseEtag: String? = nil) {
        self.file = file
        self.text = text
        self.baseEtag = baseEtag
    }
}

package struct AccountFileState: Codable, Hashable, Sendable {
    package var file: String
    /// Its name in the mailbox, letter case as found.
    package var name: String
    package var exists: Bool
    /// Lines that are not empty.
    package var lines: Int
    package var etag: String
    package init(file: String, name: String, exists: Bool, lines: Int, etag: String) {
        self.file = file
        self.name = name
        self.exists = exists
        self.lines = lines
        self.etag = etag
    }
}

extension DirectoryInterface {
    /// Forwarding, automatic reply and program of an account; with `values`, as they would be.
    package enum GetMailControl: ControlMethod {
        package static let name = "org.epost.Directory.GetMailControl"
        package static let isReadOnly = true
        package struct Input: Codable, Hashable, Sendable {
            package var address: String
            /// Put over what the file says; nothing is written.
            package var values: MailControl?
            package init(address: String, values: MailControl? = nil) {
                self.address = address
                self.values = values
            }
        }
        package struct Output: Codable, Hashable, Sendable {
            package var control: MailControl
            /// IMS.CTL, with `values` as it would be written.
            package var text: String
            /// Base of a change.
            package var etag: String
            /// The files beside it.
            package var files: [AccountFileState]
            /// `admin.account`, whose mail is never forwarded; empty = none is set.
            package var administrator: String
            /// `delivery.srs`
            package var rewritesSenders: Bool
            package var problems: [Problem]
            package init(
                control: MailControl, text: String, etag: String, files: [AccountFileState], administrator: String,
                rewritesSenders: Bool, problems: [Problem]
            ) {
                self.control = control
                self.text = text
                self.etag = etag
                self.files = files
                self.administrator = administrator
                self.rewritesSenders = rewritesSenders
                self.problems = problems
            }
        }
    }

    /// Changes fields of IMS.CTL, and texts beside it, in one revision; every other octet stays. In force with the
    /// answer. Refused when a file was changed since its `baseEtag`.
    package enum SetMailControl: ControlMethod {
        package static let name = "org.epost.Directory.SetMailControl"
        package struct Input: Codable, Hashable, Sendable {
            package var address: String
            package var values: MailControl
            package var files: [AccountFileText]
            /// Of IMS.CTL; `nil` = whatever stands there is changed.
            package var baseEtag: String?
            package var note: String
            package init(
                address: String, values: MailControl, files: [AccountFileText] = [], baseEtag: String? = nil,
                note: String = ""
            ) {
                self.address = address
                self.values = values
                self.files = files
                self.baseEtag = baseEtag
                self.note = note
            }
        }
        package typealias Output = Applied
    }
}
