extension DirectoryInterface {
    /// Whether accounts of the system or of a directory can be reached, step by step, by the settings in force.
    package enum CheckDirectory: ControlMethod {
        package static let name = "org.epost.Directory.CheckDirectory"
        package static let mayWait = true
        package static let isReadOnly = true
        package struct Input: Codable, Hashable, Sendable {
            /// Account or address to look for.
            package var account: String?
            /// `system` or `ldap`, to check one that is not in use.
            package var backend: String?
            /// Settings `accounts.` and `ldap.` to try in place of those in force; only for who may change settings.
            package var settings: [SettingChange]?
            package init(account: String? = nil, backend: String? = nil, settings: [SettingChange]? = nil) {
                self.account = account
                self.backend = backend
                self.settings = settings
            }
        }
        package struct Output: Codable, Hashable, Sendable {
            /// `soft`: there is nothing to check.
            package var backend: String
            package var steps: [Step]
            package init(backend: String, steps: [Step]) {
                self.backend = backend
                self.steps = steps
            }
        }
        package struct Step: Codable, Hashable, Sendable {
            /// `settings`, `connect`, `bind`, `group`, `search`, `count`, `user`, `pam`; each has a text in the catalogue.
            package var name: String
            package var isRight: Bool
            /// What was found, or what is wrong, English.
            package var detail: String
            package init(name: String, isRight: Bool, detail: String) {
                self.name = name
                self.isRight = isRight
                self.detail = detail
            }
        }
    }
}
