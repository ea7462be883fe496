import Control
import ControlServer
import Settings

/// org.epost.Settings
struct SettingsDesk: Sendable {
    let desk: Desk
    /// Puts reverted lines into the file of a table; `nil` removes it.
    let writeTable: @Sendable (_ name: String, _ lines: [String]?) throws(ControlError) -> Void

    /// Puts old lines back into control files of accounts, unless they hold something else by now.
    let writeAccountFiles: @Sendable (_ undone: [ChangeRecord]) throws(ControlError) -> Void

    func register(on server: ControlServer) {
        let desk = desk
        server.on(SettingsInterface.List.self) { input, _ throws(ControlError) in
            try await desk.offload.run { () throws(ControlError) in try desk.store.listSettings(prefix: input.prefix) }
        }
        server.on(SettingsInterface.Validate.self) { input, _ throws(ControlError) in
            try await desk.offload.run { () throws(ControlError) in
                .init(problems: try desk.store.validate(input.changes))
            }
        }
        server.on(SettingsInterface.Apply.self) { input, caller throws(ControlError) in
            try desk.gate.need(paths: input.changes.map(\.key), caller)
            let applied = try await desk.offload.run { () throws(ControlError) in
                try desk.store.apply(
                    input.changes, note: input.note, dryRun: input.dryRun, by: Desk.author(caller))
            }
            return input.dryRun ? applied : await desk.inForce(applied, by: caller)
        }
        server.on(SettingsInterface.History.self) { input, caller throws(ControlError) in
            let shut = try desk.gate.shut(caller)
            if let domain = input.path.flatMap(DomainGate.domain), shut.contains(domain) {
                try desk.gate.need([domain], caller)
            }
            return try await desk.offload.run { () throws(ControlError) in
                let revisions = try desk.store.history(input).map { revision in
                    var revision = revision
                    revision.changes = DomainGate.visible(revision.changes, shut: shut)
                    return revision
                }
                return .init(revisions: revisions)
            }
        }
        let (writeTable, writeAccountFiles) = (writeTable, writeAccountFiles)
        server.on(SettingsInterface.Revert.self) { input, caller throws(ControlError) in
            let applied = try await desk.offload.run { () throws(ControlError) in
                try desk.store.revert(
                    input, by: Desk.author(caller),
                    mayTouch: { paths throws(ControlError) in try desk.gate.need(paths: paths, caller) },
                    writeTable: writeTable, writeAccountFiles: writeAccountFiles)
            }
            return input.dryRun ? applied : await desk.inForce(applied, by: caller)
        }
    }
}
