/// org.epost.Guard: who is locked out.
package enum GuardInterface {
    /// Locks and exemptions of both tables, those that are over left out.
    package enum ListLocks: ControlMethod {
        package static let name = "org.epost.Guard.ListLocks"
        package static let isReadOnly = true
        package typealias Input = Nothing
        package struct Output: Codable, Hashable, Sendable {
            package var locks: [LockEntry]
            package init(locks: [LockEntry]) { self.locks = locks }
        }
    }

    /// Locks for good, exempts from locks, or releases; in force when it is answered.
    package enum ChangeLock: ControlMethod {
        package static let name = "org.epost.Guard.ChangeLock"
        package enum Action: String, Codable, Hashable, Sendable, CaseIterable {
            case lock, allow, release
        }
        package struct Input: Codable, Hashable, Sendable {
            /// An address, a range (`10.0.0.0/8`, `10.*.*.*`), or an account `taro@example.jp`.
            package var subject: String
            package var action: Action
            package init(subject: String, action: Action) {
                self.subject = subject
                self.action = action
            }
        }
        package struct Output: Codable, Hashable, Sendable {
            /// Whether anything is different now.
            package var isChanged: Bool
            package init(isChanged: Bool) { self.isChanged = isChanged }
        }
    }
}

package struct LockEntry: Codable, Hashable, Sendable {
    package enum Kind: String, Codable, Hashable, Sendable { case address, account }
    package enum State: String, Codable, Hashable, Sendable {
        /// Ends at `until`.
        case locked
        /// Until it is released.
        case permanent
        /// Never locked.
        case allowed
    }
    package enum Cause: String, Codable, Hashable, Sendable {
        /// Failed authentications.
        case failures
        case connections
        /// By an administrator.
        case manual
    }
    package var subject: String
    package var kind: Kind
    package var state: State
    package var cause: Cause
    /// Milliseconds since 1970; 0 = not known.
    package var since: Int
    /// Milliseconds since 1970; 0 = by hand only.
    package var until: Int
    /// `rejectsmtpip.dat:3`
    package var source: String
    package init(
        subject: String, kind: Kind, state: State, cause: Cause, since: Int, until: Int, source: String
    ) {
        self.subject = subject
        self.kind = kind
        self.state = state
        self.cause = cause
        self.since = since
        self.until = until
        self.source = source
    }
}
