import Glibc
import MailModel
import Spool
import Synchronization
import Testing

/// A folder that goes with the test, with everything in it.
final class ScratchFolder: Sendable {
    let path: String

    init() {
        var template = Array("/tmp/epost-spool-XXXXXX".utf8CString)
        path = mkdtemp(&template).map { String(cString: $0) } ?? ""
    }

    deinit { Self.remove(path) }

    static func names(in path: String) -> [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    private static func remove(_ path: String) {
        for name in names(in: path) {
            let below = "\(path)/\(name)"
            if unlink(below) != 0 { remove(below) }
        }
        rmdir(path)
    }
}

let noon: Int64 = 1_750_000_000_000

func makeMessage(
    _ spool: some Spool, from sender: ReversePath = .address(MailAddress(localPart: "ada", domain: "a.example")),
    to recipients: [String] = ["taro@example.jp"], content: [UInt8] = Array("Subject: x\n\nhello\n".utf8),
    parent: QueueID? = nil
) -> NewMessage {
    NewMessage(
        id: spool.makeID(),
        envelope: Envelope(
            sender: sender, recipients: recipients.compactMap { MailAddress(typed: $0) }.map { Recipient(address: $0) }),
        content: .inline(content), receivedAt: noon, clientAddress: IPAddress("192.0.2.7"), hello: "client.example",
        authenticatedID: nil, protocolName: "ESMTP", parent: parent)
}

extension Spool {
    /// Adds and waits.
    func add(_ message: NewMessage) async throws {
        let result = await withCheckedContinuation { continuation in
            add(message) { continuation.resume(returning: $0) }
        }
        try result.get()
    }
}

extension DeliverySpool {
    /// Applies and waits.
    func apply(_ change: DeliveryChange) async throws {
        let result = await withCheckedContinuation { continuation in
            apply(change) { continuation.resume(returning: $0) }
        }
        try result.get()
    }

    /// Finishes every recipient of a claimed message.
    func finish(_ message: ClaimedMessage, children: [NewMessage] = []) async throws {
        try await apply(
            DeliveryChange(
                message: message.key,
                items: message.recipients.map { .init(index: $0.index, outcome: .finished) }, children: children))
    }
}

extension StoredContent {
    var octets: [UInt8] {
        get throws {
            switch self {
            case .inline(let octets): octets
            case .file(let file): try file.read(at: 0, count: file.size)
            }
        }
    }
}

/// Collects notices.
final class Notices: Sendable {
    private let all = Mutex<[SpoolNotice]>([])
    var list: [SpoolNotice] { all.withLock { $0 } }
    @Sendable func add(_ notice: SpoolNotice) { all.withLock { $0.append(notice) } }
}
