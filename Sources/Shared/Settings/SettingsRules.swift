extension SettingsSnapshot {
    /// What is wrong, or dangerous, about settings together. Values by themselves were checked when they were set.
    /// - Parameter hasGateways: gateway.dat holds lines: it can name the gateways alone, as on a pure relay, where the field
    ///   of the gateway would send mail round in circles (field notes A7).
    package func problems(hasGateways: Bool = false) -> [SettingProblem] {
        refusals(hasGateways) + accountRefusals() + warnings() + accountWarnings()
    }

    private func refusals(_ hasGateways: Bool) -> [SettingProblem] {
        var out: [SettingProblem] = []
        if self[ServerSettings.forwardAllToGateway], self[ServerSettings.smtpGateway].isEmpty, !hasGateways {
            out.append(
                .init(
                    key: ServerSettings.forwardAllToGateway.key, code: "setting.needs-gateway",
                    message: "all mail can be forwarded only when server.smtp_gateway or gateway.dat names a gateway"))
        }
        if self[ReceiverSettings.listenMode] == .list, self[ReceiverSettings.listen].isEmpty {
            out.append(
                .init(
                    key: ReceiverSettings.listen.key, code: "setting.no-listener",
                    message: "receiver.listen_mode is list, but receiver.listen holds no address: nothing would listen")
            )
        }
        if self[DeliverySettings.authEnabled], self[DeliverySettings.authUser].isEmpty {
            out.append(
                .init(
                    key: DeliverySettings.authUser.key, code: "setting.needs-user",
                    message: "delivery.auth_enabled needs a user id in delivery.auth_user (R-DLV-22)"))
        }
        let ports = Dictionary(grouping: self[ReceiverSettings.listen]) { "\($0.host) \($0.port)" }
        for (_, twins) in ports.sorted(by: { $0.key < $1.key }) where twins.count > 1 {
            out.append(
                .init(
                    key: ReceiverSettings.listen.key, code: "setting.listener-twice",
                    message: "\(twins[0].text) and \(twins[1].text) are the same address and port",
                    arguments: twins.prefix(2).map(\.text)))
        }
        let certificate = self[TLSSettings.certificateFile], key = self[TLSSettings.privateKeyFile]
        if certificate.isEmpty != key.isEmpty {
            let missing = certificate.isEmpty ? TLSSettings.certificateFile.key : TLSSettings.privateKeyFile.key
            out.append(
                .init(
                    key: missing, code: "setting.tls-half",
                    message: "\(missing): TLS needs both the certificate file and the private key file"))
        }
        return out
    }

    private func warnings() -> [SettingProblem] {
        var out: [SettingProblem] = []
        func warn(_ key: String, _ code: String, _ message: String, _ arguments: String...) {
            out.append(.init(key: key, code: code, message: message, arguments: arguments, isWarning: true))
        }
        if !hasCertificate, self[ReceiverSettings.listenMode] == .list {
            for listener in self[ReceiverSettings.listen] where listener.isTLS {
                warn(
                    ReceiverSettings.listen.key, "setting.tls-listener-closed",
                    "\(listener.text) stays closed until a certificate is set (R-SSL-03)", listener.text)
            }
        }
        let methods = self[ReceiverSettings.authMethods]
        let seesPasswords = methods.contains { !$0.needsSecret }
        if methods.contains(.cramMD5) {
            warn(
                ReceiverSettings.authMethods.key, "setting.cram-secret",
                "CRAM-MD5 keeps a secret for each account that is as good as its password for a log-in; it is sealed "
                    + "under secrets.key beside the store")
        }
        if methods.contains(where: \.needsSecret), !seesPasswords {
            warn(
                ReceiverSettings.authMethods.key, "setting.no-password-seen",
                "without PLAIN or LOGIN only accounts whose password is set from now on can authenticate")
        }
        if !self[ReceiverSettings.authRequiresTLS], seesPasswords {
            warn(
                ReceiverSettings.authRequiresTLS.key, "setting.clear-passwords",
                "passwords can cross the network in clear: PLAIN and LOGIN are offered without TLS")
        }
        if !self[ReceiverSettings.authMethods].isEmpty, self[ReceiverSettings.authRequiresTLS], !hasCertificate {
            warn(
                ReceiverSettings.authMethods.key, "setting.auth-without-certificate",
                "nobody can authenticate: authentication needs TLS, and there is no certificate")
        }
        if self[DeliverySettings.authEnabled], self[DeliverySettings.authInClear] {
            warn(
                DeliverySettings.authInClear.key, "setting.clear-gateway-password",
                "the password for the gateway can cross the network in clear")
        }
        if self[ReceiverSettings.securityLevel] == .authOnly {
            warn(
                ReceiverSettings.securityLevel.key, "setting.auth-only",
                "no mail comes in from other servers: every session must authenticate")
        }
        if (1..<100).contains(self[ReceiverSettings.maxRecipients]) {
            warn(
                ReceiverSettings.maxRecipients.key, "setting.below-rfc",
                "RFC 5321 §4.5.3.1.8 asks for at least 100 recipients a message", "100")
        }
        if self[ReceiverSettings.commandTimeout] < 300 {
            warn(
                ReceiverSettings.commandTimeout.key, "setting.below-rfc",
                "RFC 5321 §4.5.3.2.7 asks for at least 300 seconds", "300")
        }
        if self[ReceiverSettings.dataTimeout] < 180 {
            warn(
                ReceiverSettings.dataTimeout.key, "setting.below-rfc",
                "RFC 5321 §4.5.3.2.5 asks for at least 180 seconds", "180")
        }
        if self[LogSettings.copyEnabled], self[LogSettings.copyAddresses].isEmpty {
            warn(
                LogSettings.copyEnabled.key, "setting.needs-copy-address",
                "nothing is copied: log.copy_addresses is empty (R-LOG-13)")
        }
        if self[AdminSettings.copyBounces], self[AdminSettings.account].isEmpty {
            warn(
                AdminSettings.copyBounces.key, "setting.needs-administrator",
                "no copy can be sent: admin.account is not set (R-DOM-15)")
        }
        return out
    }
}
