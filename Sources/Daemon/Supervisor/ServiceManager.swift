import CLinux
import Glibc

/// Tells systemd how far we are (sd_notify(3), without its library).
enum ServiceManager {
    static func notify(_ state: String) {
        guard let name = getenv("NOTIFY_SOCKET") else { return }
        var octets = Array(String(cString: name).utf8)
        var place = sockaddr_un()
        place.sun_family = sa_family_t(AF_UNIX)
        guard octets.count > 1, octets.count < MemoryLayout.size(ofValue: place.sun_path) else { return }
        // "@" stands for the NUL of an abstract socket.
        if octets[0] == UInt8(ascii: "@") { octets[0] = 0 }
        withUnsafeMutableBytes(of: &place.sun_path) { $0.copyBytes(from: octets) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + octets.count)
        let text = Array(state.utf8)
        _ = withUnsafePointer(to: &place) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, text, text.count, Int32(MSG_NOSIGNAL), $0, length)
            }
        }
    }
}
