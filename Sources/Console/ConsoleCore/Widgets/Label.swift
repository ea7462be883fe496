/// Text that is only read, with roles inside it; several lines when it is too long.
package struct Label: Widget, Sendable {
    package struct Span: Hashable, Sendable {
        package var text: Phrase
        package var role: Role
        package init(_ text: Phrase, _ role: Role = .normal) {
            self.text = text
            self.role = role
        }
    }
    package var spans: [Span]
    package var wraps: Bool
    /// Cells to take; `nil` = what the text needs.
    package var width: Int?

    package init(_ text: Phrase, _ role: Role = .normal, wraps: Bool = false, width: Int? = nil) {
        self.init([Span(text, role)], wraps: wraps, width: width)
    }
    package init(_ spans: [Span], wraps: Bool = false, width: Int? = nil) {
        self.spans = spans
        self.wraps = wraps
        self.width = width
    }

    package var isFocusable: Bool { false }

    package func idealHeight(width: Int, _ look: Look) -> Int {
        guard wraps, let first = spans.first else { return 1 }
        return max(1, look.metrics.wrap(look.say(first.text), to: width).count)
    }
    package func idealWidth(_ look: Look) -> Int? {
        wraps ? width : width ?? spans.reduce(0) { $0 + look.metrics.width(look.say($1.text)) }
    }
    package mutating func handle(_ key: Key) -> Reaction { .ignored }

    package mutating func draw(in region: Region, focused: Bool) {
        if wraps, let first = spans.first {
            for (y, line) in region.metrics.wrap(region.say(first.text), to: region.width).enumerated() {
                region.put(line, x: 0, y: y, role: first.role)
            }
            return
        }
        var x = 0
        for span in spans { x += region.put(span.text, x: x, y: 0, role: span.role) }
    }
}

/// A horizontal rule, with an optional title in it.
package struct Rule: Widget, Sendable {
    package var title: Phrase?
    package init(_ title: Phrase? = nil) { self.title = title }
    package var isFocusable: Bool { false }
    package var fillsPage: Bool { true }
    package mutating func handle(_ key: Key) -> Reaction { .ignored }
    package mutating func draw(in region: Region, focused: Bool) {
        region.rule(y: 0)
        if let title { region.put(" " + region.say(title) + " ", x: 2, y: 0, role: .heading) }
    }
}

/// A vertical rule between two parts side by side, as high as they are.
package struct Divider: Widget, Sendable {
    package init() {}
    package var isFocusable: Bool { false }
    package var isFlexible: Bool { true }
    package func idealHeight(width: Int, _ look: Look) -> Int { Form.flexibleMinimum }
    package func idealWidth(_ look: Look) -> Int? { 1 }
    package mutating func handle(_ key: Key) -> Reaction { .ignored }
    package mutating func draw(in region: Region, focused: Bool) {
        for y in 0..<region.height {
            region.put(region.metrics.ambiguousIsNarrow ? "│" : "|", x: 0, y: y, role: .border)
        }
    }
}

/// A row of marks for the last values, the newest at the right. ASCII, because block characters are of ambiguous width;
/// the number stands beside it, drawn by the page.
package struct Sparkline: Widget, Sendable {
    package var values: [Int]
    package var width: Int
    package init(_ values: [Int] = [], width: Int = 16) {
        self.values = values
        self.width = width
    }
    static let marks = Array(" .:-=+*#")
    package var isFocusable: Bool { false }
    package func idealWidth(_ look: Look) -> Int? { width }
    package mutating func handle(_ key: Key) -> Reaction { .ignored }

    package mutating func draw(in region: Region, focused: Bool) {
        let shown = values.suffix(max(0, min(width, region.width)))
        let top = max(1, shown.max() ?? 1)
        let last = Sparkline.marks.count - 1
        // Anything above zero shows at least the smallest mark.
        let line = shown.map { value -> Character in
            guard value > 0 else { return Sparkline.marks[0] }
            return Sparkline.marks[max(1, min(last, Int(Double(value) / Double(top) * Double(last))))]
        }
        region.put(String(line), x: max(0, min(width, region.width) - line.count), y: 0, role: .graph)
    }
}
