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
        guard let key = KeyFile.read(path(layout), octets: octets...4096) else { return nil }
        let secret = Array(key.prefix(256))
        return SenderRewriting { Digest.hmacSHA256(key: secret, $0) }
    }

    /// Makes the key where there is none.
    /// - Returns: errno, or `nil` when it is there.
    package static func make(_ layout: Layout) -> Int32? {
        KeyFile.make(path(layout), octets: octets)
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
