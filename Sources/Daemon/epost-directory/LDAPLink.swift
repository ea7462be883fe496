import CLDAP
import DirectoryWire
import Glibc

/// One connection to a directory. Used by one thread at a time.
final class LDAPLink: @unchecked Sendable {  // whoever took it out of the pool has it alone
    struct Failure: Error {
        let code: Int32
        let detail: String
        /// The connection is of no more use; another one may be.
        var isLost: Bool { code < 0 || code == LDAP_UNAVAILABLE || code == LDAP_BUSY }
    }
    struct Entry {
        let name: String
        /// By attribute in lower case.
        let values: [String: [String]]
        func first(_ attribute: String) -> String { values[attribute.lowercased()]?.first ?? "" }
    }

    let profile: DirectoryProfile
    /// The address that answered.
    let url: String
    private let handle: OpaquePointer

    /// Connects to the first address that answers, with TLS where the profile asks for it.
    init(_ profile: DirectoryProfile) throws(Failure) {
        self.profile = profile
        var last = Failure(code: LDAP_CONNECT_ERROR, detail: "no address of a directory is set (ldap.url)")
        for url in profile.urls {
            do throws(Failure) {
                handle = try Self.connect(url, profile)
                self.url = url
                return
            } catch {
                last = Failure(code: error.code, detail: "\(url): \(error.detail)")
            }
        }
        throw last
    }

    deinit { ldap_unbind_ext_s(handle, nil, nil) }

    private static let systemAuthorities = "/etc/ssl/certs/ca-certificates.crt"

    private static func connect(_ url: String, _ profile: DirectoryProfile) throws(Failure) -> OpaquePointer {
        var made: OpaquePointer?
        let code = ldap_initialize(&made, url)
        guard code == LDAP_SUCCESS, let handle = made else { throw Failure(code: code, detail: text(code)) }
        var isDone = false
        defer { if !isDone { ldap_unbind_ext_s(handle, nil, nil) } }
        _ = cldap_set_number(handle, LDAP_OPT_PROTOCOL_VERSION, LDAP_VERSION3)
        _ = cldap_set_seconds(handle, LDAP_OPT_NETWORK_TIMEOUT, Int32(profile.timeout))
        _ = cldap_set_seconds(handle, LDAP_OPT_TIMEOUT, Int32(profile.timeout))
        // Active Directory refers to places that nobody asked for.
        _ = cldap_referrals_off(handle)
        let isTLS = url.lowercased().hasPrefix("ldaps:")
        if isTLS || profile.tls == .startTLS, !url.lowercased().hasPrefix("ldapi:") {
            try prepareTLS(handle, profile)
            if !isTLS { try need(ldap_start_tls_s(handle, nil, nil), handle) }
        }
        try bind(handle, profile)
        isDone = true
        return handle
    }

    private static func prepareTLS(_ handle: OpaquePointer, _ profile: DirectoryProfile) throws(Failure) {
        let authorities = profile.authorities.isEmpty ? systemAuthorities : profile.authorities
        guard access(authorities, R_OK) == 0 else {
            let why = String(cString: strerror(errno))
            throw Failure(code: LDAP_CONNECT_ERROR, detail: "\(authorities) cannot be read: \(why)")
        }
        _ = cldap_set_number(handle, LDAP_OPT_X_TLS_REQUIRE_CERT, LDAP_OPT_X_TLS_DEMAND)
        _ = cldap_set_number(handle, LDAP_OPT_X_TLS_PROTOCOL_MIN, 0x303)  // TLS 1.2
        _ = cldap_set_text(handle, LDAP_OPT_X_TLS_CACERTFILE, authorities)
        // Last: what was set before counts from here.
        let code = cldap_set_number(handle, LDAP_OPT_X_TLS_NEWCTX, 0)
        guard code == LDAP_SUCCESS else {
            throw Failure(code: LDAP_CONNECT_ERROR, detail: "TLS cannot be set up with \(authorities)")
        }
    }

    /// As the one who searches.
    private static func bind(_ handle: OpaquePointer, _ profile: DirectoryProfile) throws(Failure) {
        guard !profile.bindName.isEmpty else { return try need(cldap_simple_bind(handle, "", "", 0), handle) }
        let secret = try password(profile.passwordFile)
        let code = secret.withUnsafeBufferPointer { octets in
            octets.withMemoryRebound(to: CChar.self) {
                cldap_simple_bind(handle, profile.bindName, $0.baseAddress, $0.count)
            }
        }
        try need(code, handle)
    }

    private static func password(_ path: String) throws(Failure) -> [UInt8] {
        func failure(_ why: String) -> Failure {
            Failure(code: LDAP_INVALID_CREDENTIALS, detail: "the password file \(path): \(why)")
        }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw failure(String(cString: strerror(errno))) }
        defer { close(descriptor) }
        var info = stat()
        guard fstat(descriptor, &info) == 0, info.st_mode & S_IFMT == S_IFREG else { throw failure("no plain file") }
        guard info.st_mode & 0o077 == 0 else { throw failure("others may read it; its mode must be 0600") }
        var octets = [UInt8](repeating: 0, count: 1025)
        let count = Glibc.read(descriptor, &octets, octets.count)
        let secret = octets.prefix(max(0, count)).prefix { $0 != 10 && $0 != 13 }
        // Without a password the bind would be an anonymous one (RFC 4513 §5.1.2).
        guard !secret.isEmpty, secret.count <= 1024 else { throw failure("it holds no password in its first line") }
        return Array(secret)
    }

    /// Logs in as somebody; the connection is theirs afterwards.
    /// - Returns: the result code, and what the server said.
    func bind(_ name: String, _ secret: [UInt8]) throws(Failure) -> (code: Int32, said: String) {
        let code = secret.withUnsafeBufferPointer { octets in
            octets.withMemoryRebound(to: CChar.self) { cldap_simple_bind(handle, name, $0.baseAddress, $0.count) }
        }
        let failure = Self.failure(code, handle)
        if failure.isLost { throw failure }
        return (code, failure.detail)
    }

    /// - Parameters:
    ///   - limit: entries at most; 0: no limit.
    ///   - page: entries that the server gives at a time (RFC 2696); 0: all at once.
    func search(
        base: String, _ scope: Int32, _ filter: String, _ attributes: [String], limit: Int32 = 0, page: Int32 = 0,
        _ take: (Entry) -> Void
    ) throws(Failure) {
        var cookie = berval()
        defer { if cookie.bv_val != nil { ber_memfree(cookie.bv_val) } }
        repeat {
            var control: UnsafeMutablePointer<LDAPControl>?
            if page > 0 { try need(ldap_create_page_control(handle, page, &cookie, 0, &control)) }
            defer { if let control { ldap_control_free(control) } }
            var result: OpaquePointer?
            var controls = control == nil ? [nil] : [control, nil]
            var names = attributes.map { strdup($0) } + [nil]
            defer { names.forEach { free($0) } }
            let code = ldap_search_ext_s(
                handle, base, scope, filter, &names, 0, &controls, nil, nil, limit, &result)
            defer { if let result { ldap_msgfree(result) } }
            try need(code)
            var entry = ldap_first_entry(handle, result)
            while let found = entry {
                take(read(found))
                entry = ldap_next_entry(handle, found)
            }
            guard page > 0 else { return }
            cookie = try nextCookie(result, replacing: cookie)
        } while cookie.bv_len > 0
    }

    private func nextCookie(_ result: OpaquePointer?, replacing old: berval) throws(Failure) -> berval {
        if old.bv_val != nil { ber_memfree(old.bv_val) }
        var answered: UnsafeMutablePointer<UnsafeMutablePointer<LDAPControl>?>?
        var code: Int32 = 0
        let parsed = ldap_parse_result(handle, result, &code, nil, nil, nil, &answered, 0)
        defer { if let answered { ldap_controls_free(answered) } }
        guard parsed == LDAP_SUCCESS, let control = ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, answered, nil) else {
            return berval()
        }
        var next = berval()
        var total: ber_int_t = 0
        guard ldap_parse_pageresponse_control(handle, control, &total, &next) == LDAP_SUCCESS else { return berval() }
        return next
    }

    private func read(_ entry: OpaquePointer) -> Entry {
        var name = ""
        if let text = ldap_get_dn(handle, entry) {
            name = String(cString: text)
            ldap_memfree(text)
        }
        var values: [String: [String]] = [:]
        var cursor: OpaquePointer?
        var attribute = ldap_first_attribute(handle, entry, &cursor)
        while let found = attribute {
            let key = String(cString: found).lowercased()
            if let list = ldap_get_values_len(handle, entry, found) {
                var next = list
                while let value = next.pointee, values[key, default: []].count < 100_000 {
                    let octets = UnsafeRawBufferPointer(start: value.pointee.bv_val, count: Int(value.pointee.bv_len))
                    values[key, default: []].append(String(decoding: octets, as: UTF8.self))
                    next = next.advanced(by: 1)
                }
                ldap_value_free_len(list)
            }
            ldap_memfree(found)
            attribute = ldap_next_attribute(handle, entry, cursor)
        }
        if let cursor { ber_free(cursor, 0) }
        return Entry(name: name, values: values)
    }

    private func need(_ code: Int32) throws(Failure) { try Self.need(code, handle) }

    private static func need(_ code: Int32, _ handle: OpaquePointer) throws(Failure) {
        guard code != LDAP_SUCCESS else { return }
        throw failure(code, handle)
    }

    private static func failure(_ code: Int32, _ handle: OpaquePointer) -> Failure {
        var detail = text(code)
        if code != LDAP_SUCCESS, let said = cldap_diagnostic(handle) {
            let more = String(cString: said)
            if !more.isEmpty { detail += " (\(more))" }
            ldap_memfree(said)
        }
        return Failure(code: code, detail: detail)
    }

    private static func text(_ code: Int32) -> String { String(cString: ldap_err2string(code)) }
}
