import Control
import FoundationEssentials

/// What a service tells the supervisor. One JSON object per frame, ended by NUL, on the inherited socket.
package enum ServiceReport: Codable, Sendable, Equatable {
    /// Everything is open; the service does its work from now on.
    case ready
    /// The first job is done: a later failure is no structural one.
    case served
    /// Totals since the service started.
    case counters([String: Int])
    /// Trouble that people should see beside the service, English; `nil`: it is over.
    case trouble(String?)
    /// A sealed secret of an account, made when its password was seen: see `AccountSecret`.
    case secret(account: String, kind: String, generation: String, sealed: String)
    /// A client (`address`) or an account (`account`) is locked from now on, `since` in seconds since 1970; to be
    /// written down and told.
    case locked(kind: String, subject: String, since: Int64, cause: String, count: Int)
    /// Something that an administrator should see at once, English.
    case alert(String)
    /// The answer to a forwarded request: JSON parameters, or an error.
    case answer(id: Int, parameters: String?, error: ForwardedError?)
}

/// What the supervisor tells a service.
package enum ServiceOrder: Codable, Sendable, Equatable {
    /// Listen on these, and on no others; their descriptors come along in the same order, at most 64.
    case listeners([String])
    case settingsChanged(revision: Int)
    /// A text table changed on disk (`effect`), or the certificate files did (`tls`).
    case filesChanged([String])
    /// Read everything anew, also what looks unchanged (SIGHUP).
    case reload
    /// Answer when everything that was ordered before is in force.
    case mark(id: Int)
    /// Finish what is under way, within so many milliseconds; then end.
    case stop(grace: Int)
    /// A control method for this service: name and JSON parameters.
    case request(id: Int, method: String, parameters: String)
}

/// `ControlError` on its way through the supervisor.
package struct ForwardedError: Codable, Sendable, Equatable, Error {
    package var name: String
    package var detail: ControlError.Detail
    package init(_ error: ControlError) {
        name = error.name
        detail = error.detail
    }
    package var controlError: ControlError { ControlError(name: name, detail: detail) }
}

package enum ServiceFrame {
    package static func encode(_ value: some Encodable) -> [UInt8] {
        // Our own types always encode; the receiver drops an empty object.
        var octets = (try? JSONEncoder().encode(value)).map { [UInt8]($0) } ?? Array("{}".utf8)
        octets.append(0)
        return octets
    }
    package static func decode<Value: Decodable>(_: Value.Type, _ frame: [UInt8]) -> Value? {
        try? JSONDecoder().decode(Value.self, from: Data(frame))
    }
    package static func json(_ value: some Encodable) -> String {
        (try? JSONEncoder().encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
    package static func value<Value: Decodable>(_: Value.Type, json: String) throws -> Value {
        try JSONDecoder().decode(Value.self, from: Data(json.utf8))
    }
}

/// Descriptors that a service finds open when it starts.
package enum InheritedDescriptor {
    /// Socket pair to the supervisor.
    package static let channel: Int32 = 3
    /// Datagram socket pair between EPSTRS and EPSTDS: a byte wakes the other side.
    package static let wake: Int32 = 4
}
