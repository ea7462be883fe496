/// A file of the person at the console, read or written for a page; the loop outside does it.
package enum FileRequest: Hashable, Sendable {
    /// A whole text of at most `limit` octets.
    case read(path: String, limit: Int)
    /// Mode 0600, beside and renamed. Without `overwrites` a file that is there stays (`exists`).
    case write(path: String, text: String, overwrites: Bool)
}

package enum FileOutcome: Hashable, Sendable {
    case contents(String)
    case written
    case exists
    /// The system's reason.
    case failed(String)
}

extension LinkMessage {
    /// What became of the file request `id`, if this message says it.
    package func file(for id: RequestID?) -> FileOutcome? {
        if case .file(let other, let outcome) = self, other == id { return outcome }
        return nil
    }
}
