import Crypto
import Facts
import MailModel
import NIOCore
import Policy
import SMTP
import Service
import Settings
import Store
import Tables

/// What sessions read from settings and tables: one immutable value per change, exchanged as a whole. A session keeps
/// the one it began with, but for the relay rules.
final class ReceiverConfiguration: Sendable {
    let revision: Int64
    let connection: ConnectionSettings
    let acceptance: AcceptanceSettings
    let rules: EffectTable
    let header: HeaderTemplate
    private let profileIPv4: ServerProfile
    private let profileIPv6: ServerProfile
    /// By local address, where a domain claims it (R-DOM-28).
    private let profiles: [IPAddress: ServerProfile]
    let commandTimeout: TimeAmount
    let dataTimeout: TimeAmount
    /// Octets of content that must come in each `dataTimeout`; 0 = no floor.
    let dataFloor: Int
    /// Gets mail for `postmaster` where no account has that name (RFC 5321 §4.5.1).
    let administrator: MailAddress?
    /// Finds the client's name for trace fields.
    let names: ClientNameLookup
    let blocklists: Blocklists
    /// What one account, and one client address, may send before its mail is held.
    let accountLimits: SendingLimits
    let addressLimits: SendingLimits
    /// Opens the secrets of accounts; `nil` while no method needs one.
    let box: SecretBox?
    /// Get a copy of everything for the record (R-LOG-13).
    let copies: [MailAddress]
    /// Clients whose mail is not copied (`ccdisableip.dat`).
    let copyExempt: IPPatternList
    /// Knows the rewritten senders of forwarded mail; `nil` without its key.
    let rewriting: SenderRewriting?
    /// What all this was made from.
    let settings: SettingsSnapshot

    init(
        settings: SettingsSnapshot, tables: ReceiverTables, offersTLS: Bool, lookups: ClientLookups.InForce,
        domains: [DomainRecord], box: SecretBox? = nil
    ) {
        self.settings = settings
        self.box = box
        rewriting = RewritingKey.load(settings.layout)
        accountLimits = SendingLimits(
            hour: SendingCounts(
                messages: settings[SendingSettings.accountMessagesHour],
                recipients: settings[SendingSettings.accountRecipientsHour],
                newRecipients: settings[SendingSettings.accountNewRecipientsHour]),
            day: SendingCounts(
                messages: settings[SendingSettings.accountMessagesDay],
                recipients: settings[SendingSettings.accountRecipientsDay],
                newRecipients: settings[SendingSettings.accountNewRecipientsDay]))
        addressLimits = SendingLimits(
            hour: SendingCounts(
                messages: settings[SendingSettings.addressMessagesHour],
                recipients: settings[SendingSettings.addressRecipientsHour]),
            day: SendingCounts(
                messages: settings[SendingSettings.addressMessagesDay],
                recipients: settings[SendingSettings.addressRecipientsDay]))
        names = lookups.names
        blocklists = lookups.blocklists
        revision = settings.revision
        connection = ConnectionSettings(
            maxSessions: settings[ReceiverSettings.maxSessions],
            maxSessionsPerClient: settings[ReceiverSettings.maxSessionsPerClient], hidden: tables.hidden)
        // Only what can work is offered: without the key no secret can be read, and PAM and directories show none.
        let hasSecrets = box != nil && settings[AccountSettings.backend] == .soft
        let mechanisms = settings[ReceiverSettings.authMethods].filter { hasSecrets || !$0.needsSecret }
            .compactMap { AuthMechanism(rawValue: $0.rawValue) }
        acceptance = AcceptanceSettings(settings)
        rules = tables.effect
        header = tables.header
        func profile(_ hostName: String) -> ServerProfile {
            Self.profile(settings, mechanisms, hostName: hostName, offersTLS: offersTLS)
        }
        profileIPv4 = profile(settings.ownName(onIPv6: false))
        profileIPv6 = profile(settings.ownName(onIPv6: true))
        var profiles: [IPAddress: ServerProfile] = [:]
        for domain in domains {
            for address in domain.smtpAddresses where profiles[address] == nil {
                let name = settings.ownName(onIPv6: !address.isIPv4)
                profiles[address] = profile(domain.hostName(ownName: name))
            }
        }
        self.profiles = profiles
        commandTimeout = .seconds(Int64(settings[ReceiverSettings.commandTimeout]))
        dataTimeout = .seconds(Int64(settings[ReceiverSettings.dataTimeout]))
        dataFloor = settings[ReceiverSettings.minRate] * settings[ReceiverSettings.dataTimeout]
        copies = settings[LogSettings.copyEnabled] ? settings[LogSettings.copyAddresses] : []
        copyExempt = tables.copyExempt
        administrator = PathParser.mailbox(settings[AdminSettings.account])
    }

    /// One for each copy address that is not a recipient anyway; none for exempt clients.
    func copies(of envelope: Envelope, from client: IPAddress) -> [Recipient] {
        if copyExempt.contains(client) { return [] }
        let known = Set(envelope.recipients.map { $0.address.folded })
        return copies.filter { !known.contains($0.folded) }.map { Recipient(address: $0, notify: .copy) }
    }

    private static func profile(
        _ settings: SettingsSnapshot, _ mechanisms: [AuthMechanism], hostName: String, offersTLS: Bool
    ) -> ServerProfile {
        ServerProfile(
            hostName: hostName,
            limits: ServerLimits(
                commandLineOctets: settings[ReceiverSettings.maxCommandLine],
                recipients: settings[ReceiverSettings.maxRecipients],
                messageOctets: settings[ReceiverSettings.maxMessageSize],
                errors: settings[ReceiverSettings.maxErrors], commands: settings[ReceiverSettings.maxCommands],
                authenticationFailures: settings[ReceiverSettings.maxAuthFailures]),
            offersTLS: offersTLS, mechanisms: mechanisms,
            authenticationRequiresTLS: settings[ReceiverSettings.authRequiresTLS],
            answersEnquiries: settings[ReceiverSettings.answersVRFYAndEXPN],
            toleratesBareLineEnds: settings[ReceiverSettings.toleratesBareLineEnds])
    }

    /// Of sessions accepted on a local address.
    func profile(at local: IPAddress) -> ServerProfile {
        profiles[local] ?? (local.isIPv4 ? profileIPv4 : profileIPv6)
    }
}

extension DomainRecord {
    /// Own name in sessions on the domain's SMTP address (R-RCV-07, R-DOM-28): the machine's, when that lies in the
    /// domain, else the domain's own.
    func hostName(ownName: String) -> String {
        let machine = ownName.lowercased()
        return machine == name || machine.hasSuffix("." + name) ? ownName : name
    }
}
