/// The settings at one revision: what was set, and the defaults for the rest. A value; read once per change into what
/// the hot path needs (a look-up parses texts).
package struct SettingsSnapshot: Sendable, Hashable {
    /// Newest revision of the store when it was taken; grows with every change of settings, domains and accounts.
    package var revision: Int64
    package var layout: Layout
    /// Only what was set; normalised texts by key.
    package private(set) var values: [String: [String]]

    package init(values: [String: [String]] = [:], revision: Int64 = 0, layout: Layout) {
        self.values = values
        self.revision = revision
        self.layout = layout
    }

    /// The value of a setting; the default when it is not set, or (set by another version of the program) does not fit.
    package subscript<Value: SettingValue>(_ setting: Setting<Value>) -> Value {
        if let texts = values[setting.key], case .success(let known) = setting.definition.normalized(texts),
            let value = Value(settingTexts: known)
        {
            return value
        }
        let defaults = setting.definition.defaultValues(layout)
        if let value = Value(settingTexts: defaults) { return value }
        // A test reads every default of the catalogue, so this cannot be reached by data.
        preconditionFailure("default of \(setting.key) does not fit its type")  // LINT: no outside data
    }

    /// The texts in force for a key; `nil` when there is no such setting.
    package func texts(for key: String) -> [String]? {
        guard let definition = SettingsCatalogue.definition(of: key) else { return nil }
        return values[key] ?? definition.defaultValues(layout)
    }

    package func isDefault(_ key: String) -> Bool { values[key] == nil }

    /// Sets normalised texts; `nil` goes back to the default.
    package mutating func set(_ key: String, to texts: [String]?) { values[key] = texts }

    /// Sets a value for tests and first set-up.
    /// - Throws: what is wrong with it.
    package mutating func set<Value>(_ setting: Setting<Value>, _ texts: String...) throws(SettingProblem) {
        values[setting.key] = try setting.definition.normalized(texts).get()
    }
}

extension SettingsSnapshot {
    /// Where the receiver shall listen, by listen mode and IP version (R-SVC-20, R-RCV-04).
    package var listeners: [ListenerAddress] {
        let version = self[NetSettings.ipVersion]
        switch self[ReceiverSettings.listenMode] {
        case .list:
            return self[ReceiverSettings.listen].filter { $0.isIPv6 ? version.usesIPv6 : version.usesIPv4 }
        case .all:
            guard let port = UInt16(exactly: self[ReceiverSettings.port]) else { return [] }
            var out: [ListenerAddress] = []
            if version.usesIPv4 { out.append(ListenerAddress(host: .anyIPv4, port: port)) }
            if version.usesIPv6, let any = ListenerAddress("[::]:\(port)") { out.append(any) }
            return out
        }
    }

    /// Whether both TLS files are named (R-SSL-03).
    package var hasCertificate: Bool {
        !self[TLSSettings.certificateFile].isEmpty && !self[TLSSettings.privateKeyFile].isEmpty
    }
}
