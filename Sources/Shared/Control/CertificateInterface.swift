/// The server's own certificate: what it says, and a self-signed one on demand (R-SSL-01 to R-SSL-05).
extension ServerInterface {
    /// Reads the certificate and the private key and says what they are good for.
    package enum GetCertificate: ControlMethod {
        package static let name = "org.epost.Server.GetCertificate"
        package static let isReadOnly = true
        package struct Input: Codable, Hashable, Sendable {
            /// Files to look at instead of those that are set; only for callers that may change settings.
            package var certificateFile: String?
            package var privateKeyFile: String?
            package init(certificateFile: String? = nil, privateKeyFile: String? = nil) {
                self.certificateFile = certificateFile
                self.privateKeyFile = privateKeyFile
            }
        }
        package typealias Output = CertificateReport
    }

    /// Makes a self-signed pair for the names of this server beside the files that are set, which stay, and sets it.
    package enum MakeCertificate: ControlMethod {
        package static let name = "org.epost.Server.MakeCertificate"
        package static let mayWait = true
        package struct Input: Codable, Hashable, Sendable {
            package var note: String
            package init(note: String = "") { self.note = note }
        }
        package typealias Output = Applied
    }
}

package struct CertificateReport: Codable, Hashable, Sendable {
    package var certificateFile: String
    package var privateKeyFile: String
    /// `nil`: there is none, or it cannot be read.
    package var certificate: CertificateDetails?
    /// `nil`: one of the two cannot be read.
    package var keyMatches: Bool?
    package var problems: [Problem]
    package init(
        certificateFile: String, privateKeyFile: String, certificate: CertificateDetails? = nil,
        keyMatches: Bool? = nil, problems: [Problem] = []
    ) {
        self.certificateFile = certificateFile
        self.privateKeyFile = privateKeyFile
        self.certificate = certificate
        self.keyMatches = keyMatches
        self.problems = problems
    }
}

/// What a certificate says.
package struct CertificateDetails: Codable, Hashable, Sendable {
    /// Days before the end from which on it is time to say so.
    package static let warningDays = 30

    /// RFC 4514 text, `CN=mail.example.jp`.
    package var subject: String
    package var issuer: String
    /// DNS names and addresses it is good for.
    package var names: [String]
    /// Seconds since 1970.
    package var notBefore: Int
    package var notAfter: Int
    /// Whole days from now until it ends; negative once it has.
    package var daysLeft: Int
    package var isSelfSigned: Bool
    /// `EC`, `RSA`, …
    package var keyType: String
    package var keyBits: Int
    /// SHA-256 of the whole certificate, hexadecimal.
    package var fingerprint: String
    /// Certificates in the file, the server's own included.
    package var chain: Int
    package init(
        subject: String, issuer: String, names: [String], notBefore: Int, notAfter: Int, daysLeft: Int,
        isSelfSigned: Bool, keyType: String, keyBits: Int, fingerprint: String, chain: Int
    ) {
        self.subject = subject
        self.issuer = issuer
        self.names = names
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.daysLeft = daysLeft
        self.isSelfSigned = isSelfSigned
        self.keyType = keyType
        self.keyBits = keyBits
        self.fingerprint = fingerprint
        self.chain = chain
    }
}
