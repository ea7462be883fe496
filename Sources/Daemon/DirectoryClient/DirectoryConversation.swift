import CLinux
import DirectoryWire
import Glibc
import Threads

/// The client's side of the socket. Used by the client's thread only.
struct DirectoryConversation {
    private let sockets: [String]
    private let wake: Int32
    private let take: () -> [DirectoryClient.Question]?
    private var descriptor: Int32 = -1
    /// Where `descriptor` was looked for: the first of them that answered.
    private var places: [String] = []
    private var decoder = DirectoryFrameDecoder()
    private var configured: DirectoryProfile?
    private var waiting: [DirectoryClient.Question] = []
    private var underWay: [UInt32: DirectoryClient.Question] = [:]
    private var outgoing: ArraySlice<UInt8> = []
    private var nextID: UInt32 = 1
    /// When connecting began to fail, and when it was tried last; monotonic milliseconds.
    private var downSince: Int64?
    private var triedAt: Int64 = 0

    /// A helper that is just being started, or started again, is waited for so long.
    private static let patience: Int64 = 3_000
    private static let retry: Int64 = 50

    init(sockets: [String], wake: Int32, take: @escaping () -> [DirectoryClient.Question]?) {
        self.sockets = sockets
        self.wake = wake
        self.take = take
    }

    mutating func run() {
        while true {
            guard let new = take() else { break }
            waiting += new
            // Who has given up the privileges for PAM asks nobody else's directory.
            if descriptor >= 0, let next = waiting.first, sockets(for: next) != places {
                lose("another directory is asked", repeats: true)
            }
            if descriptor < 0, !waiting.isEmpty { connect() }
            if descriptor >= 0 { sendWaiting() }
            expire()
            turn()
        }
        lose("the service ends", repeats: false)
        for question in waiting { question.completion(.unavailable("the service ends")) }
    }

    private mutating func turn() {
        var entries = [pollfd(fd: wake, events: Int16(POLLIN), revents: 0)]
        if descriptor >= 0 {
            let events = outgoing.isEmpty ? POLLIN : POLLIN | POLLOUT
            entries.append(pollfd(fd: descriptor, events: Int16(events), revents: 0))
        }
        let deadlines = waiting.map(\.deadline) + underWay.values.map(\.deadline)
        var wait = deadlines.min().map { max(0, $0 - SystemClock.monotonic() + 1) } ?? -1
        if descriptor < 0, !waiting.isEmpty { wait = min(wait, Self.retry) }
        guard poll(&entries, nfds_t(entries.count), Int32(clamping: wait)) > 0 else { return }
        if entries[0].revents != 0 {
            var count: UInt64 = 0
            _ = read(wake, &count, 8)
        }
        guard entries.count > 1, entries[1].revents != 0 else { return }
        if entries[1].revents & Int16(POLLOUT) != 0 { flush() }
        if descriptor >= 0, entries[1].revents & Int16(POLLIN | POLLHUP | POLLERR) != 0 { receive() }
    }

    // MARK: Connection

    private mutating func connect() {
        let now = SystemClock.monotonic()
        let isGivenUp = downSince.map { now - $0 > Self.patience } ?? false
        // A helper that stays away is looked for now and then, and nobody waits for it.
        if now - triedAt < Self.retry || isGivenUp && now - triedAt < 500 {
            if isGivenUp { fail() }
            return
        }
        triedAt = now
        places = waiting.first.map(sockets) ?? []
        for path in places where descriptor < 0 { descriptor = Self.connect(path) }
        if descriptor >= 0 {
            downSince = nil
            decoder = DirectoryFrameDecoder()
            configured = nil
            outgoing = []
        } else {
            downSince = downSince ?? now
            if isGivenUp { fail() }
        }
    }

    /// A helper that systemd runs is there for accounts of the system; directories are asked by our own.
    private func sockets(for question: DirectoryClient.Question) -> [String] {
        question.profile.backend == .system ? sockets : sockets.suffix(1)
    }

    private mutating func fail() {
        let questions = waiting
        waiting = []
        for question in questions { question.completion(.unavailable("epost-directory does not run")) }
    }

    private static func connect(_ path: String) -> Int32 {
        var place = sockaddr_un()
        place.sun_family = sa_family_t(AF_UNIX)
        let octets = Array(path.utf8)
        guard octets.count < MemoryLayout.size(ofValue: place.sun_path) else { return -1 }
        withUnsafeMutableBytes(of: &place.sun_path) { $0.copyBytes(from: octets) }
        let kind =
            Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(AF_UNIX, kind, 0)
        guard descriptor >= 0 else { return -1 }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let code = withUnsafePointer(to: &place) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(descriptor, $0, length) }
        }
        if code == 0 { return descriptor }
        close(descriptor)
        return -1
    }

    /// - Parameter repeats: whether what was under way is asked once more.
    private mutating func lose(_ why: String, repeats: Bool) {
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
        let questions = underWay.values
        underWay = [:]
        for var question in questions {
            if repeats, !question.isRepeated {
                question.isRepeated = true
                question.accounts = []
                waiting.append(question)
            } else {
                question.completion(.unavailable(why))
            }
        }
    }

    // MARK: Frames

    private mutating func sendWaiting() {
        for question in waiting {
            if configured != question.profile {
                outgoing += DirectoryFrame(id: 0, kind: .configure, fields: question.profile.fields).encoded()
                configured = question.profile
            }
            outgoing += DirectoryFrame(id: nextID, kind: question.kind, fields: question.fields).encoded()
            underWay[nextID] = question
            nextID = nextID == .max ? 1 : nextID + 1
        }
        waiting = []
        flush()
    }

    private mutating func flush() {
        while !outgoing.isEmpty {
            let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
            let count = outgoing.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, flags) }
            if count < 0 {
                if errno == EINTR { continue }
                if errno != EAGAIN { lose("epost-directory has ended", repeats: true) }
                return
            }
            outgoing = outgoing.dropFirst(count)
        }
        outgoing = []
    }

    private mutating func receive() {
        var octets = [UInt8](repeating: 0, count: 16 << 10)
        while descriptor >= 0 {
            let count = recv(descriptor, &octets, octets.count, Int32(MSG_DONTWAIT))
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { return }
            guard count > 0, let frames = try? decoder.feed(octets.prefix(count)) else {
                return lose("epost-directory has ended", repeats: true)
            }
            for frame in frames { answer(frame) }
        }
    }

    private mutating func answer(_ frame: DirectoryFrame) {
        // Nobody waits for what came too late.
        guard var question = underWay.removeValue(forKey: frame.id) else { return }
        let bad = DirectoryClient.Answer.unavailable("epost-directory gave an answer that cannot be read")
        switch frame.kind {
        case .found, .right:
            let account = DirectoryAccount(fields: frame.fields)
            question.completion(account.map { frame.kind == .found ? .found($0) : .right($0) } ?? bad)
        case .missing: question.completion(.missing)
        case .wrong: question.completion(.wrong(frame.texts.first ?? ""))
        case .unavailable: question.completion(.unavailable(frame.texts.first ?? ""))
        case .page:
            let size = DirectoryAccount.fieldCount
            for start in stride(from: 1, to: frame.fields.count - size + 1, by: size) {
                if let account = DirectoryAccount(fields: frame.fields[start..<start + size]) {
                    question.accounts.append(account)
                }
            }
            if frame.texts.first == "1" {
                underWay[frame.id] = question
            } else {
                question.completion(.list(question.accounts))
            }
        case .report:
            let texts = frame.texts
            let steps = stride(from: 0, to: texts.count - 2, by: 3).map {
                DirectoryStep(texts[$0], texts[$0 + 1] == "1", texts[$0 + 2])
            }
            question.completion(.report(steps))
        case .configure, .find, .check, .list, .test: question.completion(bad)
        }
    }

    private mutating func expire() {
        let now = SystemClock.monotonic()
        let late = DirectoryClient.Answer.unavailable("the directory did not answer in time")
        for (id, question) in underWay where question.deadline <= now {
            underWay[id] = nil
            question.completion(late)
        }
        for question in waiting where question.deadline <= now { question.completion(late) }
        waiting.removeAll { $0.deadline <= now }
    }
}
