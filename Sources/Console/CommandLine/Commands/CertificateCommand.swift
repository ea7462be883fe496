import ArgumentParser
import Control

/// The server's own certificate (R-SSL-01 to R-SSL-05).
struct CertificateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "certificate", abstract: "Show the server's own certificate, or make a self-signed one.",
        subcommands: [Show.self, Make.self])

    struct Show: ControlCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say whose certificate is set, how long it holds and whether the key belongs to it.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var reading: ReadingOptions

        func execute(_ session: Session) throws {
            let report = try session.call(ServerInterface.GetCertificate.self, .init())
            let isFaulty = report.problems.contains { !$0.isWarning }
            if reading.json {
                session.show(json: report)
            } else {
                try show(report, session)
            }
            if isFaulty { throw CommandFailure.said }
        }

        private func show(_ report: CertificateReport, _ session: Session) throws {
            if report.certificateFile.isEmpty || report.privateKeyFile.isEmpty {
                return session.say(session.word(.noCertificate))
            }
            var rows = [
                (session.word(.certificate), report.certificateFile),
                (session.word(.privateKey), report.privateKeyFile),
            ]
            if let found = report.certificate {
                let calendar = try session.calendar()
                rows += [
                    (session.word(.certificateSubject), found.subject),
                    (session.word(.certificateNames), found.names.joined(separator: ", ")),
                    (session.word(.issuer), found.isSelfSigned ? session.word(.selfSigned) : found.issuer),
                    (session.word(.validFrom), calendar.text(found.notBefore * 1000)),
                    (
                        session.word(.validTo),
                        calendar.text(found.notAfter * 1000) + " ("
                            + session.word(.daysLeft, String(found.daysLeft)) + ")"
                    ),
                    (session.word(.key), "\(found.keyType) \(found.keyBits)"),
                    (session.word(.keyMatches), session.word(report.keyMatches == true ? .yes : .no)),
                    ("SHA-256", found.fingerprint),
                ]
            }
            session.show(TextTable(pairs: rows))
            session.show(report.problems)
        }
    }

    struct Make: ControlCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a self-signed certificate for the names of this server and set it; the old files stay.")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var noting: NoteOptions

        func execute(_ session: Session) throws {
            session.show(try session.call(ServerInterface.MakeCertificate.self, .init(note: noting.note)))
        }
    }
}
