import ArgumentParser
import Control

struct DirectoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "directory", abstract: "Accounts of the system or of an LDAP directory.",
        subcommands: [Check.self])

    struct Check: ControlCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say whether the accounts can be reached, step by step, and how many there are.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var reading: ReadingOptions
        @Option(help: "system or ldap: check one that is not in use yet.")
        var backend: String?
        @Argument(help: "An account, or an address, to look for.") var account: String?

        func validate() throws {
            if let backend, !["system", "ldap"].contains(backend) {
                throw ValidationError("--backend is system or ldap.")
            }
        }

        func execute(_ session: Session) throws {
            let found = try session.call(
                DirectoryInterface.CheckDirectory.self, .init(account: account, backend: backend))
            if reading.json {
                session.show(json: found)
            } else if found.steps.isEmpty {
                session.say(session.catalogueText("directory.soft") ?? "")
            } else {
                session.show(
                    TextTable(
                        pairs: found.steps.map { step in
                            let label = session.catalogueText("directory.step.\(step.name)") ?? step.name
                            return (step.isRight ? label : "! \(label)", step.detail)
                        }))
            }
            if found.steps.contains(where: { !$0.isRight }) {
                throw CommandFailure.failed(session.catalogueText("directory.fails") ?? "")
            }
        }
    }
}
