/// The languages of the console and of the commands (R-SYS-24).
package enum Language: String, CaseIterable, Sendable, Hashable {
    case english = "en"
    case japanese = "ja"

    /// The language that the environment asks for: the first of `LC_ALL`, `LC_MESSAGES`, `LANG` that is not empty,
    /// Japanese when it begins with `ja`, else English.
    package init(environment: (String) -> String?) {
        let names = ["LC_ALL", "LC_MESSAGES", "LANG"]
        let value = names.lazy.compactMap(environment).first { !$0.isEmpty } ?? ""
        self = value.hasPrefix("ja") ? .japanese : .english
    }
}
