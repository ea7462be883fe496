import Control
import Journal
import Settings
import Store

/// One of the services; tests run several in one process.
package protocol ServiceProgram: Sendable {
    /// Works until `ServiceEvent.stop` came and what was under way is finished, then returns.
    /// - Throws: when it cannot go on; the error's description is shown beside the service, and it is started again by
    ///   the restart rule.
    func run(context: ServiceContext) async throws
    /// Whether questions about accounts may take their time; on an event loop they may not.
    var waitsForAccounts: Bool { get }
}

extension ServiceProgram {
    package var waitsForAccounts: Bool { true }
}

/// A listening socket, bound by the supervisor. The service closes the descriptor when it does not need it any more;
/// the supervisor holds its own, so connections wait in the kernel meanwhile.
package struct InheritedListener: Sendable, Hashable {
    package let address: ListenerAddress
    package let descriptor: Int32
    package init(address: ListenerAddress, descriptor: Int32) {
        self.address = address
        self.descriptor = descriptor
    }
}

/// What happens to a service from outside, in order.
package enum ServiceEvent: Sendable {
    /// The complete list from now on. An address that the service serves already comes with one more descriptor of
    /// the same socket: close it and go on. Comes once before anything else to EPSTRS, later when the setting changed.
    case listeners([InheritedListener])
    /// Ask the directory anew.
    case settingsChanged
    /// Text tables by name (`effect`, `gateway`, `header`), or `tls`, changed on disk.
    case filesChanged(Set<String>)
    /// Read certificate, tables and settings anew, changed or not.
    case reload
    case request(ServiceRequest)
    /// Take no new work, finish or put back what is under way, return from `run`. After `grace` the process ends.
    case stop(grace: Duration)
}

/// A control method that the supervisor passes on. Answer it once.
package struct ServiceRequest: Sendable {
    /// `org.epost.Queue.Act`
    package let method: String
    let parameters: String
    let reply: @Sendable (_ parameters: String?, _ error: ForwardedError?) -> Void

    package init(
        method: String, parameters: String, reply: @escaping @Sendable (String?, ForwardedError?) -> Void
    ) {
        self.method = method
        self.parameters = parameters
        self.reply = reply
    }

    package func input<M: ControlMethod>(of _: M.Type) throws(ControlError) -> M.Input {
        do {
            return try ServiceFrame.value(M.Input.self, json: parameters)
        } catch {
            throw ControlError(.invalidParameter, code: "control.bad-parameters", "parameters of \(method): \(error)")
        }
    }
    package func answer<M: ControlMethod>(_: M.Type, _ output: M.Output) { reply(ServiceFrame.json(output), nil) }
    package func fail(_ error: ControlError) { reply(nil, ForwardedError(error)) }
    /// For a method that the service does not know.
    package func refuse() {
        fail(ControlError(.methodNotFound, code: "control.no-method", "the service has no method \(method)"))
    }
}
