import Glibc
import Synchronization

/// Checks passwords so that an unknown user costs as much time as a wrong password, and remembers what it verified,
/// so that a client that logs in for each message does not pay scrypt each time.
package final class PasswordVerifier: Sendable {
    private struct Entry {
        /// HMAC of the password under a key of this process.
        var proof: [UInt8]
        /// Monotonic seconds.
        var until: Int
    }
    private let key: [UInt8]
    private let cache = Mutex<[String: Entry]>([:])
    /// Stands in for the hash of a user who does not exist.
    private let decoy: PasswordHash?
    private let limit: Int
    private let lifetime: Int

    /// - Parameters:
    ///   - limit: verified passwords remembered at most.
    ///   - lifetime: seconds that one is remembered.
    package init(limit: Int = 1000, lifetime: Int = 600) {
        key = Random.octets(32) ?? []
        decoy = PasswordHash(password: "decoy")
        self.limit = limit
        self.lifetime = lifetime
    }

    /// Whether `password` is the one behind the stored hash. Up to 40 ms of computing: not on an event loop.
    /// - Parameter hash: stored form; `nil` or unreadable when there is no such user, which takes as long and is false.
    package func verify(_ password: [UInt8], hash text: String?) -> Bool {
        guard let text, let hash = PasswordHash(text: text) else {
            _ = decoy?.matches(password)
            return false
        }
        let now = Self.now()
        let proof = key.isEmpty ? [] : Digest.hmacSHA256(key: key, password)
        if !proof.isEmpty {
            let known = cache.withLock { $0[text] }
            if let known, known.until > now, Digest.isEqual(known.proof, proof) { return true }
        }
        // A first step alone answers too soon: what it saves is spent on the decoy, so that time tells nothing.
        if hash.isFirstStep { _ = decoy?.matches(password) }
        guard hash.matches(password) else { return false }
        if !proof.isEmpty {
            cache.withLock { cache in
                if cache.count >= limit { cache = cache.filter { $0.value.until > now } }
                if cache.count >= limit, let any = cache.keys.first { cache[any] = nil }
                cache[text] = Entry(proof: proof, until: now + lifetime)
            }
        }
        return true
    }

    private static func now() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec
    }
}
