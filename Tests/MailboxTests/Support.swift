import Glibc
import MailModel
import Testing

@testable import Mailbox

/// A folder that goes with the test, with everything in it.
final class ScratchFolder: Sendable {
    let path: String

    init() {
        var template = Array("/tmp/epost-mailbox-XXXXXX".utf8CString)
        path = mkdtemp(&template).map { String(cString: $0) } ?? ""
    }

    deinit { Self.remove(path) }

    static func names(in path: String) -> [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { octets in
                String(decoding: octets.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    static func remove(_ path: String) {
        for name in names(in: path) {
            let below = "\(path)/\(name)"
            if unlink(below) != 0 { remove(below) }
        }
        rmdir(path)
    }

    static func read(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var octets = [UInt8](repeating: 0, count: 1 << 20)
        let count = fread(&octets, 1, octets.count, file)
        return String(decoding: octets.prefix(count), as: UTF8.self)
    }

    static func write(_ text: String, to path: String) {
        guard let file = fopen(path, "w") else { return }
        fputs(text, file)
        fclose(file)
    }
}

/// A store over a scratch folder, with a clock that stands still.
final class Post: Sendable {
    let folder = ScratchFolder()
    let store: MaildirStore

    /// - Parameter startedAt: milliseconds since 1970; ids up to then may have been stored by an earlier process.
    init(startedAt: Int64 = 0) { store = MaildirStore(clock: { startedAt }) }

    deinit { store.close() }

    func location(_ account: String, domain: String = "example.jp") throws -> MailboxLocation {
        try #require(MailboxLocation(base: "\(folder.path)/mail", folders: [domain, account]))
    }

    func path(_ account: String) -> String { "\(folder.path)/mail/example.jp/\(account)" }

    func deliver(
        _ id: QueueID, to targets: [MailboxDelivery.Target],
        content: MailboxDelivery.Content = .octets(Array("a\nb\n".utf8))
    ) async -> [Result<MailboxOutcome, MailboxError>] {
        let delivery = MailboxDelivery(
            id: id, header: Array("Return-Path: <ada@a.example>\n".utf8), content: content, targets: targets)
        return await withCheckedContinuation { continuation in
            store.deliver(delivery) { continuation.resume(returning: $0) }
        }
    }

    /// One message for one mailbox.
    func deliver(
        _ id: QueueID, to account: String, index: Int = 0, limit: Int = 0, ignoresLimit: Bool = false, size: Int = 4
    ) async throws -> Result<MailboxOutcome, MailboxError> {
        let target = MailboxDelivery.Target(
            mailbox: try location(account), index: index, limit: limit, ignoresLimit: ignoresLimit)
        let results = await deliver(id, to: [target], content: .octets([UInt8](repeating: 0x78, count: size)))
        return try #require(results.first)
    }
}

/// Octets of the header that `Post` puts in front.
let headerSize = "Return-Path: <ada@a.example>\n".utf8.count

func makeID(_ number: Int64 = 1) -> QueueID {
    var generator = QueueIDGenerator(node: 1)
    return generator.next(now: 1_750_000_000_000 + number)
}

extension Result where Failure == MailboxError {
    var failure: MailboxError.Kind? { if case .failure(let error) = self { error.kind } else { nil } }
}
