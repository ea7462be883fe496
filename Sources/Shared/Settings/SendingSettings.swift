/// How much one account, and one address, may send before its mail is held (field notes C1). 0 = no limit.
package enum SendingSettings {
    package static let accountMessagesHour = limit("account_messages_hour", "300", .messages)
    package static let accountMessagesDay = limit("account_messages_day", "2000", .messages)
    package static let accountRecipientsHour = limit("account_recipients_hour", "1000", .recipients)
    package static let accountRecipientsDay = limit("account_recipients_day", "5000", .recipients)
    /// Recipients that the account never wrote to before.
    package static let accountNewRecipientsHour = limit("account_new_recipients_hour", "200", .recipients)
    package static let accountNewRecipientsDay = limit("account_new_recipients_day", "1000", .recipients)
    /// One client address: of all its accounts, and of what it relays without authentication.
    package static let addressMessagesHour = limit("address_messages_hour", "0", .messages)
    package static let addressMessagesDay = limit("address_messages_day", "0", .messages)
    package static let addressRecipientsHour = limit("address_recipients_hour", "0", .recipients)
    package static let addressRecipientsDay = limit("address_recipients_day", "0", .recipients)

    /// Write a mail to `admin.account` when mail of a sender begins to be held.
    package static let notifiesAdministrator = Setting<Bool>(
        "receiver.notify_held", .boolean, "true", effect: .now, source: "field notes C1")

    private static func limit(_ name: String, _ value: String, _ unit: SettingDefinition.Unit) -> Setting<Int> {
        Setting<Int>(
            "receiver.\(name)", .integer(0...10_000_000), value, unit: unit, effect: .now, source: "field notes C1")
    }

    static let all: [SettingDefinition] =
        [
            accountMessagesHour, accountMessagesDay, accountRecipientsHour, accountRecipientsDay,
            accountNewRecipientsHour, accountNewRecipientsDay, addressMessagesHour, addressMessagesDay,
            addressRecipientsHour, addressRecipientsDay,
        ].map(\.definition) + [notifiesAdministrator.definition]
}
