import MailModel

/// Why the spool could not do what it was asked for. Nothing is acknowledged and nothing is half done.
package struct SpoolError: Error, Equatable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// No room on the device or over a quota: 452 4.3.1. Goes away by itself when space is back.
        case diskFull
        /// The entry is not (or no longer) there.
        case notFound
        /// The database on disk has a schema of another version; it is refused and kept.
        case unsupportedVersion(Int)
        /// The database is broken; opening the spool again sets it aside and recovers what can be read.
        case damaged
        /// The spool was closed.
        case closed
        /// Reading, writing, syncing or locking failed: 451 4.3.0.
        case io
    }
    /// Callers switch on this.
    package let kind: Kind
    /// For the log only: path, errno, statement. Never sent to a peer.
    package let detail: String

    package init(_ kind: Kind, _ detail: String) {
        self.kind = kind
        self.detail = detail
    }

    /// The reason that a session answers with when `add` fails with this.
    package var reason: Reason { kind == .diskFull ? .diskFull : .storageFailed }
}
