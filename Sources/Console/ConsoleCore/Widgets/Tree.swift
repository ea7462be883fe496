/// A tree drawn with ` - `, `|- `, `` `- ``. Its rows are the nodes that are open to the eye; children may come late.
///
/// Right opens a node, Left closes it or goes to its parent; at the edge both leave the tree. A node without known
/// children announces `.command("expand")`: the page reads `current` and calls `setChildren`.
package struct Tree: Widget, Sendable {
    package struct Node: Hashable, Sendable {
        package var id: String
        package var name: String
        /// Right-aligned beside the name.
        package var count: String
        /// `nil` = a leaf; empty and not `isLoaded` = not known yet.
        package var children: [Node]?
        package var isLoaded: Bool
        package var isOpen: Bool
        package var mark: Mark

        package init(
            _ id: String, _ name: String, count: String = "", children: [Node]? = nil, isLoaded: Bool = true,
            isOpen: Bool = false, mark: Mark = .none
        ) {
            self.id = id
            self.name = name
            self.count = count
            self.children = children
            self.isLoaded = isLoaded
            self.isOpen = isOpen
            self.mark = mark
        }
    }

    private struct Line {
        var node: Node
        var depth: Int
        var isLast: Bool
        var parent: String?
    }

    package var roots: [Node] { didSet { rebuild() } }
    package private(set) var cursorID: String?
    private var lines: [Line] = []
    private var top = 0
    private var page = 10

    package init(_ roots: [Node]) {
        self.roots = roots
        rebuild()
        cursorID = lines.first?.node.id
    }

    package var isFlexible: Bool { true }
    package func idealHeight(width: Int, _ look: Look) -> Int { max(1, lines.count) }
    package var current: Node? { index.map { lines[$0].node } }
    private var index: Int? { lines.firstIndex { $0.node.id == cursorID } }

    package var commands: [Command] {
        [
            Command(
                "tree.open", "Open or close", keys: [.right, .left, .character("+")], bar: "Open", barKeys: "+ -",
                priority: 40)
        ]
    }

    /// The nodes that are open, with their depth as blanks.
    package var plainNodes: [(id: String, text: String)] {
        lines.map { line in
            let count = line.node.count.isEmpty ? "" : " (\(line.node.count))"
            return (line.node.id, String(repeating: "  ", count: line.depth) + line.node.name + count)
        }
    }

    package mutating func select(_ id: String) {
        if lines.contains(where: { $0.node.id == id }) { cursorID = id }
    }

    /// Opens or closes a node.
    package mutating func toggle(_ id: String) { change(id) { $0.isOpen.toggle() } }

    package mutating func setChildren(of id: String, _ children: [Node]) {
        change(id) {
            $0.children = children
            $0.isLoaded = true
            $0.isOpen = true
        }
    }

    private mutating func change(_ id: String, _ body: (inout Node) -> Void) {
        var nodes = roots
        Tree.change(&nodes, id, body)
        roots = nodes
    }

    @discardableResult
    private static func change(_ nodes: inout [Node], _ id: String, _ body: (inout Node) -> Void) -> Bool {
        for index in nodes.indices {
            if nodes[index].id == id {
                body(&nodes[index])
                return true
            }
            if var children = nodes[index].children, change(&children, id, body) {
                nodes[index].children = children
                return true
            }
        }
        return false
    }

    private mutating func rebuild() {
        let before = index ?? 0
        lines = []
        add(roots, depth: 0, parent: nil)
        // A node that went away gives the cursor to its neighbour.
        if index == nil { cursorID = lines.isEmpty ? nil : lines[min(before, lines.count - 1)].node.id }
    }

    private mutating func add(_ nodes: [Node], depth: Int, parent: String?) {
        for (number, node) in nodes.enumerated() {
            lines.append(Line(node: node, depth: depth, isLast: number == nodes.count - 1, parent: parent))
            if node.isOpen, let children = node.children { add(children, depth: depth + 1, parent: node.id) }
        }
    }

    package mutating func handle(_ key: Key) -> Reaction {
        guard let index else { return .ignored }
        let line = lines[index]
        switch key {
        case .up, .character("k"): return move(to: index - 1, key)
        case .down, .character("j"): return move(to: index + 1, key)
        case .home, .character("g"): return move(to: 0, key)
        case .end, .character("G"): return move(to: lines.count - 1, key)
        case .pageDown, .control("d"), .character(" "): return move(to: min(lines.count - 1, index + page), key)
        case .pageUp, .control("u"): return move(to: max(0, index - page), key)
        case .enter: return .activated
        case .right, .character("+"):
            guard line.node.children != nil else { return key == .right ? .ignored : .handled }
            if line.node.isOpen { return key == .right ? move(to: index + 1, key) : .handled }
            change(line.node.id) { $0.isOpen = true }
            return line.node.isLoaded ? .handled : .command("expand")
        case .left, .character("-"):
            if line.node.isOpen {
                change(line.node.id) { $0.isOpen = false }
                return .handled
            }
            guard let parent = line.parent else { return key == .left ? .ignored : .handled }
            cursorID = parent
            return .changed
        default: return .ignored
        }
    }

    private mutating func move(to index: Int, _ key: Key) -> Reaction {
        guard lines.indices.contains(index) else { return key == .up || key == .down ? .ignored : .handled }
        guard cursorID != lines[index].node.id else { return .handled }
        cursorID = lines[index].node.id
        return .changed
    }

    package mutating func draw(in region: Region, focused: Bool) {
        page = max(1, region.height)
        let cursor = index ?? 0
        if cursor < top { top = cursor }
        if cursor >= top + page { top = cursor - page + 1 }
        top = max(0, min(top, lines.count - page))
        for y in 0..<page where lines.indices.contains(top + y) {
            draw(lines[top + y], isCurrent: top + y == cursor, in: region.row(y), focused: focused)
        }
        if top > 0 { region.put("^", x: region.width - 1, y: 0, role: .hint) }
        if top + page < lines.count { region.put("v", x: region.width - 1, y: region.height - 1, role: .hint) }
    }

    private func draw(_ line: Line, isCurrent: Bool, in row: Region, focused: Bool) {
        let role: Role = isCurrent && focused ? .focus : isCurrent ? .selection : .normal
        let countWidth = row.metrics.width(line.node.count)
        var x = 1 + max(0, line.depth - 1) * 2
        let sign = line.node.children == nil ? "-" : line.node.isOpen ? "-" : "+"
        if line.depth > 0 {
            row.put((line.isLast ? "`" : "|") + sign, x: x, y: 0, role: .border)
            x += 2
        } else {
            row.put(sign, x: x, y: 0, role: .border)
            x += 1
        }
        if isCurrent {
            row.put(">", x: x - 1, y: 0, role: .selection)
            if focused { row.setCursor(x: x - 1, y: 0) }
        }
        row.put(line.node.name, x: x + 1, y: 0, role: role, limit: row.width - x - countWidth - 3)
        row.putRight(line.node.count, y: 0, role: role, margin: 1)
        if line.node.mark != .none { row.put(String(line.node.mark.character), x: 0, y: 0, role: line.node.mark.role) }
    }
}
