import CLinux
import Glibc
import MailModel
import Synchronization

/// `/etc/hosts`: what the machine's own resolver knows before it asks anybody (R-DLV-11). Read again when it changed.
final class HostsFile: Sendable {
    private struct Reading {
        var stamp: (Int, Int, Int) = (0, 0, -1)
        var addresses: [String: [IPAddress]] = [:]
    }

    /// Octets that are read at most; a longer file is cut there.
    static let limit = 256 * 1_024

    private let path: String
    private let reading = Mutex(Reading())

    init(path: String = "/etc/hosts") { self.path = path }

    /// Addresses of both families, in the order of the file; `nil` when the file does not name the host.
    func addresses(of host: String) -> [IPAddress]? {
        reading.withLock { reading in
            var status = stat()
            guard stat(path, &status) == 0 else {
                reading = Reading()
                return nil
            }
            let stamp = (status.st_mtim.tv_sec, status.st_mtim.tv_nsec, Int(status.st_size))
            if stamp != reading.stamp {
                reading.stamp = stamp
                reading.addresses = Self.parse(read())
            }
            return reading.addresses[host.lowercased()]
        }
    }

    private func read() -> String {
        let fd = clinux_open(path, O_RDONLY | O_CLOEXEC, 0)
        guard fd >= 0 else { return "" }
        defer { close(fd) }
        var octets = [UInt8](repeating: 0, count: Self.limit)
        let count = octets.withUnsafeMutableBytes { Glibc.read(fd, $0.baseAddress, $0.count) }
        return String(decoding: octets.prefix(max(0, count)), as: UTF8.self)
    }

    static func parse(_ text: String) -> [String: [IPAddress]] {
        var out: [String: [IPAddress]] = [:]
        for line in text.split(separator: "\n") {
            let words = line.prefix { $0 != "#" }.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == "\r" })
            guard let first = words.first, let address = IPAddress(first) else { continue }
            for name in words.dropFirst() { out[name.lowercased(), default: []].append(address) }
        }
        return out
    }
}
