import Control
import Crypto
import Glibc
import Service
import Settings

/// What is wrong with settings in this machine: files, addresses, ports.
enum SystemChecks {
    /// - Parameters:
    ///   - open: addresses that the supervisor listens on now.
    ///   - isServing: whether the receiver shall run; a port that is taken is only a warning else.
    static func problems(
        _ old: SettingsSnapshot, _ new: SettingsSnapshot, open: [ListenerAddress], isServing: Bool
    ) -> [Problem] {
        var out = certificate(old, new)
        if old[NetSettings.ipVersion] != new[NetSettings.ipVersion], new[NetSettings.ipVersion].usesIPv6,
            !ListenerSockets.hasIPv6
        {
            out.append(
                Problem(
                    path: NetSettings.ipVersion.key, code: "setting.no-ipv6",
                    message: "this machine has no IPv6; only ipv4 can be set (R-DOM-09)"))
        }
        if old.listeners != new.listeners { out += listeners(new, open: open, isServing: isServing) }
        for setting in [ServerSettings.workFolder] where old[setting] != new[setting] {
            if let failure = SmallFile.makeFolders(new[setting], mode: 0o700)
                ?? (access(new[setting], W_OK) == 0 ? nil : errno)
            {
                out.append(
                    Problem(
                        path: setting.key, code: "setting.folder",
                        message: "\(new[setting]) cannot be made or written: \(SmallFile.errorText(failure))",
                        arguments: [new[setting]]))
            }
        }
        return out
    }

    /// R-SSL-05
    private static func certificate(_ old: SettingsSnapshot, _ new: SettingsSnapshot) -> [Problem] {
        let names = [TLSSettings.certificateFile, TLSSettings.privateKeyFile]
        guard new.hasCertificate, names.contains(where: { old[$0] != new[$0] }) else { return [] }
        return certificate(new)
    }

    /// What is wrong with the pair that is set.
    /// - Parameter now: seconds since 1970.
    static func certificate(_ settings: SettingsSnapshot, now: Int = Clock.wall() / 1000) -> [Problem] {
        var read: [[UInt8]] = []
        var out: [Problem] = []
        for setting in [TLSSettings.certificateFile, TLSSettings.privateKeyFile] {
            if let octets = SmallFile.read(settings[setting], limit: 1 << 20) {
                read.append(octets)
            } else {
                out.append(
                    Problem(
                        path: setting.key, code: "setting.unreadable",
                        message: "\(settings[setting]) cannot be read: \(SmallFile.errorText(errno))",
                        arguments: [settings[setting]]))
            }
        }
        guard read.count == 2 else { return out }
        do {
            let found = try Certificate.check(certificate: read[0], key: read[1])
            if found.isExpired {
                out.append(
                    Problem(
                        path: TLSSettings.certificateFile.key, code: "setting.certificate-expired",
                        message: "the certificate has expired; clients will complain", isWarning: true))
            } else if case let days = CertificateDesk.days(until: found.notAfter, now: now),
                days < CertificateDetails.warningDays
            {
                out.append(
                    Problem(
                        path: TLSSettings.certificateFile.key, code: "setting.certificate-ends",
                        message: "the certificate ends in \(days) days; replace it before that",
                        arguments: [String(days)], isWarning: true))
            }
        } catch {
            let setting = error.part == .certificate ? TLSSettings.certificateFile : TLSSettings.privateKeyFile
            out.append(
                Problem(
                    path: setting.key, code: "setting.bad-certificate",
                    message: "\(settings[setting]): \(error.detail)",
                    arguments: [error.detail]))
        }
        return out
    }

    private static func listeners(_ new: SettingsSnapshot, open: [ListenerAddress], isServing: Bool) -> [Problem] {
        // A port that we hold ourselves is given up for its new form.
        let ownPorts = Set(open.filter { !new.listeners.contains($0) }.map(\.port))
        let fresh = new.listeners.filter { !open.contains($0) && !ownPorts.contains($0.port) }
        let key = new[ReceiverSettings.listenMode] == .list ? ReceiverSettings.listen.key : ReceiverSettings.port.key
        return fresh.compactMap(ListenerSockets.probe).map { failure in
            Problem(
                path: key, code: "setting.cannot-listen", message: failure.message, arguments: [failure.address.text],
                isWarning: !isServing)
        }
    }
}
