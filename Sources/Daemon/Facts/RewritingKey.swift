import Crypto
import Glibc
import MailModel
import Policy
import Settings

/// The key of sender rewriting: `conf/srs.key`, mode 0600, made by the supervisor. All services of a server, and all
/// servers of a cluster, need the same.
package enum RewritingKey {
    package static let fileName = "srs.key"
    private static let octets = 32

    package static func path(_ layout: Layout) -> String { "\(layout.conf)/\(fileName)" }

    /// - Returns: `nil` when there is no key, or it is too short to be one.
    package static func load(_ layout: Layout) -> SenderRewriting? {
        let descriptor = open(path(layout), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var key = [UInt8](repeating: 0, count: 256)
        let count = read(descriptor, &key, key.count)
        guard count >= octets else { return nil }
        let secret = Array(key.prefix(count))
        return SenderRewriting { Digest.hmacSHA256(key: secret, $0) }
    }

    /// Makes the key where there is none.
    /// - Returns: errno, or `nil` when it is there.
    package static func make(_ layout: Layout) -> Int32? {
        guard let key = Random.octets(octets) else { return EIO }
        let descriptor = open(path(layout), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return errno == EEXIST ? nil : errno }
        defer { close(descriptor) }
        if write(descriptor, key, key.count) == key.count, fsync(descriptor) == 0 { return nil }
        let code = errno
        unlink(path(layout))
        return code
    }
}

extension SenderRewriting {
    /// Days since 1970 by the clock of the system.
    package static var today: Int { Int(time(nil)) / 86_400 }
}

extension DirectoryFacts {
    /// With names that stand for the senders of forwarded mail: they are taken like aliases.
    package func including(_ rewriting: SenderRewriting?, _ address: MailAddress) -> DirectoryFacts {
        guard isOperatedDomain, entry == nil, let rewriting,
            rewriting.original(of: address.localPart, day: SenderRewriting.today) != nil
        else { return self }
        return DirectoryFacts(isOperatedDomain: true, entry: .alias)
    }
}
