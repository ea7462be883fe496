import Glibc

/// The draft of a session in `$XDG_STATE_HOME/epost-console` (or `~/.local/state/…`), one file per daemon, mode 0600.
/// It is a convenience: every failure here is silent, the console works without it.
struct DraftStore {
    /// Octets that are read back at most.
    private static let limit = 1 << 20
    private let folder: String
    private let file: String

    /// - Returns: `nil` when there is no home to keep anything in.
    init?(socketPath: String) {
        if let state = getenv("XDG_STATE_HOME").map({ String(cString: $0) }), state.hasPrefix("/") {
            folder = state + "/epost-console"
        } else if let home = getenv("HOME").map({ String(cString: $0) }), home.hasPrefix("/") {
            folder = home + "/.local/state/epost-console"
        } else {
            return nil
        }
        let place = Self.absolute(socketPath).map { $0 == "/" ? "-" : $0 }
        file = folder + "/" + Self.host() + String(place.suffix(180)) + ".draft"
    }

    /// Where standard error goes while the screen is up.
    var logPath: String { folder + "/console.log" }

    func load() -> String? {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var octets: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while octets.count < Self.limit {
            let count = read(descriptor, &chunk, chunk.count)
            guard count > 0 else { break }
            octets += chunk[..<count]
        }
        return octets.isEmpty ? nil : String(decoding: octets, as: UTF8.self)
    }

    /// Written beside and renamed, so that a crash leaves the old draft or the new one. Empty = no draft any more.
    func save(_ text: String) {
        guard !text.isEmpty else {
            unlink(file)
            return
        }
        makeFolder()
        let fresh = file + ".new"
        unlink(fresh)
        let descriptor = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return }
        let octets = Array(text.utf8)
        var done = 0
        while done < octets.count {
            let count = octets.withUnsafeBytes {
                write(descriptor, $0.baseAddress.map { $0 + done }, octets.count - done)
            }
            guard count > 0 else { break }
            done += count
        }
        close(descriptor)
        if done == octets.count { rename(fresh, file) } else { unlink(fresh) }
    }

    /// Makes the folders that are missing, for this user only.
    func makeFolder() {
        var path = ""
        for part in folder.split(separator: "/") {
            path += "/" + part
            mkdir(path, 0o700)
        }
    }

    private static func absolute(_ path: String) -> String {
        guard !path.hasPrefix("/") else { return path }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 4_096) { buffer in
            guard let base = buffer.baseAddress, getcwd(base, buffer.count) != nil else { return path }
            return String(cString: base) + "/" + path
        }
    }

    private static func host() -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            guard let base = buffer.baseAddress, gethostname(base, buffer.count - 1) == 0 else { return "localhost" }
            buffer[255] = 0
            return String(cString: base)
        }
    }
}
