import COpenSSL
import Glibc

extension Certificate {
    /// What a certificate says, for people.
    package struct Details: Hashable, Sendable {
        /// RFC 4514 text; whoever shows it makes control characters visible.
        package let subject: String
        package let issuer: String
        /// DNS names and addresses of the subject alternative name.
        package let names: [String]
        /// Seconds since 1970.
        package let notBefore: Int
        package let notAfter: Int
        package let isSelfSigned: Bool
        /// OpenSSL's name of the kind of key: `EC`, `RSA`, `ED25519`.
        package let keyType: String
        package let keyBits: Int
        /// SHA-256, lower-case hexadecimal.
        package let fingerprint: String
        /// Certificates in the file; the first is the server's own (RFC 8446 §4.4.2).
        package let chain: Int
    }

    /// Reads the first certificate of a PEM file and counts the others.
    package static func details(_ octets: [UInt8]) throws(Failure) -> Details {
        ERR_clear_error()
        let bio = BIO_new_mem_buf(octets, Int32(clamping: octets.count))
        defer { BIO_free(bio) }
        guard let first = PEM_read_bio_X509(bio, nil, nil, nil) else {
            throw Failure(part: .certificate, detail: "not a certificate in PEM: \(opensslError())")
        }
        defer { X509_free(first) }
        var chain = 1
        while let next = PEM_read_bio_X509(bio, nil, nil, nil) {
            X509_free(next)
            chain += 1
        }
        // The end of the file is told as an error too.
        ERR_clear_error()
        let key = X509_get0_pubkey(first)
        let (subject, issuer) = (X509_get_subject_name(first), X509_get_issuer_name(first))
        return Details(
            subject: text { cossl_print_name($0, subject) }, issuer: text { cossl_print_name($0, issuer) },
            names: names(text { cossl_print_alternative_names($0, first) }),
            notBefore: seconds(X509_get0_notBefore(first)), notAfter: seconds(X509_get0_notAfter(first)),
            isSelfSigned: X509_NAME_cmp(subject, issuer) == 0,
            keyType: key.flatMap { EVP_PKEY_get0_type_name($0) }.map { String(cString: $0) } ?? "?",
            keyBits: key.map { Int(EVP_PKEY_get_bits($0)) } ?? 0, fingerprint: fingerprint(first), chain: chain)
    }

    private static func text<Result>(_ write: (OpaquePointer) -> Result) -> String {
        guard let bio = BIO_new(BIO_s_mem()) else { return "" }
        defer { BIO_free(bio) }
        _ = write(bio)
        var start: UnsafeMutablePointer<CChar>?
        let length = cossl_bio_memory(bio, &start)
        guard let start, length > 0 else { return "" }
        return String(decoding: UnsafeRawBufferPointer(start: start, count: length), as: UTF8.self)
    }

    /// `DNS:mail.example.jp` → `mail.example.jp`; other kinds of names are no use to a mail server.
    private static func names(_ lines: String) -> [String] {
        lines.split(separator: "\n").compactMap { line in
            for kind in ["DNS:", "IP Address:"] where line.hasPrefix(kind) {
                return String(line.dropFirst(kind.count)).lowercased()
            }
            return nil
        }
    }

    private static func seconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int {
        var broken = tm()
        return ASN1_TIME_to_tm(time, &broken) == 1 ? timegm(&broken) : 0
    }

    private static func fingerprint(_ certificate: OpaquePointer) -> String {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var length: UInt32 = 0
        guard X509_digest(certificate, EVP_sha256(), &digest, &length) == 1 else { return "" }
        let digits = Array("0123456789abcdef")
        return String(digest.prefix(Int(length)).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}
