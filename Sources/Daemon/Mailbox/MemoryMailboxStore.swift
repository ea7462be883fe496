import Glibc
import MailModel
import Synchronization

/// Mailboxes without a disk, for tests. Completions are called before `deliver` returns.
package final class MemoryMailboxStore: MailboxStore {
    package struct Stored: Hashable, Sendable {
        package let id: QueueID
        package let index: Int
        /// Header and content.
        package let octets: [UInt8]
    }
    private struct State {
        var mailboxes: [MailboxLocation: [Stored]] = [:]
        var failure: MailboxError?
    }
    private let state = Mutex(State())

    package init() {}

    /// Every delivery fails with this from now on; `nil`: they succeed again.
    package func fail(with error: MailboxError?) { state.withLock { $0.failure = error } }

    package func messages(in mailbox: MailboxLocation) -> [Stored] {
        state.withLock { $0.mailboxes[mailbox] ?? [] }
    }

    package func deliver(
        _ delivery: MailboxDelivery, completion: @escaping @Sendable ([Result<MailboxOutcome, MailboxError>]) -> Void
    ) {
        let octets = delivery.header + Self.octets(of: delivery.content)
        let results = state.withLock { state in
            delivery.targets.map { target -> Result<MailboxOutcome, MailboxError> in
                if let failure = state.failure { return .failure(failure) }
                let there = state.mailboxes[target.mailbox] ?? []
                if there.contains(where: { $0.id == delivery.id && $0.index == target.index }) {
                    return .success(.alreadyThere)
                }
                let used = there.reduce(octets.count) { $0 + $1.octets.count }
                if target.limit > 0, !target.ignoresLimit, used > target.limit {
                    return .failure(MailboxError(.full, "\(used) of \(target.limit) octets"))
                }
                let stored = Stored(id: delivery.id, index: target.index, octets: octets)
                state.mailboxes[target.mailbox, default: []].append(stored)
                return .success(.stored)
            }
        }
        completion(results)
    }

    package func usage(of mailbox: MailboxLocation, limit: Int) throws(MailboxError) -> MailboxUsage {
        let there = messages(in: mailbox)
        return MailboxUsage(octets: there.reduce(0) { $0 + $1.octets.count }, messages: there.count)
    }

    private static func octets(of content: MailboxDelivery.Content) -> [UInt8] {
        switch content {
        case .octets(let octets): return octets
        case .file(let descriptor, let size, _):
            return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
                count = buffer.baseAddress.map { max(0, pread(descriptor, $0, size, 0)) } ?? 0
            }
        }
    }
}
