import Control
import MailModel
import MessageFormat
import NIOCore
import Policy

// What the administrator sees of destinations (`queue destinations`, the dashboard).
extension RemoteDelivery {
    package func report(
        _ input: QueueInterface.Destinations.Input
    ) -> EventLoopFuture<QueueInterface.Destinations.Output> {
        loop.submit { self.makeReport(input) }
    }

    private func makeReport(_ input: QueueInterface.Destinations.Input) -> QueueInterface.Destinations.Output {
        let now = context.now()
        let wanted = (input.filter ?? "").lowercased()
        let found = book.records.values.filter { wanted.isEmpty || $0.hop.text.contains(wanted) }
        let ordered = found.sorted { left, right in
            let (one, other) = (weight(left, input.sort), weight(right, input.sort))
            return one == other ? left.hop.text < right.hop.text : one > other
        }
        let window = ordered.dropFirst(max(0, input.offset)).prefix(max(1, min(1_000, input.limit)))
        return .init(
            destinations: window.map { status($0, now) }, total: found.count,
            causes: Self.counts(book.causes, now))
    }

    private func weight(_ record: DestinationRecord, _ sort: QueueInterface.Destinations.Sort?) -> Int {
        switch sort ?? .waiting {
        case .waiting:
            let work = destinations[record.hop]
            return (work?.waiting ?? 0) + (work?.active ?? 0)
        case .delivered: return record.delivered
        case .deferred: return record.deferred
        case .failed: return record.failed
        case .name: return 0
        case .recent: return Int(clamping: max(record.lastSuccess, record.lastFailure))
        }
    }

    private func status(_ record: DestinationRecord, _ now: Int64) -> DestinationStatus {
        let work = destinations[record.hop]
        return DestinationStatus(
            name: DisplayText.clean(record.hop.text, limit: 300), waiting: work?.waiting ?? 0,
            active: work?.active ?? 0, limit: record.limit, delivered: record.delivered,
            deferred: record.deferred, failed: record.failed, connections: record.connections,
            lastSuccess: Int(record.lastSuccess), lastFailure: Int(record.lastFailure),
            reply: DisplayText.clean(record.lastReply, limit: 500), tls: record.tls ?? "",
            causes: Self.counts(record.causes, now))
    }

    private static func counts(_ causes: [RefusalCause: CauseCounter], _ now: Int64) -> [RefusalCount] {
        let counts = causes.map { cause, counter in
            RefusalCount(
                cause: cause.rawValue, hour: counter.hour(now: now), total: counter.total,
                reply: DisplayText.clean(counter.reply, limit: 500), time: Int(counter.time))
        }
        return counts.sorted { ($0.hour, $0.total, $1.cause) > ($1.hour, $1.total, $0.cause) }
    }
}
