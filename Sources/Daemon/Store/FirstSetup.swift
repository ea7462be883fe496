import Control
import MailModel
import Settings

/// What the wizard writes, all in one revision.
package struct FirstSetup: Sendable {
    /// Normalised texts by key.
    package var settings: [(key: String, texts: [String])]
    package var domains: [DomainRecord]
    /// Lines of text tables that were written, by table name, with the lines before.
    package var tables: [(name: String, old: [String]?, new: [String])]

    package init(
        settings: [(key: String, texts: [String])], domains: [DomainRecord],
        tables: [(name: String, old: [String]?, new: [String])]
    ) {
        self.settings = settings
        self.domains = domains
        self.tables = tables
    }
}

extension StoreWriter {
    /// Whether the wizard or `setup` has been through.
    package func isConfigured() throws(ControlError) -> Bool { try state("configured") == "1" }

    /// Writes a set-up and marks the installation as configured. Domains that are operated already are changed.
    package func configure(_ setup: FirstSetup, note: String, by author: Author) throws(ControlError) -> Applied {
        try locked { connection, reader in
            let old = try reader.snapshot()
            let known = try reader.domains()
            let (revision, records) = try change(author, note: note, connection) { editor in
                for (key, texts) in setup.settings where old.texts(for: key) != texts || old.isDefault(key) {
                    let isDefault = SettingsCatalogue.definition(of: key)?.defaultValues(layout) == texts
                    if isDefault, old.isDefault(key) { continue }
                    try editor.setSetting(key, from: old.texts(for: key), to: isDefault ? nil : texts)
                }
                for domain in setup.domains {
                    try editor.put(known.first { $0.name == domain.name }, domain)
                }
                for (name, old, new) in setup.tables where old != new {
                    try editor.table(name, from: old, to: new)
                }
                _ = try connection.run(
                    "INSERT INTO state(key, value) VALUES('configured','1') ON CONFLICT(key) DO UPDATE SET value='1'")
            }
            return Self.applied(revision, records, [])
        }
    }
}
