/// What happened on a connection before its first MAIL, as the text of that line in the log: no lines of their own are
/// written for it, and a trace shows them all the same.
package struct ConnectionSteps: Hashable, Sendable {
    /// Address and port that were connected to, `*.*.*.*:25`.
    package var listener: String
    /// Milliseconds from the connection, and from the end of the handshake, to MAIL; `nil` = in clear.
    package var connected: Int64
    package var secured: Int64?

    package init(listener: String, connected: Int64, secured: Int64?) {
        self.listener = listener
        self.connected = connected
        self.secured = secured
    }

    /// `connected to *.*.*.*:25 173 ms before, TLS 120 ms before`
    package var text: String {
        "connected to \(listener) \(connected) ms before" + (secured.map { ", TLS \($0) ms before" } ?? "")
    }

    /// - Returns: `nil` for any other text.
    package init?(_ text: some StringProtocol) {
        let words = text.split(separator: " ")
        guard words.count >= 6, words[0] == "connected", words[1] == "to", let connected = Int64(words[3]),
            words[4] == "ms", connected >= 0
        else { return nil }
        var secured: Int64?
        if words.count >= 9, words[6] == "TLS", let time = Int64(words[7]), time >= 0 { secured = time }
        self.init(listener: String(words[2]), connected: connected, secured: secured)
    }
}
