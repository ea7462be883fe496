import MailModel
import MessageFormat
import Policy
import SMTP
import Spool
import Transport

/// Decides where recipients go. Asked at every attempt, so that a repaired setting repairs what waits (architecture,
/// section 4). Any thread; well below a millisecond.
package protocol DeliveryRouter: Sendable {
    func route(_ recipient: Recipient, sender: ReversePath) -> DeliveryRoute
    /// Routes for these will be asked for next; returns at once.
    func prepare(_ recipients: [Recipient])
}

extension DeliveryRouter {
    package func prepare(_ recipients: [Recipient]) {}
}

/// When a recipient that failed is tried again. Pure.
package protocol RetrySchedule: Sendable {
    /// - Parameter history: with the failed attempt counted in.
    /// - Returns: milliseconds since 1970 of the next attempt, `nil` when the limit of its kind is reached (R-DLV-21).
    func nextAttempt(after history: AttemptHistory, now: Int64) -> Int64?
    /// - Returns: milliseconds since 1970 from which on the recipient is given up if nothing changes; `nil` when not
    ///   time but the number of attempts decides.
    func expiry(of history: AttemptHistory) -> Int64?
}

/// What delivery reads from settings and tables: one immutable value per revision, exchanged as a whole.
package struct DeliveryConfiguration: Sendable {
    /// Remote deliveries at a time (R-DLV-02).
    package var threads: Int
    package var perDestination: Int
    /// Off: one delivery after the other, local ones too.
    package var isMultithreaded: Bool
    package var timeouts: ClientTimeouts
    /// Own name behind EHLO, by family of the connection (R-DOM-10).
    package var helloIPv4: String
    package var helloIPv6: String
    package var families: [AddressFamily]
    /// For gateways only (R-DLV-23), where gateway.dat names no other.
    package var login: LoginSource.Login?
    /// Folder of the files that gateway.dat names.
    package var credentialFolder: String
    package var authenticatesInClear: Bool
    package var tls: ClientSettings.TLS
    /// Whose certificates count for TLS.
    package var trust: TLSTrust
    /// The machine must own it; `nil`: no matter.
    package var logicalIP: IPAddress?
    package var ownsAddress: @Sendable (IPAddress) -> Bool
    /// Whether a connection to this host name or address and port would reach this very server (5.4.6).
    package var isOurselves: @Sendable (_ host: String, _ port: Int) -> Bool
    /// Received fields from which on a message loops.
    package var maxHops: Int
    /// Seconds, 0 = off (R-DLV-16).
    package var mxCacheTTL: Int
    /// From of reports, copies of reports; `nil`: not set.
    package var administrator: MailAddress?
    package var copiesBounces: Bool
    /// Milliseconds after which the sender of a message that still waits is told; 0: never.
    package var warnsAfter: Int64
    package var reportLanguage: DeliveryReport.Language
    /// Host name in reports.
    package var hostName: String
    package var router: any DeliveryRouter
    package var retry: any RetrySchedule
    /// `nil`: forwards keep the senders of other domains.
    package var rewriting: SenderRewriting?
    /// Days in which one sender gets one automatic reply; 0: no limit.
    package var replyDays = 0
    package var isOperated: @Sendable (_ domain: String) -> Bool = { _ in false }

    package init(
        threads: Int = 20, perDestination: Int = 20, isMultithreaded: Bool = true,
        timeouts: ClientTimeouts = ClientTimeouts(), helloIPv4: String, helloIPv6: String? = nil,
        families: [AddressFamily] = [.ipv4], login: LoginSource.Login? = nil,
        credentialFolder: String = "", authenticatesInClear: Bool = false,
        tls: ClientSettings.TLS = .opportunistic, trust: TLSTrust = .anybody, logicalIP: IPAddress? = nil,
        ownsAddress: @escaping @Sendable (IPAddress) -> Bool = { MachineAddresses.all().contains($0) },
        isOurselves: @escaping @Sendable (_ host: String, _ port: Int) -> Bool = { _, _ in false }, maxHops: Int = 50,
        mxCacheTTL: Int = 864_000,
        administrator: MailAddress? = nil, copiesBounces: Bool = false, warnsAfter: Int64 = 0,
        reportLanguage: DeliveryReport.Language = .japaneseAndEnglish, router: any DeliveryRouter,
        retry: any RetrySchedule
    ) {
        self.threads = isMultithreaded ? max(1, threads) : 1
        self.perDestination = max(1, perDestination)
        self.isMultithreaded = isMultithreaded
        self.timeouts = timeouts
        self.helloIPv4 = helloIPv4
        self.helloIPv6 = helloIPv6 ?? helloIPv4
        self.families = families
        self.login = login
        self.credentialFolder = credentialFolder
        self.authenticatesInClear = authenticatesInClear
        self.tls = tls
        self.trust = trust
        self.logicalIP = logicalIP
        self.ownsAddress = ownsAddress
        self.isOurselves = isOurselves
        self.maxHops = maxHops
        self.mxCacheTTL = mxCacheTTL
        self.administrator = administrator
        self.copiesBounces = copiesBounces
        self.warnsAfter = warnsAfter
        self.reportLanguage = reportLanguage
        hostName = helloIPv4
        self.router = router
        self.retry = retry
    }
}
