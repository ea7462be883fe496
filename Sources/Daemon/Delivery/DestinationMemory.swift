import MailModel
import Policy
import Tables

// What is known of destinations, as text, so that it outlives the service. Lives on the event loop.
extension DestinationBook {
    private static let title = "epost destinations 1"
    /// Destinations that are written down at most, those that were needed last.
    private static let written = 2_000

    /// A title with the version; then lines of fields with a TAB between: `all` with a cause of all destinations, `to` with
    /// a destination, `why` with a cause of the destination above.
    var text: String {
        var out = Self.title + "\n"
        func line(_ fields: [String]) {
            out += fields.map { field in String(field.map { $0.isNewline || $0 == "\t" ? " " : $0 }) }
                .joined(separator: "\t")
            out += "\n"
        }
        func sorted(_ causes: [RefusalCause: CauseCounter]) -> [(RefusalCause, CauseCounter)] {
            causes.sorted { $0.key.rawValue < $1.key.rawValue }.map { ($0.key, $0.value) }
        }
        for (cause, counter) in sorted(causes) { line(["all", cause.rawValue] + counter.fields) }
        let newest = records.values.sorted { ($0.used, $1.hop.text) > ($1.used, $0.hop.text) }
        for record in newest.prefix(Self.written) {
            line(["to"] + record.hop.fields + record.fields)
            for (cause, counter) in sorted(record.causes) { line(["why", cause.rawValue] + counter.fields) }
        }
        return out
    }

    /// Reads what `text` wrote. Lines that are not understood are left out, another version too.
    convenience init(text: String) {
        self.init()
        let lines = text.split(separator: "\n")
        guard lines.first == Self.title[...] else { return }
        var current: DestinationRecord?
        for line in lines.dropFirst() {
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            switch fields[0] {
            case "all":
                if let (cause, counter) = Self.cause(fields) { restore(counter, for: cause) }
            case "to":
                current = NextHop(fields: fields[1...]).map(DestinationRecord.init)
                guard let record = current, record.restore(fields.dropFirst(1 + NextHop.fieldCount)) else {
                    current = nil
                    continue
                }
                restore(record)
            case "why":
                if let (cause, counter) = Self.cause(fields) { current?.restore(counter, for: cause) }
            default: continue
            }
        }
    }

    private static func cause(_ fields: [String]) -> (RefusalCause, CauseCounter)? {
        guard fields.count > 2, let cause = RefusalCause(rawValue: fields[1]),
            let counter = CauseCounter(fields: fields.dropFirst(2))
        else { return nil }
        return (cause, counter)
    }
}

extension NextHop {
    static let fieldCount = 6

    fileprivate var fields: [String] {
        let (kind, name) =
            switch target {
            case .domain(let domain): ("mx", domain)
            case .address(let address): ("address", address.description)
            case .gateway(let host): ("gateway", host)
            }
        return [kind, name, String(port), isImplicitTLS ? "1" : "0", login?.method.rawValue ?? "", login?.name ?? ""]
    }

    fileprivate init?(fields: ArraySlice<String>) {
        let fields = Array(fields.prefix(Self.fieldCount))
        guard fields.count == Self.fieldCount, !fields[1].isEmpty, let port = Int(fields[2]),
            (1...65_535).contains(port)
        else { return nil }
        let target: Target
        switch fields[0] {
        case "mx": target = .domain(fields[1])
        case "address":
            guard let address = IPAddress(fields[1]) else { return nil }
            target = .address(address)
        case "gateway": target = .gateway(fields[1])
        default: return nil
        }
        let login = fields[4].isEmpty ? nil : GatewayLogin(method: fields[4], name: fields[5])
        self.init(target, port: port, isImplicitTLS: fields[3] == "1", login: login)
    }
}

extension DestinationRecord {
    fileprivate var fields: [String] {
        [delivered, deferred, failed, connections].map { String($0) }
            + [lastSuccess, lastFailure, used].map { String($0) } + [tls ?? "", lastReply]
    }

    /// - Returns: whether the fields are whole.
    fileprivate func restore(_ fields: ArraySlice<String>) -> Bool {
        let fields = Array(fields)
        let counts = fields.prefix(4).compactMap { Int($0) }.filter { $0 >= 0 }
        let times = fields.dropFirst(4).prefix(3).compactMap { Int64($0) }.filter { $0 >= 0 }
        guard fields.count == 9, counts.count == 4, times.count == 3 else { return false }
        (delivered, deferred, failed, connections) = (counts[0], counts[1], counts[2], counts[3])
        (lastSuccess, lastFailure, used) = (times[0], times[1], times[2])
        tls = fields[7].isEmpty ? nil : fields[7]
        lastReply = fields[8]
        return true
    }
}

extension CauseCounter {
    fileprivate var fields: [String] {
        [String(total), String(time), String(newest), slots.map { String($0) }.joined(separator: ","), reply]
    }

    fileprivate init?(fields: ArraySlice<String>) {
        let fields = Array(fields)
        guard fields.count == 5, let total = Int(fields[0]), let time = Int64(fields[1]),
            let newest = Int64(fields[2]), total >= 0, newest >= 0
        else { return nil }
        let slots = fields[3].split(separator: ",").compactMap { Int($0) }.filter { $0 >= 0 }
        self.init(total: total, time: time, newest: newest, slots: slots, reply: fields[4])
    }
}
