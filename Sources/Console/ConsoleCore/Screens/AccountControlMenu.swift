/// What the Account Manager opens for the files of one account (R-ACC-26 to R-ACC-29).
enum AccountControlMenu {
    static func commands(off: Phrase?) -> [Command] {
        func command(_ id: String, _ key: Character) -> Command {
            Command(id, Phrase("accounts.menu.\(id)"), keys: [.character(key)], off: off, isAction: true)
        }
        return [
            command("control", "c"), command("filter", "f"), command("hours", "h"), command("recipients", "r"),
            command("who", "w"),
        ]
    }

    /// - Returns: `nil` for a command of another kind.
    static func dialog(_ command: String, _ address: String) -> (any Dialog)? {
        switch command {
        case "control": MailControlDialog(address)
        case "hours": HoursDialog(address)
        case "filter", "recipients": AccountFileDialog(address, command)
        case "who": AccountTestDialog(address)
        default: nil
        }
    }
}
