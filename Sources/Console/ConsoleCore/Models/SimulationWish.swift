import Control

/// What the Simulate page shall begin with when it comes up next.
struct SimulationWish: Hashable, Sendable {
    var client = ""
    var hello = ""
    var login = ""
    var isTLS = false
    var sender = ""
    var recipient = ""
    var size = ""

    init(client: String = "") { self.client = client }

    /// The facts of a recorded decision, to be tried again.
    init(_ record: Explanation) {
        client = record.client
        hello = record.hello ?? ""
        login = record.authenticatedID ?? ""
        isTLS = record.isTLS
        sender = record.sender.map { $0.isEmpty ? "<>" : $0 } ?? ""
        recipient = record.recipient ?? ""
    }

    /// What a line of the log tells of a session.
    init(_ line: LogLine) {
        client = line.address ?? ""
        hello = line.host ?? ""
        sender = line.sender.map { $0.isEmpty ? "<>" : $0 } ?? ""
        recipient = line.recipient ?? ""
        size = line.size.map(String.init) ?? ""
    }
}
