import Control
import Glibc
import Synchronization

/// Serves the control socket: frames, rights, dispatch and introspection. What the methods do is registered by the
/// supervisor; this module knows none of it.
///
/// Handlers run as tasks of their own. Calls of one connection are answered one after the other, in order, as Varlink
/// demands; different connections do not wait for each other.
package final class ControlServer: Sendable {
    package struct Identity: Sendable {
        package var vendor: String
        package var product: String
        package var version: String
        package var url: String
        /// Interface name → text of its `.varlink` file.
        package var descriptions: [String: String]

        package init(vendor: String, product: String, version: String, url: String, descriptions: [String: String]) {
            self.vendor = vendor
            self.product = product
            self.version = version
            self.url = url
            self.descriptions = descriptions
        }
    }

    package enum Failure: Error {
        /// Socket, bind or listen failed: what, on which path, errno.
        case cannotListen(String)
    }

    typealias Handler = @Sendable (_ frame: [UInt8], _ caller: Caller, _ port: ReplyPort) async -> Void

    private let handlers = Mutex<[String: Handler]>([:])
    let identity: Identity
    let path: String
    private let loop: ControlLoop

    /// - Parameter path: a stale socket there is replaced.
    package init(path: String, identity: Identity) {
        self.path = path
        self.identity = identity
        loop = ControlLoop()
    }

    /// A method with one reply.
    package func on<M: ControlMethod>(
        _: M.Type, _ body: @escaping @Sendable (M.Input, Caller) async throws(ControlError) -> M.Output
    ) {
        register(M.self) { input, caller, port throws(ControlError) in
            port.finish(Varlink.reply(try await body(input, caller)))
        }
    }

    /// A method that may answer in parts. When `more` was not asked for, the first reply is the only one.
    /// The body ends when it has nothing more to say, or when `replies.isOpen` turned false (its task is cancelled).
    package func stream<M: ControlMethod>(
        _: M.Type,
        _ body: @escaping @Sendable (M.Input, Caller, Replies<M.Output>) async throws(ControlError) -> Void
    ) {
        register(M.self) { input, caller, port throws(ControlError) in
            try await body(input, caller, Replies(port: port))
            port.finish(nil)
        }
    }

    private func register<M: ControlMethod>(
        _: M.Type, _ body: @escaping @Sendable (M.Input, Caller, ReplyPort) async throws(ControlError) -> Void
    ) {
        let handler: Handler = { frame, caller, port in
            guard caller.mayChange || (M.isReadOnly && caller.mayLook) else {
                return port.finish(Varlink.error(Self.notPermitted(caller)))
            }
            let input: M.Input
            do {
                input = try Varlink.parameters(M.Input.self, in: frame)
            } catch {
                return port.finish(Varlink.error(Introspection.invalidParameter(error)))
            }
            do throws(ControlError) {
                try await body(input, caller, port)
            } catch {
                port.finish(Varlink.error(error))
            }
        }
        handlers.withLock { $0[M.name] = handler }
    }

    private static func notPermitted(_ caller: Caller) -> ControlError {
        caller.mayLook
            ? ControlError(
                .notPermitted, code: "control.view-only",
                "Your account may look but not change. Ask for the group \(CallerRights.adminGroup).")
            : ControlError(
                .notPermitted, code: "control.no-access",
                "User \(caller.user) has no access to this server. Ask for the group \(CallerRights.adminGroup) or "
                    + "\(CallerRights.viewGroup).", arguments: [caller.user])
    }

    /// Binds, listens and serves on a thread of its own.
    package func start() throws(Failure) {
        let descriptor = try ControlSocket.listen(at: path)
        CallerRights().protect(path)
        loop.start(listener: descriptor) { [weak self] frame, caller, port in
            guard let self else { return port.finish(nil) }
            self.dispatch(frame, caller, port)
        }
    }

    /// Closes the socket and all connections, and removes the path.
    package func stop() {
        loop.stop()
        unlink(path)
    }

    /// Connections now open.
    package var connections: Int { loop.count }

    private func dispatch(_ frame: [UInt8], _ caller: Caller, _ port: ReplyPort) {
        guard let head = try? Varlink.head(ofCall: frame) else {
            // Not a call: there is nothing to answer, and the next octets cannot be trusted either.
            return port.drop()
        }
        port.wantsMore = head.more ?? false
        port.isOneway = head.oneway ?? false
        if head.upgrade ?? false {
            return port.finish(Varlink.error(Introspection.invalidParameter(named: "upgrade")))
        }
        if let answer = Introspection.answer(head.method, frame, identity, caller) { return port.finish(answer) }
        guard let handler = handlers.withLock({ $0[head.method] }) else {
            return port.finish(Varlink.error(Introspection.unknown(head.method, identity)))
        }
        port.task = Task { await handler(frame, caller, port) }
    }
}

/// Where a stream's body puts its replies.
package struct Replies<Output: Codable & Sendable>: Sendable {
    let port: ReplyPort

    /// Sends one part. Does nothing when the connection is gone.
    /// - Parameter isLast: no part follows.
    package func send(_ output: Output, isLast: Bool = false) {
        if isLast || !port.wantsMore {
            port.finish(Varlink.reply(output))
        } else {
            port.send(Varlink.reply(output, continues: true))
        }
    }

    /// False once the caller is gone, was dropped as too slow, or has its only reply.
    package var isOpen: Bool { port.isOpen }
    /// Whether the caller asked for parts.
    package var wantsMore: Bool { port.wantsMore }
}
