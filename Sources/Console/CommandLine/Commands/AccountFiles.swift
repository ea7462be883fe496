import ArgumentParser
import Control

extension AccountCommand {
    struct File: ControlCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show or write one control file of an account.",
            discussion: """
                control (IMS.CTL), permitfrom, reply, noreply, replied, filter, hours (usetime.dat), recipients \
                (sender.dat). An empty text removes the file; faults are refused.
                """)
        @OptionGroup var global: GlobalOptions
        @OptionGroup var reading: ReadingOptions
        @OptionGroup var noting: NoteOptions
        @Option(help: "Write the text of this file; - is standard input.")
        var set: String?
        @Argument(help: "account@domain") var address: String
        @Argument(help: "control, permitfrom, reply, noreply, replied, filter, hours or recipients") var file: String

        func execute(_ session: Session) throws {
            if let set {
                return session.show(
                    try session.call(
                        DirectoryInterface.SetAccountFile.self,
                        .init(
                            address: address, file: file, text: try session.contents(of: set), note: noting.note)))
            }
            let found = try session.call(
                DirectoryInterface.GetAccountFile.self, .init(address: address, file: file))
            if reading.json { return session.show(json: found) }
            session.show(found.problems)
            session.console.write(found.text)
        }
    }

    struct Test: ControlCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show who would get a mail to an account, and why.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var reading: ReadingOptions
        @Option(help: "Envelope sender of the mail; <> is none.")
        var from = "somebody@elsewhere.example"
        @Argument(help: "account@domain") var address: String

        func execute(_ session: Session) throws {
            let found = try session.call(
                DirectoryInterface.TestAccount.self, .init(address: address, sender: from))
            if reading.json { return session.show(json: found) }
            for (index, step) in found.steps.enumerated() {
                session.say("\(index + 1). \(session.sentence(step.finding))")
            }
            session.say(session.word(found.isStored ? .testStored : .testNotStored, address))
            for target in found.forwardedTo { session.say(session.word(.testForwarded, target)) }
            if let answered = found.answered { session.say(session.word(.testAnswered, answered)) }
        }
    }
}
