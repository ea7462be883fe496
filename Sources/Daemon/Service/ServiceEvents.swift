/// What happens to a service, one event after the other. Asking for the next event says that the one before is dealt
/// with: this is how the supervisor learns that a change is in force.
package struct ServiceEvents: AsyncSequence, Sendable {
    enum Entry: Sendable {
        case event(ServiceEvent)
        /// Called when the program has dealt with everything before it.
        case mark(@Sendable () -> Void)
    }

    private let entries: AsyncStream<Entry>

    /// - Returns: the events, and the end that feeds them. The sequence ends with `Feed.finish`.
    package static func make() -> (events: ServiceEvents, feed: Feed) {
        let (entries, continuation) = AsyncStream<Entry>.makeStream()
        return (ServiceEvents(entries: entries), Feed(continuation: continuation))
    }

    package struct Feed: Sendable {
        fileprivate let continuation: AsyncStream<Entry>.Continuation

        package func tell(_ event: ServiceEvent) { continuation.yield(.event(event)) }
        package func mark(_ reached: @escaping @Sendable () -> Void) { continuation.yield(.mark(reached)) }
        package func finish() { continuation.finish() }
    }

    package struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate var entries: AsyncStream<Entry>.Iterator

        package mutating func next() async -> ServiceEvent? {
            while let entry = await entries.next() {
                switch entry {
                case .event(let event): return event
                case .mark(let reached): reached()
                }
            }
            return nil
        }
    }

    package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(entries: entries.makeAsyncIterator()) }
}
