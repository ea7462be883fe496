import COpenSSL
import Glibc

/// Making and checking the server's own certificate.
package enum Certificate {
    package struct Failure: Error, Hashable, Sendable {
        /// Which file is at fault.
        package enum Part: Sendable { case certificate, key, pair }
        package let part: Part
        package let detail: String
    }

    /// A self-signed pair in PEM (R-SSL-04): P-256, SHA-256, ten years, for the names and addresses given.
    /// - Parameter names: at least one; DNS names of letters, digits, `.`, `-`, `_`. The first is the subject.
    package static func selfSigned(
        names: [String], addresses: [String] = []
    ) throws(Failure) -> (certificate: [UInt8], key: [UInt8]) {
        guard let subject = names.first else { throw Failure(part: .certificate, detail: "no name given") }
        guard let key = cossl_generate_p256() else { throw Failure(part: .key, detail: opensslError()) }
        defer { EVP_PKEY_free(key) }
        guard let made = X509_new() else { throw Failure(part: .certificate, detail: opensslError()) }
        defer { X509_free(made) }
        let alternatives = names.map { "DNS:\($0)" } + addresses.map { "IP:\($0)" }
        var serial = Random.octets(8) ?? []
        if !serial.isEmpty { serial[0] &= 0x7F }
        let number = serial.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let tenYears = 3650 * 24 * 60 * 60
        guard X509_set_version(made, 2) == 1, !serial.isEmpty,
            ASN1_INTEGER_set_uint64(X509_get_serialNumber(made), number) == 1,
            // A day back, for clients whose clock is slow.
            X509_gmtime_adj(X509_getm_notBefore(made), -86400) != nil,
            X509_gmtime_adj(X509_getm_notAfter(made), tenYears) != nil,
            X509_set_pubkey(made, key) == 1,
            // RFC 5280 A.1: a common name has 64 characters at most.
            X509_NAME_add_entry_by_txt(
                X509_get_subject_name(made), "CN", MBSTRING_UTF8, String(subject.prefix(64)), -1, -1, 0) == 1,
            X509_set_issuer_name(made, X509_get_subject_name(made)) == 1,
            cossl_add_extension(made, NID_basic_constraints, "critical,CA:FALSE") == 1,
            cossl_add_extension(made, NID_subject_alt_name, alternatives.joined(separator: ",")) == 1,
            cossl_add_extension(made, NID_ext_key_usage, "serverAuth") == 1,
            X509_sign(made, key, EVP_sha256()) > 0
        else { throw Failure(part: .certificate, detail: opensslError()) }
        return (
            try pem { PEM_write_bio_X509($0, made) },
            try pem { PEM_write_bio_PrivateKey($0, key, nil, nil, 0, nil, nil) }
        )
    }

    private static func pem(_ write: (OpaquePointer) -> Int32) throws(Failure) -> [UInt8] {
        guard let bio = BIO_new(BIO_s_mem()) else { throw Failure(part: .pair, detail: opensslError()) }
        defer { BIO_free(bio) }
        guard write(bio) == 1 else { throw Failure(part: .pair, detail: opensslError()) }
        var start: UnsafeMutablePointer<CChar>?
        let length = cossl_bio_memory(bio, &start)
        guard let start, length > 0 else { throw Failure(part: .pair, detail: "empty PEM") }
        return UnsafeRawBufferPointer(start: start, count: length).map { $0 }
    }

    /// What a pair is good for.
    package struct Description: Hashable, Sendable {
        /// Seconds since 1970.
        package let notAfter: Int
        package let isExpired: Bool
    }

    /// Reads both and compares them (R-SSL-05).
    package static func check(certificate: [UInt8], key: [UInt8]) throws(Failure) -> Description {
        ERR_clear_error()
        let certificateBIO = BIO_new_mem_buf(certificate, Int32(clamping: certificate.count))
        defer { BIO_free(certificateBIO) }
        guard let read = PEM_read_bio_X509(certificateBIO, nil, nil, nil) else {
            throw Failure(part: .certificate, detail: "not a certificate in PEM: \(opensslError())")
        }
        defer { X509_free(read) }
        let keyBIO = BIO_new_mem_buf(key, Int32(clamping: key.count))
        defer { BIO_free(keyBIO) }
        // The empty passphrase keeps OpenSSL from asking on the terminal.
        guard let secret = PEM_read_bio_PrivateKey(keyBIO, nil, { _, _, _, _ in 0 }, nil) else {
            throw Failure(part: .key, detail: "not a private key in PEM without passphrase: \(opensslError())")
        }
        defer { EVP_PKEY_free(secret) }
        guard X509_check_private_key(read, secret) == 1 else {
            ERR_clear_error()
            throw Failure(part: .pair, detail: "the private key does not belong to the certificate")
        }
        var broken = tm()
        _ = ASN1_TIME_to_tm(X509_get0_notAfter(read), &broken)
        return Description(notAfter: timegm(&broken), isExpired: X509_cmp_current_time(X509_get0_notAfter(read)) < 0)
    }
}
