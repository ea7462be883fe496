import CPAM
import DirectoryWire
import Glibc

/// Passwords by PAM: service `epost`, authentication and then the account itself (expired, locked).
enum PAMCheck {
    /// What a conversation needs.
    private final class Talk {
        let password: [CChar]
        init(_ password: [UInt8]) { self.password = password.map { CChar(bitPattern: $0) } + [0] }
    }

    /// - Returns: why not; `nil` when the password is right and the account is in force.
    static func check(
        _ user: String, _ password: [UInt8], client: String, _ options: Helper.Options
    ) throws(SourceFailure) -> String? {
        // C strings end at NUL: what lies behind would not be looked at.
        guard !password.contains(0), !user.utf8.contains(0), password.count <= 512 else {
            return "a password that PAM cannot take"
        }
        let talk = Unmanaged.passRetained(Talk(password))
        defer { talk.release() }
        var conversation = pam_conv(conv: converse, appdata_ptr: talk.toOpaque())
        var handle: OpaquePointer?
        var code = cpam_start(options.pamService, user, &conversation, options.pamFolder, &handle)
        guard code == PAM_SUCCESS, let handle else { throw SourceFailure("PAM cannot be started: error \(code)") }
        defer { pam_end(handle, code) }
        _ = cpam_set_no_delay(handle)
        if !client.isEmpty { _ = client.withCString { pam_set_item(handle, PAM_RHOST, $0) } }
        let flags = Int32(bitPattern: UInt32(PAM_SILENT)) | Int32(PAM_DISALLOW_NULL_AUTHTOK)
        code = pam_authenticate(handle, flags)
        if code == PAM_SUCCESS { code = pam_acct_mgmt(handle, flags) }
        if code == PAM_SUCCESS {
            // A module may have made another user of the name.
            var item: UnsafeRawPointer?
            code = pam_get_item(handle, PAM_USER, &item)
            let now = item.map { String(cString: $0.assumingMemoryBound(to: CChar.self)) }
            return code == PAM_SUCCESS && now == user ? nil : "PAM made another user of the name"
        }
        let text = pam_strerror(handle, code).map { String(cString: $0) } ?? "error \(code)"
        switch code {
        case PAM_AUTHINFO_UNAVAIL, PAM_SYSTEM_ERR, PAM_BUF_ERR, PAM_ABORT, PAM_SERVICE_ERR, PAM_OPEN_ERR,
            PAM_SYMBOL_ERR, PAM_MODULE_UNKNOWN, PAM_INCOMPLETE, PAM_AUTHTOK_RECOVERY_ERR:
            throw SourceFailure("PAM: \(text)")
        default: return "PAM: \(text)"
        }
    }

    /// Whether the service has a file of its own: else `other` decides, which mostly refuses everybody.
    static func test(_ options: Helper.Options) -> DirectoryStep {
        let folders = options.pamFolder.map { [$0] } ?? ["/etc/pam.d", "/usr/lib/pam.d"]
        let files = folders.map { "\($0)/\(options.pamService)" }
        let found = files.first { access($0, R_OK) == 0 }
        return DirectoryStep("pam", found != nil, found ?? files[0])
    }

    /// Answers the question for the password, and no other.
    private static let converse:
        @convention(c) (
            Int32, UnsafeMutablePointer<UnsafePointer<pam_message>?>?,
            UnsafeMutablePointer<UnsafeMutablePointer<pam_response>?>?, UnsafeMutableRawPointer?
        ) -> Int32 = { count, messages, answer, data in
            guard count > 0, count <= PAM_MAX_NUM_MSG, let messages, let answer, let data else { return PAM_CONV_ERR }
            let talk = Unmanaged<Talk>.fromOpaque(data).takeUnretainedValue()
            guard let room = calloc(Int(count), MemoryLayout<pam_response>.stride) else { return PAM_BUF_ERR }
            let responses = room.bindMemory(to: pam_response.self, capacity: Int(count))
            for index in 0..<Int(count) {
                switch messages[index]?.pointee.msg_style {
                case PAM_PROMPT_ECHO_OFF: responses[index].resp = strdup(talk.password)
                case PAM_TEXT_INFO, PAM_ERROR_MSG: break
                default:
                    for made in 0..<index { free(responses[made].resp) }
                    free(room)
                    return PAM_CONV_ERR
                }
            }
            answer.pointee = responses
            return PAM_SUCCESS
        }
}
