import CNcurses
import Glibc

/// Character set of the terminal. The names that ssh forwards often do not exist here; then UTF-8 without a language
/// does the same for characters.
enum TerminalLocale {
    /// - Returns: whether characters are UTF-8.
    static func set() -> Bool {
        if cnc_set_locale("") == nil || codeset() == "ANSI_X3.4-1968" && wantsUTF8() {
            _ = cnc_set_locale("C.UTF-8") ?? cnc_set_locale("C.utf8")
        }
        return codeset() == "UTF-8"
    }

    private static func codeset() -> String {
        nl_langinfo(nl_item(CODESET)).map { String(cString: $0) } ?? ""
    }

    /// The environment asks for UTF-8, or for nothing at all: a terminal of today then is UTF-8.
    private static func wantsUTF8() -> Bool {
        for name in ["LC_ALL", "LC_CTYPE", "LANG"] {
            guard let value = getenv(name).map({ String(cString: $0) }), !value.isEmpty else { continue }
            return value != "C" && value != "POSIX"
        }
        return true
    }
}
