/// An error reply of the control socket. `name` is for programs, `detail.code` for translation, `detail.message` for people.
package struct ControlError: Error, Hashable, Sendable {
    /// Errors of ours, defined in `org.epost.Server`; any method may answer them.
    package enum Kind: String, Sendable, CaseIterable {
        /// The caller may look but not change, or may not come in at all.
        case notPermitted = "org.epost.Server.NotPermitted"
        /// The request cannot be carried out as it stands; `problems` says what is wrong where. Nothing was changed.
        case refused = "org.epost.Server.Refused"
        /// Somebody else changed what this change was based on; `problems` names the places. Nothing was changed.
        case conflict = "org.epost.Server.Conflict"
        case notFound = "org.epost.Server.NotFound"
        /// There is no configuration yet: run the wizard or `setup`.
        case notConfigured = "org.epost.Server.NotConfigured"
        case alreadyConfigured = "org.epost.Server.AlreadyConfigured"
        /// It was tried and failed (service did not start, disk full, …).
        case failed = "org.epost.Server.Failed"
        // Answers of the protocol itself
        case methodNotFound = "org.varlink.service.MethodNotFound"
        case interfaceNotFound = "org.varlink.service.InterfaceNotFound"
        case invalidParameter = "org.varlink.service.InvalidParameter"
        // Seen by the client only
        case noConnection = "org.epost.Client.NoConnection"
        case protocolBroken = "org.epost.Client.ProtocolBroken"
    }

    package struct Detail: Codable, Hashable, Sendable {
        /// Catalogue key of the message, `setting.out-of-range`; the console translates it with `arguments`.
        package var code: String
        /// English.
        package var message: String
        package var arguments: [String]?
        package var problems: [Problem]?
        /// Set for `MethodNotFound`, `InterfaceNotFound`, `InvalidParameter` (the varlink.org names).
        package var method: String?
        package var interface: String?
        package var parameter: String?

        package init(code: String, message: String, arguments: [String]? = nil, problems: [Problem]? = nil) {
            self.code = code
            self.message = message
            self.arguments = arguments
            self.problems = problems
        }

        package init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            code = try container.decodeIfPresent(String.self, forKey: .code) ?? ""
            message = try container.decodeIfPresent(String.self, forKey: .message) ?? ""
            arguments = try container.decodeIfPresent([String].self, forKey: .arguments)
            problems = try container.decodeIfPresent([Problem].self, forKey: .problems)
            method = try container.decodeIfPresent(String.self, forKey: .method)
            interface = try container.decodeIfPresent(String.self, forKey: .interface)
            parameter = try container.decodeIfPresent(String.self, forKey: .parameter)
        }
    }

    package var name: String
    package var detail: Detail

    package init(name: String, detail: Detail) {
        self.name = name
        self.detail = detail
    }

    package init(
        _ kind: Kind, code: String, _ message: String, arguments: [String] = [], problems: [Problem] = []
    ) {
        name = kind.rawValue
        detail = Detail(
            code: code, message: message, arguments: arguments.isEmpty ? nil : arguments,
            problems: problems.isEmpty ? nil : problems)
    }

    /// `nil` for an error that we do not define.
    package var kind: Kind? { Kind(rawValue: name) }
}

/// One thing that is wrong, or worth a warning, and where.
package struct Problem: Codable, Hashable, Sendable {
    /// Setting key, `domain/example.jp/folder`, `effect.dat:3`, `account/taro@example.jp/limit`, …
    package var path: String
    /// Catalogue key; the console looks it up with `arguments` (`{0}`, `{1}`, …).
    package var code: String
    /// English, whole sentence: what is wrong, why, what would be right.
    package var message: String
    package var arguments: [String]
    /// Warnings do not stop a change.
    package var isWarning: Bool

    package init(path: String, code: String, message: String, arguments: [String] = [], isWarning: Bool = false) {
        self.path = path
        self.code = code
        self.message = message
        self.arguments = arguments
        self.isWarning = isWarning
    }
}
