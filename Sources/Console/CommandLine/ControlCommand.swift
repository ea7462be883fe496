import ArgumentParser

/// A command of the program. `execute` prints through the session and throws `CommandFailure` or `ControlError`.
protocol ControlCommand: ParsableCommand {
    var global: GlobalOptions { get }
    func execute(_ session: Session) throws
}
