import Glibc

/// Asks the terminal once how wide it draws an ambiguous character.
///
/// Before the screen starts: one box character at the left edge, then the question where the cursor is. A terminal that
/// does not answer within 300 ms, or cannot be asked, gets ASCII.
enum WidthProbe {
    static let patience = 300

    struct Surroundings {
        var term: String
        var isMultiplexed: Bool
        var isJapanese: Bool
        var isUTF8: Bool
        /// `EPOST_CONSOLE_WIDTH`
        var forced: String?
    }

    /// `nil` = ask; otherwise the answer without asking.
    static func known(_ surroundings: Surroundings) -> Bool? {
        switch surroundings.forced {
        case "narrow": return true
        case "wide": return false
        default: break
        }
        guard surroundings.isUTF8 else { return false }
        // tmux and screen answer from their own table, not from the terminal outside.
        if surroundings.isMultiplexed, surroundings.isJapanese { return false }
        if surroundings.isMultiplexed { return true }
        let silent = ["vt", "linux", "dumb", "ansi", "cons", "unknown"]
        return silent.contains { surroundings.term.hasPrefix($0) } ? false : nil
    }

    /// - Returns: whether the terminal proved that it draws one cell.
    static func ask(input: Int32, output: Int32) -> Bool {
        var saved = termios()
        guard tcgetattr(input, &saved) == 0 else { return false }
        var mode = saved
        mode.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG)
        mode.c_iflag &= ~tcflag_t(IXON | ICRNL)
        guard tcsetattr(input, TCSANOW, &mode) == 0 else { return false }
        defer { tcsetattr(input, TCSANOW, &saved) }
        // CR, the character, the question; afterwards the line is erased again.
        let question = Array("\r\u{2500}\u{1B}[6n".utf8)
        guard write(output, question, question.count) == question.count else { return false }
        let answer = read(from: input)
        let erase = Array("\r\u{1B}[K".utf8)
        _ = write(output, erase, erase.count)
        return column(in: answer) == 2
    }

    /// Reads until a report has come or patience ends.
    private static func read(from input: Int32) -> [UInt8] {
        var all: [UInt8] = []
        let start = now()
        while all.count < 256, column(in: all) == nil {
            let rest = patience - (now() - start)
            guard rest > 0 else { break }
            var ready = pollfd(fd: input, events: Int16(POLLIN), revents: 0)
            guard poll(&ready, 1, Int32(rest)) > 0 else { break }
            var chunk = [UInt8](repeating: 0, count: 64)
            let count = Glibc.read(input, &chunk, chunk.count)
            guard count > 0 else { break }
            all += chunk[..<count]
        }
        return all
    }

    /// The column of the first complete `ESC [ row ; column R`.
    static func column(in octets: [UInt8]) -> Int? {
        var rest = octets[...]
        while let escape = rest.firstIndex(of: 0x1B) {
            rest = rest[(escape + 1)...]
            guard rest.first == UInt8(ascii: "[") else { continue }
            let body = rest.dropFirst().prefix { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ";") }
            guard let final = rest.dropFirst(1 + body.count).first, final == UInt8(ascii: "R") else { continue }
            let parts = String(decoding: body, as: UTF8.self).split(separator: ";")
            if parts.count == 2, let column = Int(parts[1]) { return column }
        }
        return nil
    }

    private static func now() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1_000 + time.tv_nsec / 1_000_000
    }
}
