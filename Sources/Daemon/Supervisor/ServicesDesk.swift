import Control
import ControlServer
import FoundationEssentials

/// org.epost.Services
struct ServicesDesk: Sendable {
    let desk: Desk

    func register(on server: ControlServer) {
        let desk = desk
        server.on(ServicesInterface.List.self) { _, _ in .init(services: desk.board.services) }
        server.on(ServicesInterface.Act.self) { input, _ throws(ControlError) in
            try desk.needConfiguration()
            guard let kind = ManagedService.Kind(rawValue: input.service) else {
                throw ControlError(
                    .notFound, code: "service.unknown",
                    "there is no service \"\(input.service)\"; known are epstrs and epstds", arguments: [input.service])
            }
            return try await desk.act(kind, input.action, force: input.force)
        }
    }
}

extension Desk {
    /// Ends when the action is done, or has failed.
    func act(
        _ kind: ManagedService.Kind, _ action: ServicesInterface.Act.Action, force: Bool = false
    ) async throws(ControlError) -> ServiceStatus {
        let result: Result<ServiceStatus, ControlError> = await withCheckedContinuation { continuation in
            inbox.post { supervisor in
                supervisor.act(kind, action, force: force) { continuation.resume(returning: $0) }
            }
        }
        return try result.get()
    }

    /// Lets a running service answer a method.
    /// - Returns: `nil` when it does not run.
    func forward<M: ControlMethod>(
        _: M.Type, _ input: M.Input, to kind: ManagedService.Kind
    ) async throws(ControlError) -> M.Output? {
        guard board.services.first(where: { $0.name == kind.rawValue })?.state == .running else { return nil }
        guard let parameters = try? JSONEncoder().encode(input) else { return nil }
        let text = String(decoding: parameters, as: UTF8.self)
        let name = M.name
        let result: Result<String, ControlError> = await withCheckedContinuation { continuation in
            inbox.post { supervisor in
                supervisor.forward(kind, method: name, parameters: text) { continuation.resume(returning: $0) }
            }
        }
        let answer = try result.get()
        do {
            return try JSONDecoder().decode(M.Output.self, from: Data(answer.utf8))
        } catch {
            throw ControlError(
                .failed, code: "service.bad-answer", "\(kind.rawValue) gave an answer that cannot be read")
        }
    }
}
