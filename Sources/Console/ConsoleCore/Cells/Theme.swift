/// What a cell means. Widgets draw roles; only the theme knows colours.
package enum Role: UInt8, CaseIterable, Sendable {
    case normal, title, heading, label, hint, border, bar
    case field, focus, selection, mark
    case tab, currentTab, button
    case staged, foreign, problem
    case good, bad, disabled
    case hit, graph, keyName, message

    /// One letter per role for the attribute lines of a snapshot.
    package var letter: Character {
        switch self {
        case .normal: "."
        case .title: "t"
        case .heading: "h"
        case .label: "l"
        case .hint: "i"
        case .border: "+"
        case .bar: "B"
        case .field: "f"
        case .focus: "F"
        case .selection: "S"
        case .mark: "x"
        case .tab: "a"
        case .currentTab: "A"
        case .button: "u"
        case .staged: "s"
        case .foreign: "o"
        case .problem: "p"
        case .good: "g"
        case .bad: "b"
        case .disabled: "d"
        case .hit: "H"
        case .graph: "G"
        case .keyName: "k"
        case .message: "m"
        }
    }
}

/// The eight colours that every colour terminal has, in the user's own palette.
package enum Hue: UInt8, Sendable, CaseIterable {
    case black, red, green, yellow, blue, magenta, cyan, white
}

package struct Style: Hashable, Sendable {
    package struct Attributes: OptionSet, Hashable, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        package static let bold = Attributes(rawValue: 1)
        package static let reverse = Attributes(rawValue: 2)
        package static let underline = Attributes(rawValue: 4)
        package static let dim = Attributes(rawValue: 8)
    }
    package var attributes: Attributes
    /// `nil` = the terminal's own foreground. The background is always the terminal's own.
    package var hue: Hue?

    package init(_ attributes: Attributes = [], hue: Hue? = nil) {
        self.attributes = attributes
        self.hue = hue
    }
}

/// Roles to styles. Colour repeats what a mark or word says already, so each theme is complete without hue.
package struct Theme: Sendable {
    package let name: String
    private var styles: [Style]

    init(name: String, _ changes: [Role: Style]) {
        self.name = name
        styles = Role.allCases.map { changes[$0] ?? Style() }
    }

    package subscript(_ role: Role) -> Style {
        let index = Int(role.rawValue)
        return index < styles.count ? styles[index] : Style()
    }

    private static let shared: [Role: Style] = [
        .title: Style(.bold), .heading: Style(.bold), .currentTab: Style([.bold, .reverse]), .focus: Style(.reverse),
        .selection: Style(.bold), .field: Style(.underline), .keyName: Style(.bold), .mark: Style(.bold),
        .problem: Style(.bold), .bad: Style(.bold), .hit: Style([.bold, .underline]),
    ]

    /// Default: hues on the terminal's own background.
    package static let colour = Theme(
        name: "colour",
        shared.merging([
            .staged: Style(hue: .yellow), .foreign: Style(hue: .cyan), .problem: Style(.bold, hue: .red),
            .good: Style(hue: .green), .bad: Style(.bold, hue: .red), .graph: Style(hue: .cyan),
            .mark: Style(.bold, hue: .yellow), .disabled: Style(.dim), .hit: Style([.bold, .underline], hue: .yellow),
        ]) { $1 })

    /// No hue and no grey (NO_COLOR, `--mono`, monochrome terminals).
    package static let mono = Theme(name: "mono", shared)

    /// Everything bold or reverse; for weak eyes and poor displays.
    package static let highContrast = Theme(
        name: "high-contrast",
        Dictionary(uniqueKeysWithValues: Role.allCases.map { ($0, Style(.bold)) }).merging([
            .focus: Style([.bold, .reverse]), .currentTab: Style([.bold, .reverse]),
            .field: Style([.bold, .underline]), .problem: Style([.bold, .reverse]), .bad: Style([.bold, .reverse]),
        ]) { $1 })

    package static let all = [colour, mono, highContrast]

    package static func named(_ name: String) -> Theme? {
        all.first { $0.name == name }
    }
}
