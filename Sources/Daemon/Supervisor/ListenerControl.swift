import CLinux
import Control
import Glibc
import Service
import Settings

/// The receiver's listening sockets: bound here, used there.
extension Supervisor {
    /// Time until listeners that could not be opened are tried again.
    private static let listenerRetry = 5000
    /// The same while the receiver has still to close the old form of a port.
    private static let handoverRetry = 100

    /// Makes the open sockets those of the settings: new ones are opened first, then old ones are closed, then the
    /// receiver gets the new list. Nobody is refused meanwhile.
    func applyListeners() {
        listenerRetryAt = nil
        guard let receiver = service(.receiver), receiver.isWanted, receiver.isRegistered, !isEnding else {
            closeListeners()
            return
        }
        let (wanted, skipped) = Self.openable(settings)
        var troubles = skipped.map {
            StatusNote(
                "listener.no-certificate", "\($0.text) stays closed: TLS has no certificate (R-SSL-03)", [$0.text])
        }
        var kept = listeners.filter { wanted.contains($0.address) }
        let old = listeners.filter { !wanted.contains($0.address) }
        let before = listeners.map(\.address)
        var closed: [BoundListener] = []
        for address in wanted where !kept.contains(where: { $0.address == address }) {
            var result = Result { () throws(ListenerFailure) in try ListenerSockets.open(address) }
            if case .failure(let failure) = result, failure.code == EADDRINUSE {
                // The port may be ours under another address, or with and without TLS: that one has to go first.
                let own = old.filter { $0.address.port == address.port && !closed.contains($0) }
                own.forEach { close($0.descriptor) }
                closed += own
                if !own.isEmpty { result = Result { () throws(ListenerFailure) in try ListenerSockets.open(address) } }
            }
            switch result {
            case .success(let listener): kept.append(listener)
            case .failure(let failure):
                let isHandover = closed.contains { $0.address.port == address.port }
                if !isHandover { troubles.append(failure.note) }
                let retryAt = Clock.monotonic() + (isHandover ? Self.handoverRetry : Self.listenerRetry)
                listenerRetryAt = min(retryAt, listenerRetryAt ?? .max)
            }
        }
        for listener in old where !closed.contains(listener) { close(listener.descriptor) }
        listeners = wanted.compactMap { address in kept.first { $0.address == address } }
        receiver.listeners = listeners.map(\.address.text)
        let isNews = troubles != receiver.listenerTroubles
        receiver.listenerTroubles = troubles
        if isNews, !troubles.isEmpty {
            log(.warning, "epstrs: " + troubles.map(\.message).joined(separator: "; "))
        }
        if listeners.map(\.address) != before, let process = receiver.process { sendListeners(to: process) }
        // What made it fail may be mended: no need to wait for the next try.
        if receiver.restartAt != nil, listeners.map(\.address) != before { receiver.restartAt = Clock.monotonic() }
        if isNews || listeners.map(\.address) != before { serviceChanged(receiver, "listens") }
    }

    func closeListeners() {
        for listener in listeners { close(listener.descriptor) }
        listeners = []
        service(.receiver)?.listeners = []
        service(.receiver)?.listenerTroubles = []
    }

    func sendListeners(to process: ChildProcess) {
        let copies = listeners.map { ($0.address, fcntl($0.descriptor, F_DUPFD_CLOEXEC, 5)) }.filter { $0.1 >= 0 }
        process.send(.listeners(copies.map(\.0.text)), descriptors: copies.map(\.1))
        backlogUntil = Clock.monotonic() + 5000
    }

    /// The receiver's event loop sets a short queue (128) when it takes a socket over; the socket is ours too.
    func widenBacklogs(_ now: Int) {
        guard now < backlogUntil else { return }
        for listener in listeners { listen(listener.descriptor, ListenerSockets.backlog) }
    }

    /// What can be opened, and the TLS listeners that cannot while there is no certificate.
    static func openable(_ settings: SettingsSnapshot) -> (open: [ListenerAddress], skipped: [ListenerAddress]) {
        let all = Array(settings.listeners.prefix(Int(CLINUX_MAX_FDS)))
        guard !settings.hasCertificate else { return (all, []) }
        return (all.filter { !$0.isTLS }, all.filter(\.isTLS))
    }
}
