import ArgumentParser
import Control

struct LockCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lock", abstract: "Show who is locked out after failed log-ins, lock, exempt and release.",
        subcommands: [List.self, Add.self, Allow.self, Release.self])

    struct List: ControlCommand {
        static let configuration = CommandConfiguration(abstract: "List locks and exemptions.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var reading: ReadingOptions

        func execute(_ session: Session) throws {
            let found = try session.call(GuardInterface.ListLocks.self)
            if reading.json { return session.show(json: found) }
            let calendar = try session.calendar()
            var table = TextTable([
                .init(session.word(.lockWho)), .init(session.word(.state)), .init(session.word(.lockCause)),
                .init(session.word(.since)), .init(session.word(.lockUntil)), .init(""),
            ])
            for lock in found.locks {
                table.add(
                    lock.subject, session.word(lock.state), session.word(lock.cause),
                    lock.since == 0 ? "" : calendar.text(lock.since), lock.until == 0 ? "" : calendar.text(lock.until),
                    lock.source)
            }
            session.show(table)
        }
    }

    struct Subjects: ParsableArguments {
        @Argument(help: "IP addresses, ranges such as 10.0.0.0/8 or 10.*.*.*, or accounts such as taro@example.jp.")
        var subjects: [String]
    }

    struct Add: ControlCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lock until it is released: an address may not connect, an account may not send.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var given: Subjects
        func execute(_ session: Session) throws { try session.change(.lock, given.subjects) }
    }

    struct Allow: ControlCommand {
        static let configuration = CommandConfiguration(abstract: "Never lock these.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var given: Subjects
        func execute(_ session: Session) throws { try session.change(.allow, given.subjects) }
    }

    struct Release: ControlCommand {
        static let configuration = CommandConfiguration(abstract: "Take locks and exemptions off.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var given: Subjects
        func execute(_ session: Session) throws { try session.change(.release, given.subjects) }
    }
}

extension Session {
    fileprivate func change(_ action: GuardInterface.ChangeLock.Action, _ subjects: [String]) throws {
        for subject in subjects {
            let answer = try call(GuardInterface.ChangeLock.self, .init(subject: subject, action: action))
            let text: Word =
                switch action {
                case .lock: .lockPermanent
                case .allow: .lockAllowed
                case .release: .lockReleased
                }
            say("\(subject): \(word(answer.isChanged ? text : .nothingChanged))")
        }
    }

    fileprivate func word(_ state: LockEntry.State) -> String {
        switch state {
        case .locked: word(.lockLocked)
        case .permanent: word(.lockPermanent)
        case .allowed: word(.lockAllowed)
        }
    }

    fileprivate func word(_ cause: LockEntry.Cause) -> String {
        switch cause {
        case .failures: word(.lockFailures)
        case .connections: word(.lockConnections)
        case .manual: word(.lockManual)
        }
    }
}
