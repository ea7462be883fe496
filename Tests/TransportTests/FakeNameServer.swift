import Glibc
import Synchronization

/// A DNS server on a free UDP port of 127.0.0.1, on a thread of its own. Answers from a table; everything else is
/// NXDOMAIN.
final class FakeNameServer: Sendable {
    enum Answer: Sendable {
        /// Record data of the type that was asked for.
        case records([[UInt8]])
        /// The response code alone: 2 SERVFAIL, 3 NXDOMAIN, 5 REFUSED.
        case code(UInt8)
        case silence
        /// Octets that are no DNS message behind the id.
        case garbage
    }
    private struct State {
        var answers: [String: Answer] = [:]
        var questions: [String] = []
        var ttl: UInt32 = 60
    }
    private let state = Mutex(State())
    private let descriptor: Int32
    let port: UInt16

    /// - Parameter answers: by `MX example.net`, `A mx.example.net`, `AAAA …`.
    init?(_ answers: [String: Answer] = [:], ttl: UInt32 = 60) {
        let socket = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        descriptor = socket
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, length) == 0 && getsockname(socket, $0, &length) == 0
            }
        }
        port = UInt16(bigEndian: address.sin_port)
        guard bound else { return nil }
        state.withLock {
            $0.answers = answers
            $0.ttl = ttl
        }
        var thread = pthread_t()
        let box = Unmanaged.passRetained(self)
        pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<FakeNameServer>.fromOpaque(argument).takeRetainedValue().serve() }
                return nil
            }, box.toOpaque())
        pthread_detach(thread)
    }

    var questions: [String] { state.withLock { $0.questions } }
    var text: String { "127.0.0.1@\(port)" }
    func answer(_ question: String, _ answer: Answer) { state.withLock { $0.answers[question] = answer } }
    func stop() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    private func serve() {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while true {
            var peer = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let count = withUnsafeMutablePointer(to: &peer) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    recvfrom(descriptor, &buffer, buffer.count, 0, $0, &length)
                }
            }
            guard count > 0 else { break }
            guard let reply = reply(to: Array(buffer[..<count])) else { continue }
            withUnsafePointer(to: &peer) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    _ = sendto(descriptor, reply, reply.count, 0, $0, length)
                }
            }
        }
        close(descriptor)
    }

    private func reply(to query: [UInt8]) -> [UInt8]? {
        guard query.count > 16 else { return nil }
        var end = 12
        var labels: [String] = []
        while end < query.count, query[end] != 0 {
            let length = Int(query[end])
            guard end + length < query.count else { return nil }
            labels.append(String(decoding: query[(end + 1)...(end + length)], as: UTF8.self).lowercased())
            end += 1 + length
        }
        let names: [UInt8: String] = [1: "A", 12: "PTR", 15: "MX", 28: "AAAA"]
        guard end + 4 < query.count, let type = names[query[end + 2]] else { return header(query, code: 0, answers: 0) }
        let question = "\(type) \(labels.joined(separator: "."))"
        let (answer, ttl) = state.withLock { state in
            state.questions.append(question)
            return (state.answers[question] ?? .code(3), state.ttl)
        }
        let asked = Array(query[12...(end + 4)])
        switch answer {
        case .silence: return nil
        case .garbage: return Array(query[..<2]) + [UInt8](repeating: 0xFF, count: 40)
        case .code(let code): return header(query, code: code, answers: 0) + asked
        case .records(let records):
            var out = header(query, code: 0, answers: records.count) + asked
            for record in records {
                out += [0xC0, 12, 0, query[end + 2], 0, 1]
                out += [UInt8(ttl >> 24), UInt8(ttl >> 16 & 255), UInt8(ttl >> 8 & 255), UInt8(ttl & 255)]
                out += [UInt8(record.count >> 8), UInt8(record.count & 255)] + record
            }
            return out
        }
    }

    private func header(_ query: [UInt8], code: UInt8, answers: Int) -> [UInt8] {
        [query[0], query[1], 0x81, 0x80 | code, 0, 1, UInt8(answers >> 8), UInt8(answers & 255), 0, 0, 0, 0]
    }

    /// The record data of an MX record.
    static func exchange(_ preference: UInt8, _ host: String) -> [UInt8] {
        [0, preference] + host.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    }
}
