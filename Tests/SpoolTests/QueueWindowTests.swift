import Database
import MailModel
import Testing

@testable import Spool

/// Windows of a queue with messages of one and of several recipients in all states: the two spools agree, and so do the
/// ways in which a window is read.
@Suite struct QueueWindowTests {
    private static let messages = 40

    /// The same queue for each spool; `ids[n]` is the n-th message that came.
    private func fill(_ spool: any DeliverySpool & QueueOperations) async throws -> [QueueID] {
        var random = SmallGenerator(state: 7)
        var ids: [QueueID] = []
        var held: Set<QueueID> = []
        for number in 0..<Self.messages {
            let recipients = number % 4 == 0 ? (0...Int(random.next() % 3)).map { "m\($0).\(number)@far.example" } : []
            let message = makeMessage(
                spool,
                from: number % 9 == 0
                    ? .null : .address(MailAddress(localPart: "S\(random.next() % 7)", domain: "c.example")),
                to: recipients.isEmpty ? ["u\(random.next() % 9)@far\(number % 3).example"] : recipients,
                content: [UInt8](repeating: 1, count: Int(random.next() % 5) + 1))
            try await spool.add(message)
            ids.append(message.id)
            if number % 11 == 3 { held.insert(message.id) }
        }
        // Those that came first were tried: some recipients of a message may be, and others not.
        for message in try spool.claim(limit: Self.messages, now: noon).messages {
            try await spool.apply(
                DeliveryChange(
                    message: message.key,
                    items: message.recipients.map { recipient in
                        let history = AttemptHistory(tries: Int(random.next() % 5), reply: "451 later")
                        let until = noon + Int64(random.next() % 6)
                        return .init(
                            index: recipient.index,
                            outcome: random.next() % 4 == 0 ? .released : .deferred(history, until: until))
                    }))
        }
        _ = try spool.act(.hold, on: ids.filter(held.contains), now: noon)
        return ids
    }

    private static let questions: [QueueQuery] = {
        var filters: [QueueQuery] = [
            QueueQuery(), QueueQuery(text: "far"), QueueQuery(text: "far1"), QueueQuery(text: "u3@"),
            QueueQuery(sender: "s2"), QueueQuery(recipient: "m1."), QueueQuery(text: "far1", sender: "s3"),
            QueueQuery(text: "no such text"), QueueQuery(receivedBefore: noon + 1),
        ]
        filters += RecipientState.allCases.map { QueueQuery(state: $0) }
        filters += RecipientState.allCases.map { QueueQuery(text: "m0", state: $0) }
        return filters.flatMap { filter in
            QueueQuery.Sort.allCases.flatMap { sort in
                [false, true].map { descending in
                    var query = filter
                    query.sort = sort
                    query.descending = descending
                    return query
                }
            }
        }
    }()

    @Test func diskAndMemoryAgree() async throws {
        let disk = try ContractTests.Subject(.disk).spool
        let memory = try ContractTests.Subject(.memory).spool
        let (onDisk, inMemory) = (try await fill(disk), try await fill(memory))
        for question in Self.questions {
            for window in [0..<100, 0..<3, 5..<9, 30..<33, 38..<60] {
                var query = question
                query.offset = window.lowerBound
                query.limit = window.count
                let (found, expected) = (try disk.list(query), try memory.list(query))
                #expect(found.matching == expected.matching, "\(query)")
                let places = (
                    found.rows.map { onDisk.firstIndex(of: $0.id) },
                    expected.rows.map { inMemory.firstIndex(of: $0.id) }
                )
                #expect(places.0 == places.1, "\(query)")
            }
        }
    }

    /// Looked up one by one or read off the table, any window of it: the order is one.
    @Test func waysAgree() async throws {
        let folder = ScratchFolder()
        let spool = try DiskSpool(root: folder.path, node: "node", role: .delivery)
        _ = try await fill(spool)
        let database = try #require(ScratchFolder.names(in: folder.path).first)
        let connection = try Connection(path: "\(folder.path)/\(database)/queue.db", mode: .readOnly)
        for question in Self.questions {
            let found = try QueueSelection(connection: connection).rows(question)
            let matching = found?.count ?? Self.messages
            var order = QueueOrder(connection: connection, sort: question.sort, descending: question.descending)
            let whole = try order.rows(0..<matching, of: matching, among: found)
            #expect(whole.count == matching)
            order.few = 0
            for start in stride(from: 0, to: matching, by: 3) {
                let range = start..<min(start + 3, matching)
                #expect(
                    try order.rows(range, of: matching, among: found) == Array(whole[range]), "\(question) \(range)")
            }
        }
    }
}

/// The same numbers every time.
private struct SmallGenerator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state >> 33
    }
}
