/// Where accounts come from when they are not our own, and how they are asked for. Travels to the helper as it is.
package struct DirectoryProfile: Hashable, Sendable {
    /// R-SYS-16
    package enum Backend: String, Sendable {
        /// NSS and PAM.
        case system
        case ldap
    }
    package enum TLS: String, Sendable {
        /// StartTLS where the address is no `ldaps:`; nothing is asked without it.
        case startTLS = "starttls"
        case off
    }
    package var backend = Backend.system
    /// Qualifies names in NSS look-ups; empty: names as they are (R-DOM-12).
    package var domain = ""
    /// Name of the NSS group whose members are mail users (R-DOM-13).
    package var group = ""
    /// Addresses of one directory, tried in this order.
    package var urls: [String] = []
    package var tls = TLS.startTLS
    /// PEM file of authorities; empty: those of the system.
    package var authorities = ""
    package var base = ""
    /// Who searches; empty: anonymous.
    package var bindName = ""
    package var passwordFile = ""
    /// With `{name}`, `{domain}` and `{address}`.
    package var filter = ""
    package var accountAttribute = ""
    package var nameAttribute = ""
    /// DN of the group whose members are mail users; empty: all that the filter finds.
    package var groupName = ""
    /// Who a user logs in as, with `{name}`, `{domain}` and `{address}`; empty: the entry that the search finds.
    package var bindTemplate = ""
    /// Seconds for each step on the network.
    package var timeout = 5

    package init() {}

    package var fields: [[UInt8]] {
        let texts =
            [
                backend.rawValue, domain, group, tls.rawValue, authorities, base, bindName, passwordFile, filter,
                accountAttribute, nameAttribute, groupName, bindTemplate, String(timeout),
            ] + urls
        return texts.map { Array($0.utf8) }
    }

    /// - Returns: `nil` for fields that are none of ours.
    package init?(fields: [[UInt8]]) {
        let texts = fields.map { String(decoding: $0, as: UTF8.self) }
        guard texts.count >= 14, let backend = Backend(rawValue: texts[0]), let tls = TLS(rawValue: texts[3]),
            let timeout = Int(texts[13]), (1...120).contains(timeout)
        else { return nil }
        self.backend = backend
        domain = texts[1]
        group = texts[2]
        self.tls = tls
        authorities = texts[4]
        base = texts[5]
        bindName = texts[6]
        passwordFile = texts[7]
        filter = texts[8]
        accountAttribute = texts[9]
        nameAttribute = texts[10]
        groupName = texts[11]
        bindTemplate = texts[12]
        self.timeout = timeout
        urls = Array(texts.dropFirst(14))
    }
}

/// An account as the directory knows it.
package struct DirectoryAccount: Hashable, Sendable {
    /// Name of the account: of its mailbox folder, and in the address that it has with each operated domain.
    package var name: String
    package var fullName: String
    /// `%HOME%`; may be empty.
    package var home: String
    package var isEnabled: Bool

    package init(name: String, fullName: String = "", home: String = "", isEnabled: Bool = true) {
        self.name = name
        self.fullName = fullName
        self.home = home
        self.isEnabled = isEnabled
    }

    package static let fieldCount = 4

    package var fields: [[UInt8]] { [name, fullName, home, isEnabled ? "1" : "0"].map { Array($0.utf8.prefix(4096)) } }

    package init?(fields: some Collection<[UInt8]>) {
        let texts = fields.map { String(decoding: $0, as: UTF8.self) }
        guard texts.count == Self.fieldCount, !texts[0].isEmpty else { return nil }
        self.init(name: texts[0], fullName: texts[1], home: texts[2], isEnabled: texts[3] == "1")
    }
}

/// One step of a check of the directory, in the order in which they are made.
package struct DirectoryStep: Hashable, Sendable {
    /// Key of its text: `connect`, `bind`, `group`, `search`, `count`, `user`.
    package var name: String
    package var isRight: Bool
    package var detail: String

    package init(_ name: String, _ isRight: Bool, _ detail: String) {
        self.name = name
        self.isRight = isRight
        self.detail = detail
    }
}
