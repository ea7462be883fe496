/// One thing that is wrong with a value, or worth a warning. `Control.Problem` has the same fields; this module stands
/// below the control protocol.
package struct SettingProblem: Hashable, Sendable, Error {
    /// Setting key.
    package var key: String
    /// Catalogue key of the message, `setting.out-of-range`; filled with `arguments` (`{0}`, `{1}`, …).
    package var code: String
    /// English, a whole sentence.
    package var message: String
    package var arguments: [String]
    /// Warnings do not stop a change.
    package var isWarning: Bool

    package init(key: String, code: String, message: String, arguments: [String] = [], isWarning: Bool = false) {
        self.key = key
        self.code = code
        self.message = message
        self.arguments = arguments
        self.isWarning = isWarning
    }
}
