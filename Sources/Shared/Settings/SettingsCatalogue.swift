/// Every setting, once. A setting is added here and in its group, nowhere else.
package enum SettingsCatalogue {
    /// In the order in which lists and documentation show them.
    package static let all: [SettingDefinition] =
        server + AccountSettings.all + LDAPSettings.all + receiver + SendingSettings.all + delivery + logs

    private static let server: [SettingDefinition] = [
        AdminSettings.passwordHash.definition, AdminSettings.account.definition, AdminSettings.copyBounces.definition,
        ServerSettings.smtpGateway.definition, ServerSettings.forwardAllToGateway.definition,
        ServerSettings.workFolder.definition, ServerSettings.mailboxFolder.definition,
        ServerSettings.dnsServers.definition,
        ConsoleSettings.launchAccountManager.definition, ConsoleSettings.language.definition,
        TLSSettings.certificateFile.definition, TLSSettings.privateKeyFile.definition,
        NetSettings.ipVersion.definition, NetSettings.ipv6HostName.definition, NetSettings.hostName.definition,
    ]
    private static let receiver: [SettingDefinition] = [
        ReceiverSettings.port.definition, ReceiverSettings.listenMode.definition, ReceiverSettings.listen.definition,
        ReceiverSettings.maxSessions.definition, ReceiverSettings.maxSessionsPerClient.definition,
        ReceiverSettings.answersVRFYAndEXPN.definition, ReceiverSettings.authMethods.definition,
        ReceiverSettings.authRequiresTLS.definition, ReceiverSettings.securityLevel.definition,
        ReceiverSettings.senderTrust.definition, ReceiverSettings.maxMessageSize.definition,
        ReceiverSettings.mailboxQuota.definition, ReceiverSettings.maxRecipients.definition,
        ReceiverSettings.toleratesBareLineEnds.definition, ReceiverSettings.maxCommandLine.definition,
        ReceiverSettings.maxCommands.definition, ReceiverSettings.maxErrors.definition,
        ReceiverSettings.maxAuthFailures.definition, ReceiverSettings.authFailureDelay.definition,
        ReceiverSettings.lockAddressFailures.definition, ReceiverSettings.lockAccountFailures.definition,
        ReceiverSettings.lockWindow.definition, ReceiverSettings.lockTime.definition,
        ReceiverSettings.lockConnections.definition, ReceiverSettings.lockConnectionWindow.definition,
        ReceiverSettings.commandTimeout.definition,
        ReceiverSettings.dataTimeout.definition, ReceiverSettings.minRate.definition,
        ReceiverSettings.dnsblZones.definition, ReceiverSettings.dnsblExempt.definition,
    ]
    private static let delivery: [SettingDefinition] = [
        DeliverySettings.isMultithreaded.definition, DeliverySettings.threads.definition,
        DeliverySettings.perDestination.definition, DeliverySettings.port.definition,
        DeliverySettings.retryInterval.definition, DeliverySettings.retryFixed.definition,
        DeliverySettings.retryMaxRefusals.definition, DeliverySettings.retryHoursLine.definition,
        DeliverySettings.retryHoursUnreachable.definition, DeliverySettings.warnHours.definition,
        DeliverySettings.reportLanguage.definition, DeliverySettings.connectTimeout.definition,
        DeliverySettings.commandTimeout.definition, DeliverySettings.maxHops.definition,
        DeliverySettings.rewritesSenders.definition, DeliverySettings.replyDays.definition,
        DeliverySettings.mxCacheTTL.definition, DeliverySettings.tls.definition,
        DeliverySettings.tlsAuthorities.definition, DeliverySettings.authEnabled.definition,
        DeliverySettings.authMethod.definition, DeliverySettings.authUser.definition,
        DeliverySettings.authPassword.definition, DeliverySettings.authTokenCommand.definition,
        DeliverySettings.authInClear.definition, DeliverySettings.logicalIP.definition,
    ]
    private static let logs: [SettingDefinition] = [
        LogSettings.receive.definition, LogSettings.send.definition, LogSettings.accept.definition,
        LogSettings.sender.definition, LogSettings.fail.definition, LogSettings.warnOnWriteFailure.definition,
        LogSettings.copyEnabled.definition, LogSettings.copyAddresses.definition, LogSettings.keepDays.definition,
        ExplainSettings.keepDays.definition, ExplainSettings.maxRecords.definition,
    ]

    private static let byKey = Dictionary(all.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })

    package static func definition(of key: String) -> SettingDefinition? { byKey[key] }

    /// What is wrong with a key that no setting has; names the nearest one when there is one close by.
    package static func unknown(_ key: String) -> SettingProblem {
        let near = all.map(\.key).filter { $0.hasSuffix("." + key) || $0.hasPrefix(key) }.first
        let hint = near.map { "; did you mean \($0)?" } ?? ""
        return SettingProblem(
            key: key, code: "setting.unknown", message: "there is no setting \"\(key)\"\(hint)", arguments: [key])
    }
}
