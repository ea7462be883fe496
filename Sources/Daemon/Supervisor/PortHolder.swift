import Glibc

/// Finds the program that listens on a port, by /proc: what `ss -lptn` shows.
struct PortHolder: Equatable {
    let pid: Int
    let program: String
    var text: String { "\(program) (pid \(pid))" }

    /// - Returns: `nil` when nobody listens, or when the process is another user's and we are not root.
    static func find(port: UInt16) -> PortHolder? {
        let inodes = Set(["/proc/net/tcp", "/proc/net/tcp6"].flatMap { listeningInodes(port, in: lines(of: $0)) })
        guard !inodes.isEmpty else { return nil }
        for pid in entries(of: "/proc").compactMap({ Int($0) }) {
            for name in entries(of: "/proc/\(pid)/fd") {
                guard let target = link("/proc/\(pid)/fd/\(name)"), target.hasPrefix("socket:["),
                    inodes.contains(String(target.dropFirst(8).dropLast()))
                else { continue }
                return PortHolder(pid: pid, program: lines(of: "/proc/\(pid)/comm").first ?? "?")
            }
        }
        return nil
    }

    /// Inodes of the sockets in state LISTEN (0A) on a port, from the lines of /proc/net/tcp.
    static func listeningInodes(_ port: UInt16, in lines: [String]) -> [String] {
        let wanted = String(port, radix: 16, uppercase: true)
        let suffix = ":" + String(repeating: "0", count: 4 - wanted.utf8.count) + wanted
        return lines.dropFirst().compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count > 9, fields[1].hasSuffix(suffix), fields[3] == "0A" else { return nil }
            return String(fields[9])
        }
    }

    private static func lines(of path: String) -> [String] {
        guard let octets = SmallFile.read(path, limit: 4 << 20) else { return [] }
        return String(decoding: octets, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    private static func entries(of path: String) -> [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    private static func link(_ path: String) -> String? {
        var target = [CChar](repeating: 0, count: 128)
        let count = readlink(path, &target, target.count - 1)
        return count > 0 ? String(decoding: target.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
    }
}
