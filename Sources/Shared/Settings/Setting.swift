import MailModel

/// One entry of the catalogue, with everything that the store, the console, the commands and the documentation need.
package struct SettingDefinition: Hashable, Sendable {
    /// How a change takes effect. Raw values travel on the control socket.
    package enum Effect: String, Hashable, Sendable, CaseIterable {
        /// At once, also for what is under way where that makes sense.
        case now
        /// With the next session or the next message.
        case newSessions
        case restartReceiver = "restart.epstrs"
        case restartDelivery = "restart.epstds"
        case restartServices = "restart.all"
    }
    package enum Unit: String, Hashable, Sendable {
        case none, octets, seconds, hours, days, sessions, messages, recipients, threads, connections, times, commands,
            hops
    }

    /// Dotted, `receiver.max_sessions`.
    package let key: String
    package let type: SettingType
    package let unit: Unit
    package let effect: Effect
    /// Requirement or RFC section that the setting comes from.
    package let source: String
    /// Values that hold when nothing was set; some depend on where the files lie.
    package let defaultValues: @Sendable (Layout) -> [String]

    package var isSecret: Bool { type == .secret || type == .sealed }
    /// Keys of the message catalogue.
    package var labelKey: String { "setting.\(key).label" }
    package var helpKey: String { "setting.\(key).help" }

    package static func == (one: Self, other: Self) -> Bool { one.key == other.key }
    package func hash(into hasher: inout Hasher) { hasher.combine(key) }

    /// - Returns: the values to store, or what is wrong with them.
    package func normalized(_ texts: [String]) -> Result<[String], SettingProblem> {
        type.normalized(texts).mapError { problem in
            var problem = problem
            problem.key = key
            problem.message = "\(key): \(problem.message)"
            return problem
        }
    }
}

/// A Swift type that a setting's texts are read as.
package protocol SettingValue: Sendable {
    /// - Returns: `nil` when the texts do not fit; the snapshot then takes the default.
    init?(settingTexts: [String])
}

/// A setting with the type of its value: `snapshot[ReceiverSettings.maxSessions]`.
package struct Setting<Value: SettingValue>: Sendable {
    package let definition: SettingDefinition
    package var key: String { definition.key }

    /// - Parameter defaults: texts; checked by a test against `type`.
    init(
        _ key: String, _ type: SettingType, _ defaults: String..., unit: SettingDefinition.Unit = .none,
        effect: SettingDefinition.Effect, source: String
    ) {
        definition = SettingDefinition(
            key: key, type: type, unit: unit, effect: effect, source: source, defaultValues: { _ in defaults })
    }

    init(
        _ key: String, _ type: SettingType, effect: SettingDefinition.Effect, source: String,
        default value: @escaping @Sendable (Layout) -> String
    ) {
        definition = SettingDefinition(
            key: key, type: type, unit: .none, effect: effect, source: source, defaultValues: { [value($0)] })
    }
}

extension Bool: SettingValue {
    package init?(settingTexts: [String]) {
        switch settingTexts {
        case ["true"]: self = true
        case ["false"]: self = false
        default: return nil
        }
    }
}
extension Int: SettingValue {
    package init?(settingTexts: [String]) {
        guard let text = settingTexts.first, settingTexts.count == 1, let value = Int(text) else { return nil }
        self = value
    }
}
/// Empty when nothing is set.
extension String: SettingValue {
    package init?(settingTexts: [String]) {
        guard settingTexts.count <= 1 else { return nil }
        self = settingTexts.first ?? ""
    }
}
extension Array: SettingValue where Element: SettingElement {
    package init?(settingTexts: [String]) {
        var out: [Element] = []
        for text in settingTexts {
            guard let element = Element(settingText: text) else { return nil }
            out.append(element)
        }
        self = out
    }
}

/// One element of a list setting.
package protocol SettingElement: Sendable {
    init?(settingText: String)
}
extension DNSServerAddress: SettingElement {
    package init?(settingText: String) { self.init(settingText) }
}
extension MailAddress: SettingElement {
    package init?(settingText: String) { self.init(typed: settingText) }
}
extension ListenerAddress: SettingElement {
    package init?(settingText: String) { self.init(settingText) }
}
extension String: SettingElement {
    package init?(settingText: String) { self = settingText }
}
extension IPPattern: SettingElement {
    package init?(settingText: String) { self.init(settingText) }
}

/// Settings whose value is one word of a fixed list.
package protocol SettingChoice: SettingValue, SettingElement, RawRepresentable, CaseIterable, Hashable
where RawValue == String {}
extension SettingChoice {
    package init?(settingTexts: [String]) {
        guard let text = settingTexts.first, settingTexts.count == 1 else { return nil }
        self.init(rawValue: text)
    }
    package init?(settingText: String) { self.init(rawValue: settingText) }
    static var words: [String] { allCases.map(\.rawValue) }
}
