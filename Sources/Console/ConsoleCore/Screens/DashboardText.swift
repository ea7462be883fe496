import Control

/// The dashboard in words.
enum DashboardText {
    /// Something that needs somebody, and the page where it is mended.
    struct Item: Hashable, Sendable {
        var text: Phrase
        var page: PageID
    }

    /// A message older than this in the queue is worth a look.
    private static let oldSeconds = 86_400

    static func reason(_ reason: String) -> Phrase { Phrase(code: "reason.\(reason)", english: reason) }
    static func cause(_ cause: String) -> Phrase { Phrase(code: "cause.\(cause)", english: cause) }

    /// `mx example.net` → `example.net`
    static func short(_ name: String) -> String { name.split(separator: " ").last.map(String.init) ?? name }

    static func sentence(_ host: DestinationStatus) -> Phrase {
        let last = host.reply.isEmpty ? host.tls : host.reply
        return .text(
            "dashboard.host.hint", Visible.line(host.name), String(host.delivered), String(host.deferred),
            String(host.failed), Visible.line(last))
    }

    /// - Parameter account: what is known of the sender beyond its mail of the hour, when it logs in or is counted.
    static func sentence(_ sender: BusySender, _ account: SenderEntry?) -> Phrase {
        let (messages, recipients) = (String(sender.messagesHour), String(sender.recipientsHour))
        guard let account else { return .text("dashboard.sender.mail", messages, recipients) }
        return .text(
            "dashboard.sender.hint", messages, recipients, String(account.messagesDay), String(account.held))
    }

    /// The null sender has no name of its own.
    static func name(_ sender: BusySender) -> String { sender.sender.isEmpty ? "<>" : Visible.line(sender.sender) }

    static func sessions(_ receiver: ServiceStatus?) -> Phrase {
        let limit = receiver?.counters["sessionsLimit"] ?? 0
        let now = String(receiver?.counters["sessions"] ?? 0)
        return .text("dashboard.sessions", limit > 0 ? "\(now)/\(limit)" : now)
    }

    static func states(_ services: [ServiceStatus], _ context: Context) -> String {
        services.map { service in
            "\(service.name.uppercased()) \(context.say(Phrase("service.state.\(service.state.rawValue)")))"
        }.joined(separator: "   ")
    }

    static func attention(_ context: Context, _ faults: [String: [Problem]], _ locks: [LockEntry]) -> [Item] {
        let model = context.model
        var items: [Item] = []
        for service in model.status?.services ?? [] where service.state == .failed || service.state == .stopped {
            let why = service.reason.map(Visible.line) ?? ""
            items.append(
                Item(
                    text: .text("dashboard.service.\(service.state.rawValue)", service.name.uppercased(), why),
                    page: .service))
        }
        if let warning = SSLText.warning(model.certificate) { items.append(Item(text: warning, page: .ssl)) }
        for (name, problems) in faults.sorted(by: { $0.key < $1.key }) {
            let page: PageID = name == "effect" ? .relay : name == "gateway" ? .server : .service
            let faulty = problems.filter { !$0.isWarning }
            if !faulty.isEmpty {
                items.append(
                    Item(text: .text("dashboard.table.faulty", "\(name).dat", String(faulty.count)), page: page))
            }
            if let open = problems.first(where: { $0.code.hasSuffix("-relay") }) {
                items.append(Item(text: .text("dashboard.table.open", Visible.line(open.path)), page: page))
            }
        }
        let shut = locks.filter { $0.state != .allowed }
        if let newest = shut.max(by: { $0.since < $1.since }) {
            items.append(
                Item(text: .text("dashboard.locks", String(shut.count), Visible.line(newest.subject)), page: .log))
        }
        if let left = model.status?.hashesLeft {
            items.append(Item(text: .text("dashboard.hashes", String(left)), page: .accounts))
        }
        if let queue = model.status?.queue {
            if queue.held > 0 {
                items.append(Item(text: .text("dashboard.held", String(queue.held)), page: .queue))
            }
            if queue.oldestAge > oldSeconds {
                let age = Clock.age(queue.oldestAge * 1_000, context.say)
                items.append(Item(text: .text("dashboard.old", age), page: .queue))
            }
        }
        return items
    }
}
