import CLinux
import Control
import Glibc
import Settings
import Synchronization
import Threads

/// The service's end of the socket pair to the supervisor: one thread reads, one writes.
final class Channel: Sendable {
    private struct Outgoing {
        var frames: [[UInt8]] = []
        var isClosed = false
    }
    private let descriptor: Int32
    private let outgoing = Monitor(Outgoing())

    init(descriptor: Int32) { self.descriptor = descriptor }

    /// Queues a report. Any thread, never waits.
    func send(_ report: ServiceReport) {
        let frame = ServiceFrame.encode(report)
        outgoing.withLock { $0.frames.append(frame) }
        outgoing.signal()
    }

    /// Starts both threads.
    /// - Parameters:
    ///   - counters: asked once a second.
    ///   - receive: gets each order, with the descriptors that belong to it.
    ///   - lost: the supervisor is gone.
    func start(
        counters: @escaping @Sendable () -> [String: Int],
        receive: @escaping @Sendable (ServiceOrder, [Int32]) -> Void, lost: @escaping @Sendable () -> Void
    ) -> Bool {
        let reader = Thread(name: "orders") { [self] in
            read(receive)
            lost()
        }
        let writer = Thread(name: "reports") { [self] in write(counters) }
        return reader != nil && writer != nil
    }

    /// Sends what waits and ends the writing thread soon; waits a moment for it.
    func close() {
        outgoing.withLock { $0.isClosed = true }
        outgoing.signalAll()
        _ = outgoing.wait(milliseconds: 500) { $0.frames.isEmpty ? true : nil }
    }

    private func write(_ counters: @Sendable () -> [String: Int]) {
        var last: [String: Int] = [:]
        while true {
            let (frames, isClosed) =
                outgoing.wait(milliseconds: 1000) { state -> ([[UInt8]], Bool)? in
                    state.frames.isEmpty && !state.isClosed ? nil : (state.frames, state.isClosed)
                } ?? ([], false)
            for frame in frames where !writeAll(frame) { return }
            // Taken out after they were written, so that `close` waits for the octets and not for the queue.
            outgoing.withLock { $0.frames.removeFirst(frames.count) }
            outgoing.signalAll()
            if isClosed, frames.isEmpty { return }
            guard frames.isEmpty else { continue }
            let current = counters()
            if current != last, !current.isEmpty {
                last = current
                if !writeAll(ServiceFrame.encode(ServiceReport.counters(current))) { return }
            }
        }
    }

    private func writeAll(_ frame: [UInt8]) -> Bool {
        var sent = 0
        while sent < frame.count {
            let count = frame[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0 {
                if errno == EINTR { continue }
                return false
            }
            sent += count
        }
        return true
    }

    private func read(_ receive: (ServiceOrder, [Int32]) -> Void) {
        var decoder = FrameDecoder()
        var descriptors: [Int32] = []
        var octets = [UInt8](repeating: 0, count: 64 << 10)
        var slots = [Int32](repeating: -1, count: Int(CLINUX_MAX_FDS))
        while true {
            var count = 0
            let got = clinux_receive_descriptors(descriptor, &octets, octets.count, &slots, &count)
            if got < 0, errno == EINTR { continue }
            guard got > 0 else { return }
            descriptors += slots.prefix(count)
            guard let frames = try? decoder.feed(octets.prefix(got)) else { return }
            for frame in frames {
                guard let order = ServiceFrame.decode(ServiceOrder.self, frame) else { continue }
                var own: [Int32] = []
                if case .listeners(let addresses) = order {
                    own = Array(descriptors.prefix(addresses.count))
                    descriptors.removeFirst(own.count)
                }
                receive(order, own)
            }
        }
    }
}
