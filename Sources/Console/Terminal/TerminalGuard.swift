import CLinux
import CNcurses
import Glibc

/// Gives the terminal back as it was, however the process ends: by itself, by a signal, by a trap.
///
/// The work is done by async-signal-safe C (`shim.h`), prepared before the screen starts. All its functions are called
/// from this file only (their state belongs to one object file).
package enum TerminalGuard {
    /// What the self-pipe told.
    package enum Told: Hashable, Sendable {
        case resized, stop, continued
        /// The process was asked to end: save and leave.
        case end
    }

    /// Remembers the mode of the terminal and takes the signals.
    /// - Returns: the read end of the self-pipe; `nil` when standard input is no terminal.
    static func prepare() -> Int32? {
        var ends: [Int32] = [-1, -1]
        guard pipe2(&ends, O_CLOEXEC | O_NONBLOCK) == 0 else { return nil }
        guard cnc_guard_prepare(STDIN_FILENO, ends[1]) == 1 else { return nil }
        return ends[0]
    }

    /// From now on every end of the process writes `octets` and sets the old mode.
    static func arm(_ octets: [UInt8]) {
        octets.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            cnc_guard_arm(base.assumingMemoryBound(to: CChar.self), bytes.count)
        }
    }

    /// After the screen was ended in order: sets the old mode; later ends write nothing more.
    static func disarm() { cnc_guard_disarm() }

    /// Stops the process (job control); returns when it goes on.
    static func stop() { cnc_guard_stop() }

    /// When a signal asked for the end: ends the process by that signal, so that its parent sees the truth.
    package static func finish() { cnc_guard_finish() }

    static func told(by pipe: Int32) -> [Told] {
        var octets = [UInt8](repeating: 0, count: 64)
        var all: [Told] = []
        while true {
            let count = read(pipe, &octets, octets.count)
            guard count > 0 else { return all }
            for octet in octets[..<count] {
                switch Int32(octet) {
                case SIGWINCH: all.append(.resized)
                case SIGTSTP: all.append(.stop)
                case SIGCONT: all.append(.continued)
                default: all.append(.end)
                }
            }
        }
    }

    /// The octets that bring the terminal back: out of the alternate screen, cursor on, plain attributes, keypad, mouse
    /// and paste modes off, and a new line.
    static func restoreOctets(hasPasteMode: Bool) -> [UInt8] {
        var octets: [UInt8] = []
        if hasPasteMode { octets += Array("\u{1B}[?2004l".utf8) }
        for name in ["sgr0", "op", "rmkx", "cnorm", "rmcup"] {
            if let found = cnc_capability(name) { octets += String(cString: found).withoutPadding }
        }
        return octets + [0x0D, 0x0A]
    }
}

extension String {
    /// Terminfo strings carry delays (`$<5>`) that `tputs` would take out; here they are cut.
    fileprivate var withoutPadding: [UInt8] {
        var result: [UInt8] = []
        var rest = Array(utf8)[...]
        while let octet = rest.first {
            if octet == UInt8(ascii: "$"), rest.dropFirst().first == UInt8(ascii: "<"),
                let end = rest.firstIndex(of: UInt8(ascii: ">"))
            {
                rest = rest[(end + 1)...]
            } else {
                result.append(octet)
                rest = rest.dropFirst()
            }
        }
        return result
    }
}
