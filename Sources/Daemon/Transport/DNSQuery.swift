/// One question on its way through the configured servers. Lives on the resolver's thread only, except for its making.
final class DNSQuery {
    struct Key: Hashable {
        var name: String
        var type: Int32
    }

    /// An answer in libunbound's words, copied out of its memory.
    struct Raw: Sendable {
        var records: [[UInt8]]
        var ttl: Int
    }

    let key: Key
    /// All who asked the same while it was under way.
    var completions: [@Sendable (Result<Raw, NameFailure>) -> Void] = []
    /// Servers still to be asked, the current one first.
    var servers: ArraySlice<Int>
    /// Nanoseconds of the monotonic clock at which the current server has had its time.
    var deadline: UInt64 = 0
    /// libunbound's number of the current attempt.
    var attempt: Int32 = 0
    var lastFailure = NameFailure.timeout
    unowned let owner: DNSThread

    init(key: Key, servers: [Int], owner: DNSThread) {
        self.key = key
        self.servers = servers[...]
        self.owner = owner
    }
}
