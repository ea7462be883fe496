import CNcurses
import ConsoleCore
import Glibc

/// The terminal: paints frames with ncursesw and reads keys. One per process, on one thread.
package final class TerminalScreen {
    package enum Failure: Error, Equatable {
        /// Input or output is no terminal.
        case noTerminal
        /// TERM names nothing that can be moved about on.
        case unusable(String)
    }

    package struct Options {
        /// `EPOST_CONSOLE_WIDTH` or `--width`: `narrow`, `wide`; `nil` = find out.
        package var width: String?
        package var isMono: Bool
        package var isJapanese: Bool
        package init(width: String? = nil, isMono: Bool = false, isJapanese: Bool = false) {
            self.width = width
            self.isMono = isMono
            self.isJapanese = isJapanese
        }
    }

    /// Keys that one turn of the loop takes at most.
    static let keysPerTurn = 256
    private static let pasteBegin: Int32 = 2_000
    private static let pasteEnd: Int32 = 2_001

    package let input = STDIN_FILENO
    /// The read end of the self-pipe, for `poll`.
    package let signals: Int32
    package let metrics: TextMetrics
    package let hasColours: Bool
    package let term: String
    /// The line is slow (19,200 bit/s or less).
    package let isSlow: Bool
    private let hasDim: Bool
    private let hasPasteMode: Bool
    private var shown: Buffer?
    private var shownTheme = ""
    private var scalars: [Int32] = []

    /// Starts the full screen. After this every end of the process gives the terminal back.
    package init(_ options: Options) throws(Failure) {
        term = getenv("TERM").map { String(cString: $0) } ?? ""
        guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1 else { throw .noTerminal }
        guard !term.isEmpty, term != "dumb" else { throw .unusable(term) }
        let isUTF8 = TerminalLocale.set()
        guard let signals = TerminalGuard.prepare() else { throw .noTerminal }
        self.signals = signals
        let surroundings = WidthProbe.Surroundings(
            term: term,
            isMultiplexed: getenv("TMUX") != nil || getenv("STY") != nil || term.hasPrefix("screen")
                || term.hasPrefix("tmux"),
            isJapanese: options.isJapanese, isUTF8: isUTF8, forced: options.width)
        let isNarrow =
            WidthProbe.known(surroundings) ?? WidthProbe.ask(input: STDIN_FILENO, output: STDOUT_FILENO)
        metrics = TextMetrics(ambiguousIsNarrow: isNarrow)
        let isSlow = TerminalScreen.isSlowLine()
        self.isSlow = isSlow
        if getenv("ESCDELAY") == nil { set_escdelay(TerminalScreen.isVerySlowLine() ? 200 : 25) }
        guard cnc_start() == 1 else { throw .unusable(term) }
        // Without moving the cursor there is no screen: ncurses would draw one frame and then scribble.
        guard cnc_capability("cup") != nil else {
            endwin()
            throw .unusable(term)
        }
        hasPasteMode = TerminalScreen.knowsPasteMode(term)
        TerminalGuard.arm(TerminalGuard.restoreOctets(hasPasteMode: hasPasteMode))
        if getenv("ESCDELAY") == nil { set_escdelay(TerminalScreen.isVerySlowLine() ? 200 : 25) }
        hasColours = !options.isMono && cnc_start_colours() == 1
        hasDim = cnc_capability("dim") != nil
        TerminalScreen.defineKeys()
        setPasteMode(true)
    }

    package var size: Size {
        var rows: Int32 = 0
        var columns: Int32 = 0
        guard cnc_window_size(&rows, &columns) == 1 else {
            return Size(columns: Int(cnc_columns()), rows: Int(cnc_rows()))
        }
        return Size(columns: Int(columns), rows: Int(rows))
    }

    /// For the help page: what kind of terminal this is.
    package var facts: [String] {
        let colours = hasColours ? "\(cnc_colours()) colours" : "no colours"
        return [term, metrics.ambiguousIsNarrow ? "narrow ambiguous" : "ASCII lines", colours]
    }

    // MARK: Painting

    /// What `paint` would have to write.
    package func difference(to buffer: Buffer, theme: Theme) -> FrameDiff {
        FrameDiff(from: theme.name == shownTheme ? shown : nil, to: buffer)
    }

    package func paint(_ difference: FrameDiff, of buffer: Buffer, theme: Theme) {
        for run in difference.runs { put(run, theme[run.role]) }
        cnc_show(Int32(buffer.cursor.y), Int32(buffer.cursor.x), 0)
        shown = buffer
        shownTheme = theme.name
    }

    /// Forgets what the terminal shows: the next frame is painted whole.
    package func forget() {
        shown = nil
        cnc_resize(Int32(size.rows), Int32(size.columns))
    }

    private func put(_ run: FrameDiff.Run, _ style: Style) {
        scalars.removeAll(keepingCapacity: true)
        for cell in run.cells where cell.width > 0 { add(cell) }
        let pair = hasColours ? style.hue.map { Int32($0.rawValue) + 1 } ?? 0 : 0
        let attributes = style.attributes
        cnc_put(
            Int32(run.y), Int32(run.x), scalars, Int32(scalars.count), attributes.contains(.bold) ? 1 : 0,
            attributes.contains(.reverse) ? 1 : 0, attributes.contains(.underline) ? 1 : 0,
            attributes.contains(.dim) && hasDim ? 1 : 0, pair)
    }

    /// ncurses takes widths from libc and cannot be told otherwise. Where libc disagrees with the cell, the base
    /// character alone is written if that fits, else a question mark; the cells stay as many as planned.
    private func add(_ cell: Cell) {
        if let ascii = cell.grapheme.asciiValue {
            // Nothing but printable characters reaches the terminal, whatever came this far.
            scalars.append(ascii >= 0x20 && ascii < 0x7F ? Int32(ascii) : 0x3F)
            return
        }
        let all = cell.grapheme.unicodeScalars.map { Int32($0.value) }
        let wanted = Int32(cell.width)
        let widths = all.map { cnc_wide_width($0) }
        if widths.allSatisfy({ $0 >= 0 }), widths.reduce(0, +) == wanted, all.count <= 6 {
            scalars += all
            return
        }
        guard let first = all.first, let width = widths.first, width > 0, width <= wanted else {
            scalars.append(0x3F)
            if wanted == 2 { scalars.append(0x20) }
            return
        }
        scalars.append(first)
        if width < wanted { scalars.append(0x20) }
    }

    // MARK: Keys

    /// All keys that are there, at most `keysPerTurn`; ncurses buffers octets that `poll` cannot see, so this is called
    /// until it gives nothing.
    /// - Returns: `nil` when the terminal is gone.
    package func readKeys() -> [RawKey]? {
        var keys: [RawKey] = []
        while keys.count < TerminalScreen.keysPerTurn {
            var value: UInt32 = 0
            switch cnc_read(&value) {
            case 1:
                if let scalar = Unicode.Scalar(value) { keys.append(.scalar(scalar)) }
            case 2:
                if let key = rawKey(Int32(bitPattern: value)) { keys.append(key) }
            case -1: return keys.isEmpty ? nil : keys
            default: return keys
            }
        }
        return keys
    }

    private func rawKey(_ code: Int32) -> RawKey? {
        switch code {
        case TerminalScreen.pasteBegin: return .pasteBegin
        case TerminalScreen.pasteEnd: return .pasteEnd
        case KEY_RESIZE, KEY_MOUSE: return nil
        default: break
        }
        if let key = TerminalScreen.names[code] { return .key(key) }
        let function = cnc_function_key(code)
        return function > 0 ? .key(.function(Int(function))) : .key(.unknown(Int(code)))
    }

    private static let names: [Int32: Key] = [
        KEY_UP: .up, KEY_DOWN: .down, KEY_LEFT: .left, KEY_RIGHT: .right, KEY_HOME: .home, KEY_END: .end,
        KEY_PPAGE: .pageUp, KEY_NPAGE: .pageDown, KEY_BACKSPACE: .backspace, KEY_DC: .delete, KEY_IC: .insert,
        KEY_ENTER: .enter, KEY_BTAB: .backTab, KEY_FIND: .home, KEY_SELECT: .end, KEY_A1: .home, KEY_A3: .pageUp,
        KEY_C1: .end, KEY_C3: .pageDown,
    ]

    /// Sequences that terminals send though their terminfo entry says something else.
    private static func defineKeys() {
        var table: [(String, Int32)] = [
            ("\u{1B}[200~", pasteBegin), ("\u{1B}[201~", pasteEnd), ("\u{1B}\t", KEY_BTAB), ("\u{1B}[Z", KEY_BTAB),
        ]
        for introducer in ["\u{1B}[", "\u{1B}O"] {
            for (letter, code) in [
                ("A", KEY_UP), ("B", KEY_DOWN), ("C", KEY_RIGHT), ("D", KEY_LEFT), ("H", KEY_HOME), ("F", KEY_END),
            ] {
                table.append((introducer + letter, code))
            }
        }
        for (number, code) in [
            (1, KEY_HOME), (2, KEY_IC), (3, KEY_DC), (4, KEY_END), (5, KEY_PPAGE), (6, KEY_NPAGE), (7, KEY_HOME),
            (8, KEY_END),
        ] {
            table.append(("\u{1B}[\(number)~", code))
        }
        // F1–F4 of xterm, F1–F5 of PuTTY and of the Linux console, F5–F10 of all.
        for (index, letter) in ["P", "Q", "R", "S"].enumerated() {
            table.append(("\u{1B}O" + letter, KEY_F0 + Int32(index) + 1))
        }
        for (index, letter) in ["A", "B", "C", "D", "E"].enumerated() {
            table.append(("\u{1B}[[" + letter, KEY_F0 + Int32(index) + 1))
        }
        let numbered: [Int32] = [11, 12, 13, 14, 15, 17, 18, 19, 20, 21]
        for (index, number) in numbered.enumerated() { table.append(("\u{1B}[\(number)~", KEY_F0 + Int32(index) + 1)) }
        for (sequence, code) in table { _ = cnc_define(sequence, code) }
    }

    // MARK: Modes

    package func told() -> [TerminalGuard.Told] { TerminalGuard.told(by: signals) }

    /// The size changed: ncurses and the next frame start afresh.
    package func resized() -> Size {
        let size = size
        cnc_resize(Int32(size.rows), Int32(size.columns))
        shown = nil
        return size
    }

    /// Gives the terminal to the shell and stops; returns when the process is continued.
    package func suspend() {
        setPasteMode(false)
        endwin()
        TerminalGuard.stop()
        resume()
    }

    /// Takes the terminal back after the process was stopped and continued.
    package func resume() {
        reset_prog_mode()
        setPasteMode(true)
        _ = resized()
    }

    /// Copies text to the clipboard of the terminal (OSC 52), only on an explicit key.
    package func copy(_ text: String) {
        let octets = Array("\u{1B}]52;c;".utf8) + Base64.encode(Array(text.utf8)) + [0x07]
        _ = write(STDOUT_FILENO, octets, octets.count)
    }

    package func end() {
        setPasteMode(false)
        endwin()
        TerminalGuard.disarm()
    }

    private func setPasteMode(_ isOn: Bool) {
        guard hasPasteMode else { return }
        let octets = Array((isOn ? "\u{1B}[?2004h" : "\u{1B}[?2004l").utf8)
        _ = write(STDOUT_FILENO, octets, octets.count)
    }

    private static func knowsPasteMode(_ term: String) -> Bool {
        [
            "xterm", "tmux", "screen", "rxvt", "putty", "alacritty", "kitty", "foot", "st", "konsole", "gnome", "vte",
            "mintty",
        ]
        .contains { term.hasPrefix($0) }
    }

    private static func speed() -> speed_t {
        var mode = termios()
        return tcgetattr(STDOUT_FILENO, &mode) == 0 ? cfgetospeed(&mode) : speed_t(B38400)
    }
    private static func isSlowLine() -> Bool { speed() <= speed_t(B19200) && speed() > 0 }
    private static func isVerySlowLine() -> Bool { speed() < speed_t(B2400) && speed() > 0 }
}

enum Base64 {
    static func encode(_ octets: [UInt8]) -> [UInt8] {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var result: [UInt8] = []
        var index = 0
        while index < octets.count {
            let chunk = octets[index..<min(index + 3, octets.count)]
            let value = chunk.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - chunk.count))
            for place in 0..<4 {
                result.append(place <= chunk.count ? letters[(value >> (18 - 6 * place)) & 63] : UInt8(ascii: "="))
            }
            index += 3
        }
        return result
    }
}
