import Control

/// The methods that every Varlink service has (`org.varlink.service`).
enum Introspection {
    static let interface = "org.varlink.service"

    static let description = """
        # The Varlink Service Interface is provided by every varlink service.
        interface org.varlink.service

        # Who this is, and which interfaces it has.
        method GetInfo() -> (
          vendor: string,
          product: string,
          version: string,
          url: string,
          interfaces: []string
        )

        # The text of an interface's description.
        method GetInterfaceDescription(interface: string) -> (description: string)

        error InterfaceNotFound (interface: string)
        error MethodNotFound (method: string)
        error MethodNotImplemented (method: string)
        error InvalidParameter (parameter: string)

        """

    private struct Info: Encodable {
        var vendor, product, version, url: String
        var interfaces: [String]
    }
    private struct Question: Decodable { var interface: String }
    private struct Description: Encodable { var description: String }

    /// - Returns: the reply, or `nil` when the method is not one of these.
    static func answer(_ method: String, _ frame: [UInt8], _ identity: ControlServer.Identity, _ caller: Caller)
        -> [UInt8]?
    {
        switch method {
        case "\(interface).GetInfo":
            return Varlink.reply(
                Info(
                    vendor: identity.vendor, product: identity.product, version: identity.version, url: identity.url,
                    interfaces: [interface] + identity.descriptions.keys.sorted()))
        case "\(interface).GetInterfaceDescription":
            guard let asked = try? Varlink.parameters(Question.self, in: frame).interface else {
                return Varlink.error(invalidParameter(named: "interface"))
            }
            let found = asked == interface ? description : identity.descriptions[asked]
            guard let found else { return Varlink.error(unknownInterface(asked)) }
            return Varlink.reply(Description(description: found))
        default:
            return nil
        }
    }

    /// The answer for a method that nobody registered: its interface is unknown, or the method in it.
    static func unknown(_ method: String, _ identity: ControlServer.Identity) -> ControlError {
        let parts = method.split(separator: ".", omittingEmptySubsequences: false)
        let name = parts.dropLast().joined(separator: ".")
        guard name == interface || identity.descriptions[name] != nil else { return unknownInterface(name) }
        var detail = ControlError.Detail(code: "control.unknown-method", message: "There is no method \(method).")
        detail.method = method
        return ControlError(name: ControlError.Kind.methodNotFound.rawValue, detail: detail)
    }

    static func unknownInterface(_ name: String) -> ControlError {
        var detail = ControlError.Detail(code: "control.unknown-interface", message: "There is no interface \(name).")
        detail.interface = name
        return ControlError(name: ControlError.Kind.interfaceNotFound.rawValue, detail: detail)
    }

    static func invalidParameter(named name: String) -> ControlError {
        var detail = ControlError.Detail(
            code: "control.invalid-parameter", message: "The parameter \(name) is missing or has a wrong type.",
            arguments: [name])
        detail.parameter = name
        return ControlError(name: ControlError.Kind.invalidParameter.rawValue, detail: detail)
    }

    /// Names the field that could not be read.
    static func invalidParameter(_ error: any Error) -> ControlError {
        guard let error = error as? DecodingError else { return invalidParameter(named: "parameters") }
        var path: [any CodingKey]
        switch error {
        case .keyNotFound(let key, let context): path = context.codingPath + [key]
        case .typeMismatch(_, let context), .valueNotFound(_, let context): path = context.codingPath
        case .dataCorrupted(let context): path = context.codingPath
        @unknown default: path = []
        }
        if path.first?.stringValue == "parameters" { path.removeFirst() }
        return invalidParameter(named: path.isEmpty ? "parameters" : path.map(\.stringValue).joined(separator: "."))
    }
}
