import CLinux
import Glibc
import Synchronization

/// Who is behind a connection, by the kernel's word (SO_PEERCRED), and what that allows (architecture, section 7).
package final class Caller: Sendable {
    /// Number of the connection; never used twice while the server lives.
    package let id: Int
    package let userID: UInt32
    /// Login name, or the number when there is none.
    package let user: String
    package let mayLook: Bool
    package let mayChange: Bool

    private struct Introduction {
        var client = ""
        var origin = ""
    }
    private let introduction = Mutex(Introduction())
    /// What this connection opened by a password; names that mean something to who set them.
    private let doors = Mutex<Set<String>>([])

    init(id: Int, userID: UInt32, user: String, mayLook: Bool, mayChange: Bool) {
        self.id = id
        self.userID = userID
        self.user = user
        self.mayLook = mayLook
        self.mayChange = mayChange
    }

    /// Program and place as the caller gave them; information only, cut to 100 octets of printable text.
    package func introduce(client: String, origin: String?) {
        introduction.withLock {
            $0.client = Self.printable(client)
            $0.origin = Self.printable(origin ?? "")
        }
    }
    package func open(_ door: String) { doors.withLock { _ = $0.insert(door) } }
    package func hasOpened(_ door: String) -> Bool { doors.withLock { $0.contains(door) } }
    package var client: String { introduction.withLock { $0.client } }
    /// `epost-console 192.0.2.7`: stands in the history.
    package var origin: String {
        introduction.withLock { [$0.client, $0.origin].filter { !$0.isEmpty }.joined(separator: " ") }
    }

    private static func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(text.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }.prefix(100)))
    }
}

/// Groups that open the control socket to others than root and the daemon's own user.
struct CallerRights {
    static let adminGroup = "epost-admin"
    static let viewGroup = "epost-view"

    let own = getuid()
    let admin = Self.groupID(adminGroup)
    let view = Self.groupID(viewGroup)

    static func groupID(_ name: String) -> gid_t? { getgrnam(name)?.pointee.gr_gid }

    func caller(of descriptor: Int32, id: Int) -> Caller? {
        var peer = clinux_ucred()
        guard clinux_peer_credentials(descriptor, &peer) == 0 else { return nil }
        let name = Self.userName(peer.uid)
        var mayChange = peer.uid == 0 || peer.uid == own
        var mayLook = mayChange
        if !mayChange, admin != nil || view != nil {
            let groups = Self.groups(of: name, primary: peer.gid)
            mayChange = admin.map(groups.contains) ?? false
            mayLook = mayChange || (view.map(groups.contains) ?? false)
        }
        return Caller(
            id: id, userID: peer.uid, user: name ?? String(peer.uid), mayLook: mayLook, mayChange: mayChange)
    }

    /// Mode and group of the socket: the kernel keeps strangers out where the groups allow it. With a group that may only
    /// look the socket is open to all, and `caller` turns strangers away.
    func protect(_ path: String) {
        if view != nil {
            chmod(path, 0o666)
        } else if let admin {
            _ = chown(path, uid_t.max, admin)
            chmod(path, 0o660)
        } else {
            chmod(path, 0o600)
        }
    }

    private static func userName(_ id: uid_t) -> String? {
        guard let name = getpwuid(id)?.pointee.pw_name else { return nil }
        return String(cString: name)
    }

    private static func groups(of user: String?, primary: gid_t) -> Set<gid_t> {
        guard let user else { return [primary] }
        var count: Int32 = 256
        var found = [gid_t](repeating: 0, count: Int(count))
        guard getgrouplist(user, primary, &found, &count) >= 0 else { return [primary] }
        return Set(found.prefix(Int(max(0, count)))).union([primary])
    }
}
