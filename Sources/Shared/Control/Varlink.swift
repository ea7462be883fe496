import FoundationEssentials

/// Varlink on the wire (https://varlink.org): one JSON object, ended by NUL, per call and per reply.
///
/// A method is a type: both ends share it, so a field cannot be written one way and read another.
package protocol ControlMethod: SendableMetatype {
    associatedtype Input: Codable & Sendable
    associatedtype Output: Codable & Sendable
    /// `org.epost.Queue.List`
    static var name: String { get }
    /// Whether the reply may come in several parts (`more`).
    static var isStream: Bool { get }
    /// Whether the right to look is enough (group `epost-view`).
    static var isReadOnly: Bool { get }
    /// Whether the answer may take longer than a look-up: a console asks on a connection of its own then, because a
    /// Varlink connection answers in order.
    static var mayWait: Bool { get }
}

extension ControlMethod {
    package static var isStream: Bool { false }
    package static var isReadOnly: Bool { false }
    package static var mayWait: Bool { false }
}

/// For methods without parameters or without results.
package struct Nothing: Codable, Hashable, Sendable {
    package init() {}
}

/// What a caller asked for, before its parameters are read.
package struct VarlinkCallHead: Codable, Sendable {
    package var method: String
    package var more: Bool?
    package var oneway: Bool?
    package var upgrade: Bool?
}

/// What a reply is, before its parameters are read.
package struct VarlinkReplyHead: Codable, Sendable {
    package var error: String?
    package var continues: Bool?
}

package enum Varlink {
    /// Octets in one frame, NUL not counted. A longer one ends the connection.
    package static let frameLimit = 1 << 20

    private struct Call<P: Encodable>: Encodable {
        var method: String
        var parameters: P
        var more: Bool?
    }
    private struct Reply<P: Encodable>: Encodable {
        var parameters: P
        var continues: Bool?
        var error: String?
    }
    private struct Parameters<P: Decodable>: Decodable { var parameters: P? }

    private static func frame(_ value: some Encodable) -> [UInt8] {
        // Our own types always encode; an empty object keeps the peer in step should one ever not.
        var octets = (try? JSONEncoder().encode(value)).map { [UInt8]($0) } ?? Array("{}".utf8)
        octets.append(0)
        return octets
    }

    package static func call<M: ControlMethod>(_: M.Type, _ input: M.Input, more: Bool = false) -> [UInt8] {
        frame(Call(method: M.name, parameters: input, more: more ? true : nil))
    }
    package static func reply(_ output: some Encodable, continues: Bool = false) -> [UInt8] {
        frame(Reply(parameters: output, continues: continues ? true : nil, error: nil))
    }
    package static func error(_ error: ControlError) -> [UInt8] {
        frame(Reply(parameters: error.detail, continues: nil, error: error.name))
    }

    /// - Throws: whatever is wrong with the JSON; the peer gets an error reply or is dropped.
    package static func head(ofCall frame: [UInt8]) throws -> VarlinkCallHead {
        try JSONDecoder().decode(VarlinkCallHead.self, from: Data(frame))
    }
    package static func head(ofReply frame: [UInt8]) throws -> VarlinkReplyHead {
        try JSONDecoder().decode(VarlinkReplyHead.self, from: Data(frame))
    }
    /// The parameters of a call or a reply; missing parameters are an empty object.
    package static func parameters<P: Decodable>(_: P.Type, in frame: [UInt8]) throws -> P {
        if let found = try JSONDecoder().decode(Parameters<P>.self, from: Data(frame)).parameters { return found }
        return try JSONDecoder().decode(P.self, from: Data("{}".utf8))
    }
    /// The result of a reply, or the error that it carries.
    package static func result<M: ControlMethod>(_: M.Type, in frame: [UInt8]) throws(ControlError) -> (
        M.Output, continues: Bool
    ) {
        do {
            let head = try head(ofReply: frame)
            if let name = head.error {
                let detail = try? parameters(ControlError.Detail.self, in: frame)
                throw ControlError(name: name, detail: detail ?? .init(code: "", message: name))
            }
            return (try parameters(M.Output.self, in: frame), head.continues ?? false)
        } catch let error as ControlError {
            throw error
        } catch {
            throw ControlError(
                .protocolBroken, code: "control.bad-reply", "the reply to \(M.name) cannot be read: \(error)")
        }
    }
}

/// Cuts a stream of octets into frames. A value; its owner feeds it.
package struct FrameDecoder: Sendable {
    private var pending: [UInt8] = []
    private var scanned = 0
    package init() {}

    package enum Failure: Error { case frameTooLong }

    /// - Returns: the frames that are complete now, without their NUL.
    /// - Throws: when more than `Varlink.frameLimit` octets came without NUL.
    package mutating func feed(_ octets: some Collection<UInt8>) throws(Failure) -> [[UInt8]] {
        pending.append(contentsOf: octets)
        var frames: [[UInt8]] = []
        var start = 0
        while let end = pending[max(start, scanned)...].firstIndex(of: 0) {
            frames.append(Array(pending[start..<end]))
            start = end + 1
            scanned = start
        }
        if start > 0 { pending.removeFirst(start) }
        scanned = pending.count
        if pending.count > Varlink.frameLimit { throw .frameTooLong }
        return frames
    }
}
