import Control

/// What ends a command, with the exit code that scripts see (architecture, section 8).
enum CommandFailure: Error {
    /// Refused or failed; the text is complete and translated.
    case failed(String)
    /// The command line asks for something that cannot be.
    case usage(String)
    /// Everything was said already.
    case said

    var exitCode: Int32 {
        switch self {
        case .failed, .said: 1
        case .usage: 2
        }
    }
}

extension ControlError {
    var exitCode: Int32 { kind == .noConnection ? 3 : 1 }
}
