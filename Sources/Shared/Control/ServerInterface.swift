/// org.epost.Server: who we talk to, its state, first set-up, what changes.
package enum ServerInterface {
    /// First call of a connection: says who calls, learns whom it reached.
    package enum Hello: ControlMethod {
        package static let name = "org.epost.Server.Hello"
        package static let isReadOnly = true
        package struct Input: Codable, Hashable, Sendable {
            /// Program name, `epost-console`.
            package var client: String
            /// Where the person sits (first word of SSH_CONNECTION), shown to others; information only.
            package var origin: String?
            /// Of protected domains that were opened on another connection (org.epost.Directory.OpenDomain).
            package var keys: [String]?
            package init(client: String, origin: String? = nil, keys: [String]? = nil) {
                self.client = client
                self.origin = origin
                self.keys = keys
            }
        }
        package struct Output: Codable, Hashable, Sendable {
            package var product: String
            package var version: String
            package var host: String
            /// Name of the person as the server knows it (from SO_PEERCRED).
            package var user: String
            package var mayChange: Bool
            package var isConfigured: Bool
            /// `/` for the file system hierarchy, else the root folder.
            package var root: String
            /// Seconds east of UTC on the server, for times on the screen.
            package var utcOffset: Int
            /// Whether a system management password is set (R-SRV-10).
            package var isLocked: Bool
            package init(
                product: String, version: String, host: String, user: String, mayChange: Bool, isConfigured: Bool,
                root: String, utcOffset: Int, isLocked: Bool
            ) {
                self.product = product
                self.version = version
                self.host = host
                self.user = user
                self.mayChange = mayChange
                self.isConfigured = isConfigured
                self.root = root
                self.utcOffset = utcOffset
                self.isLocked = isLocked
            }
        }
    }

    package enum GetStatus: ControlMethod {
        package static let name = "org.epost.Server.GetStatus"
        package static let isReadOnly = true
        package typealias Input = Nothing
        package typealias Output = ServerStatus
    }

    /// The wizard in one call (R-WIZ-01 to R-WIZ-17): all or nothing up to the settings, then each service.
    /// With `more` each step is a reply of its own.
    package enum Setup: ControlMethod {
        package static let name = "org.epost.Server.Setup"
        package static let isStream = true
        package struct Domain: Codable, Hashable, Sendable {
            package var name: String
            package var address: String
            package init(name: String, address: String) {
                self.name = name
                self.address = address
            }
        }
        package struct Input: Codable, Hashable, Sendable {
            /// `soft`, `system`, `ldap` (R-WIZ-06).
            package var backend: String
            /// 1–3 addresses, `192.0.2.1` or `127.0.0.1@5353` (R-WIZ-07).
            package var dnsServers: [String]
            package var domains: [Domain]
            /// Complete address (R-WIZ-09).
            package var administrator: String
            /// Mail working folder, mailbox folder pattern, account folder (R-WIZ-10); `nil` keeps the default.
            package var workFolder: String?
            package var mailboxFolder: String?
            package var accountFolder: String?
            /// Networks that may relay, added to effect.dat before the last rules; IPv4 or IPv6 prefixes.
            package var relayNetworks: [String]
            /// Register and start the services afterwards (R-WIZ-13).
            package var registerServices: Bool
            /// Allow it on a configured root.
            package var change: Bool
            /// Settings `accounts.` and `ldap.` of the back-end; those that are left out stay as they are.
            package var accountSettings: [SettingChange]?
            package init(
                backend: String = "soft", dnsServers: [String], domains: [Domain], administrator: String,
                workFolder: String? = nil, mailboxFolder: String? = nil, accountFolder: String? = nil,
                relayNetworks: [String] = [], registerServices: Bool = true, change: Bool = false,
                accountSettings: [SettingChange]? = nil
            ) {
                self.backend = backend
                self.dnsServers = dnsServers
                self.domains = domains
                self.administrator = administrator
                self.workFolder = workFolder
                self.mailboxFolder = mailboxFolder
                self.accountFolder = accountFolder
                self.relayNetworks = relayNetworks
                self.registerServices = registerServices
                self.change = change
                self.accountSettings = accountSettings
            }
        }
        package struct Output: Codable, Hashable, Sendable {
            package var steps: [SetupStep]
            package init(steps: [SetupStep]) { self.steps = steps }
        }
    }

    /// Only checks what `Setup` would be given; never changes anything. Called when a wizard page is left.
    package enum CheckSetup: ControlMethod {
        package static let name = "org.epost.Server.CheckSetup"
        package static let mayWait = true
        package static let isReadOnly = true
        package typealias Input = Setup.Input
        package struct Output: Codable, Hashable, Sendable {
            package var problems: [Problem]
            /// Addresses of this machine: `192.0.2.1 (eth0)`, offered on step 3.
            package var localAddresses: [String]
            /// Servers named in resolv.conf, offered on step 2.
            package var systemDNSServers: [String]
            /// The user that the services run as (R-WIZ-14, R-WIZ-15).
            package var serviceUser: String
            package init(
                problems: [Problem], localAddresses: [String], systemDNSServers: [String], serviceUser: String
            ) {
                self.problems = problems
                self.localAddresses = localAddresses
                self.systemDNSServers = systemDNSServers
                self.serviceUser = serviceUser
            }
        }
    }

    /// A stream of everything that happens; ends with the connection.
    package enum Watch: ControlMethod {
        package static let name = "org.epost.Server.Watch"
        package static let isStream = true
        package static let isReadOnly = true
        package struct Input: Codable, Hashable, Sendable {
            /// Status replies come this often at most, milliseconds (200–60,000), and only when something changed.
            package var statusInterval: Int
            package init(statusInterval: Int = 1000) { self.statusInterval = statusInterval }
        }
        package typealias Output = ServerEvent
    }

    /// Checks the system management password (lock screen, R-MC-07); wrong tries are slowed by the server.
    package enum Unlock: ControlMethod {
        package static let name = "org.epost.Server.Unlock"
        package static let mayWait = true
        package static let isReadOnly = true
        package struct Input: Codable, Hashable, Sendable {
            package var password: String
            package init(password: String) { self.password = password }
        }
        package typealias Output = Nothing
    }

    /// Tells the others what this console has staged where (presence only, never values).
    package enum Announce: ControlMethod {
        package static let name = "org.epost.Server.Announce"
        package static let isReadOnly = true
        package struct Input: Codable, Hashable, Sendable {
            /// Pages with staged changes.
            package var pages: [String]
            package init(pages: [String]) { self.pages = pages }
        }
        package typealias Output = Nothing
    }
}

package struct SetupStep: Codable, Hashable, Sendable {
    package enum State: String, Codable, Hashable, Sendable { case done, failed, skipped }
    /// `settings`, `certificate`, `tables`, `folders`, `register.epstrs`, `start.epstrs`, …
    package var step: String
    package var state: State
    /// English cause when it failed.
    package var message: String
    /// Catalogue key of the message and its arguments; empty = there is only the message.
    package var code: String
    package var arguments: [String]
    package init(step: String, state: State, message: String = "", code: String = "", arguments: [String] = []) {
        self.step = step
        self.state = state
        self.message = message
        self.code = code
        self.arguments = arguments
    }
}

package struct ServerStatus: Codable, Hashable, Sendable {
    package var host: String
    package var version: String
    package var isConfigured: Bool
    /// Milliseconds since 1970 at the server.
    package var now: Int
    package var startedAt: Int
    package var pid: Int
    /// Newest revision of settings, domains, accounts.
    package var revision: Int
    package var services: [ServiceStatus]
    package var queue: QueueSummary
    /// `sato@Relay`: consoles with staged changes.
    package var presence: [String]
    /// Password hashes of a mass import that are not yet made whole; `nil`: none.
    package var hashesLeft: Int?
    package init(
        host: String, version: String, isConfigured: Bool, now: Int, startedAt: Int, pid: Int, revision: Int,
        services: [ServiceStatus], queue: QueueSummary, presence: [String], hashesLeft: Int? = nil
    ) {
        self.host = host
        self.version = version
        self.isConfigured = isConfigured
        self.now = now
        self.startedAt = startedAt
        self.pid = pid
        self.revision = revision
        self.services = services
        self.queue = queue
        self.presence = presence
        self.hashesLeft = hashesLeft
    }
}

package struct QueueSummary: Codable, Hashable, Sendable {
    package var messages: Int
    package var recipients: Int
    package var deferred: Int
    package var held: Int
    /// Age of the oldest message, seconds.
    package var oldestAge: Int
    package init(messages: Int = 0, recipients: Int = 0, deferred: Int = 0, held: Int = 0, oldestAge: Int = 0) {
        self.messages = messages
        self.recipients = recipients
        self.deferred = deferred
        self.held = held
        self.oldestAge = oldestAge
    }
}

package struct ServerEvent: Codable, Hashable, Sendable {
    package enum Kind: String, Codable, Hashable, Sendable {
        /// `status` is new.
        case status
        /// Settings, domains or accounts changed: `changes` says what; `author`, `origin` who.
        case changed
        /// A service changed its state; `message` in English, `status` is given too.
        case service
        /// A text table changed on disk or by a call; `changes[].path` names it.
        case table
    }
    package var kind: Kind
    package var status: ServerStatus?
    package var changes: [ChangeRecord]?
    package var revision: Int?
    package var author: String?
    package var origin: String?
    /// Milliseconds since 1970.
    package var time: Int
    package var message: String?
    /// The same as `message`: what happened, then why.
    package var notes: [StatusNote]?
    package init(
        kind: Kind, status: ServerStatus? = nil, changes: [ChangeRecord]? = nil, revision: Int? = nil,
        author: String? = nil, origin: String? = nil, time: Int, message: String? = nil, notes: [StatusNote]? = nil
    ) {
        self.kind = kind
        self.status = status
        self.changes = changes
        self.revision = revision
        self.author = author
        self.origin = origin
        self.time = time
        self.message = message
        self.notes = notes
    }
}
