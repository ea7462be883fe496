import Crypto
import Facts
import MailModel
import NIOCore
import Policy
import SMTP
import Service
import Settings
import Tables

/// What sessions read from settings and tables: one immutable value per change, exchanged as a whole. A session keeps
/// the one it began with.
final class ReceiverConfiguration: Sendable {
    let revision: Int64
    let connection: ConnectionSettings
    let acceptance: AcceptanceSettings
    let rules: EffectTable
    let header: HeaderTemplate
    let profileIPv4: ServerProfile
    let profileIPv6: ServerProfile
    let commandTimeout: TimeAmount
    let dataTimeout: TimeAmount
    /// Gets mail for `postmaster` where no account has that name (RFC 5321 §4.5.1).
    let administrator: MailAddress?
    /// Finds the client's name for trace fields.
    let names: ClientNameLookup
    /// Opens the secrets of accounts; `nil` while no method needs one.
    let box: SecretBox?
    /// What all this was made from.
    let settings: SettingsSnapshot

    init(
        settings: SettingsSnapshot, tables: ReceiverTables, offersTLS: Bool, names: @escaping ClientNameLookup,
        box: SecretBox? = nil
    ) {
        self.settings = settings
        self.box = box
        self.names = names
        revision = settings.revision
        connection = ConnectionSettings(
            maxSessions: settings[ReceiverSettings.maxSessions],
            maxSessionsPerClient: settings[ReceiverSettings.maxSessionsPerClient])
        // Only what can work is offered: without the key no secret can be read.
        let mechanisms = settings[ReceiverSettings.authMethods].filter { box != nil || !$0.needsSecret }
            .compactMap { AuthMechanism(rawValue: $0.rawValue) }
        acceptance = AcceptanceSettings(settings)
        rules = tables.effect
        header = tables.header
        profileIPv4 = Self.profile(settings, mechanisms, onIPv6: false, offersTLS: offersTLS)
        profileIPv6 = Self.profile(settings, mechanisms, onIPv6: true, offersTLS: offersTLS)
        commandTimeout = .seconds(Int64(settings[ReceiverSettings.commandTimeout]))
        dataTimeout = .seconds(Int64(settings[ReceiverSettings.dataTimeout]))
        administrator = PathParser.mailbox(settings[AdminSettings.account])
    }

    private static func profile(
        _ settings: SettingsSnapshot, _ mechanisms: [AuthMechanism], onIPv6: Bool, offersTLS: Bool
    ) -> ServerProfile {
        ServerProfile(
            hostName: settings.ownName(onIPv6: onIPv6),
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

    func profile(onIPv6: Bool) -> ServerProfile { onIPv6 ? profileIPv6 : profileIPv4 }
}
