import Control
import ControlServer
import Crypto
import Glibc
import MailModel
import Settings
import Store

/// org.epost.Server: the server's own certificate (R-SSL-01 to R-SSL-05).
struct CertificateDesk: Sendable {
    let desk: Desk

    func register(on server: ControlServer) {
        let desk = desk
        server.on(ServerInterface.GetCertificate.self) { input, caller throws(ControlError) in
            try await desk.offload.run { () throws(ControlError) in
                var settings = try desk.store.snapshot()
                // What lies in any other file is for those who may set it.
                if caller.mayChange {
                    if let file = input.certificateFile { settings.set(TLSSettings.certificateFile.key, to: [file]) }
                    if let file = input.privateKeyFile { settings.set(TLSSettings.privateKeyFile.key, to: [file]) }
                }
                return Self.report(settings, now: Clock.wall() / 1000)
            }
        }
        server.on(ServerInterface.MakeCertificate.self) { input, caller throws(ControlError) in
            try desk.needConfiguration()
            let applied = try await desk.offload.run { () throws(ControlError) in
                try Self.make(desk, note: input.note, by: Desk.author(caller))
            }
            return desk.published(applied, by: caller)
        }
    }

    /// - Parameter now: seconds since 1970.
    static func report(_ settings: SettingsSnapshot, now: Int) -> CertificateReport {
        let (file, keyFile) = (settings[TLSSettings.certificateFile], settings[TLSSettings.privateKeyFile])
        var report = CertificateReport(certificateFile: file, privateKeyFile: keyFile)
        if !file.isEmpty, let octets = SmallFile.read(file, limit: 1 << 20),
            let found = try? Certificate.details(octets)
        {
            report.certificate = details(found, now: now)
            if !keyFile.isEmpty, let key = SmallFile.read(keyFile, limit: 1 << 20) {
                do throws(Certificate.Failure) {
                    _ = try Certificate.check(certificate: octets, key: key)
                    report.keyMatches = true
                } catch {
                    report.keyMatches = error.part == .pair ? false : nil
                }
            }
        }
        if settings.hasCertificate { report.problems = SystemChecks.certificate(settings, now: now) }
        return report
    }

    private static func details(_ found: Certificate.Details, now: Int) -> CertificateDetails {
        CertificateDetails(
            subject: found.subject, issuer: found.issuer, names: found.names, notBefore: found.notBefore,
            notAfter: found.notAfter, daysLeft: days(until: found.notAfter, now: now),
            isSelfSigned: found.isSelfSigned, keyType: found.keyType, keyBits: found.keyBits,
            fingerprint: found.fingerprint, chain: found.chain)
    }

    /// Whole days, rounded down, so that "0" means today and an ended one is negative.
    static func days(until end: Int, now: Int) -> Int {
        let seconds = end.subtractingReportingOverflow(now).partialValue
        return seconds >= 0 ? seconds / 86_400 : -((-(seconds + 1)) / 86_400) - 1
    }

    /// A new pair under a name of its own: the files that are set stay as they are, and History goes back to them.
    private static func make(_ desk: Desk, note: String, by author: Author) throws(ControlError) -> Applied {
        if let failure = SmallFile.makeFolders(desk.layout.tls, mode: 0o750) {
            let text = "\(desk.layout.tls) cannot be made: \(SmallFile.errorText(failure))"
            throw ControlError(.failed, code: "setup.certificate", text, arguments: [text])
        }
        let domains = try desk.store.listDomains()
        let own = OwnCertificate(
            try desk.store.snapshot(), domains: domains.map(\.name),
            addresses: domains.flatMap(\.smtpAddresses).compactMap { IPAddress($0) })
        let stem = freeStem(in: desk.layout.tls)
        let files = (certificate: "\(stem)certificate.pem", key: "\(stem)key.pem")
        try own.write(certificate: files.certificate, key: files.key)
        return try desk.store.apply(
            [
                SettingChange(key: TLSSettings.certificateFile.key, values: [files.certificate]),
                SettingChange(key: TLSSettings.privateKeyFile.key, values: [files.key]),
            ], note: note, dryRun: false, by: author)
    }

    /// `…/20261124-120320-`, which no file begins with yet.
    private static func freeStem(in folder: String) -> String {
        var seconds = time(nil)
        while true {
            var parts = tm()
            localtime_r(&seconds, &parts)
            func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
            let stem =
                "\(folder)/\(parts.tm_year + 1900)\(two(parts.tm_mon + 1))\(two(parts.tm_mday))-"
                + "\(two(parts.tm_hour))\(two(parts.tm_min))\(two(parts.tm_sec))-"
            if access(stem + "certificate.pem", F_OK) != 0, access(stem + "key.pem", F_OK) != 0 { return stem }
            seconds += 1
        }
    }
}
