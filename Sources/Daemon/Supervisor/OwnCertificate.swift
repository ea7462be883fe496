import Control
import Crypto
import MailModel
import Service
import Settings

/// A self-signed certificate for the names under which clients reach this server (R-SSL-04).
struct OwnCertificate {
    let names: [String]
    let addresses: [IPAddress]

    /// - Parameters:
    ///   - domains: operated domains; each is named itself and as `mail.` below it.
    ///   - addresses: where clients of the domains connect.
    init(_ settings: SettingsSnapshot, domains: [String], addresses: [IPAddress]) {
        var names = [settings.ownName(onIPv6: false)].filter { MailAddress.isPlainDomain($0) }
        for domain in domains {
            for name in [domain, "mail.\(domain)"] where !names.contains(name) { names.append(name) }
        }
        self.names = names
        self.addresses = addresses
    }

    /// Writes both files; the key is readable for the service user alone.
    func write(certificate: String, key: String) throws(ControlError) {
        let pair: (certificate: [UInt8], key: [UInt8])
        do {
            pair = try Certificate.selfSigned(names: names, addresses: addresses.map(\.description))
        } catch {
            throw ControlError(
                .failed, code: "setup.certificate", "the certificate cannot be made: \(error.detail)",
                arguments: [error.detail])
        }
        let failure =
            SmallFile.replace(key, with: pair.key, mode: 0o600)
            ?? SmallFile.replace(certificate, with: pair.certificate, mode: 0o644)
        if let failure {
            let text = "\(certificate) cannot be written: \(SmallFile.errorText(failure))"
            throw ControlError(.failed, code: "setup.certificate", text, arguments: [text])
        }
    }
}
