import CLinux
import Crypto
import Facts
import Glibc
import MailModel
import Policy
import SMTP
import Service
import Settings
import Store
import Tables
import Transport

extension DeliveryConfiguration {
    /// What the settings of one revision say.
    init(_ settings: SettingsSnapshot, directory: any Directory, gateways: GatewayTable) {
        let version = settings[NetSettings.ipVersion]
        let helloIPv4 = settings.ownName(onIPv6: false)
        let helloIPv6 = settings.ownName(onIPv6: true)
        let routing = RoutingSettings(
            gateway: settings[ServerSettings.smtpGateway], forwardsAll: settings[ServerSettings.forwardAllToGateway],
            port: settings[DeliverySettings.port], table: gateways,
            ownNames: ["localhost", helloIPv4.lowercased(), helloIPv6.lowercased()],
            ownAddresses: MachineAddresses.all(), ownPorts: Set(settings.listeners.map { Int($0.port) }))
        let retry = RetrySettings(
            interval: settings[DeliverySettings.retryInterval], isFixed: settings[DeliverySettings.retryFixed],
            maxRefusals: settings[DeliverySettings.retryMaxRefusals],
            hoursLine: settings[DeliverySettings.retryHoursLine],
            hoursUnreachable: settings[DeliverySettings.retryHoursUnreachable])
        // Addresses that were rewritten before the setting was switched off still lead back.
        let rewriting = RewritingKey.load(settings.layout)
        self.init(
            threads: settings[DeliverySettings.threads], perDestination: settings[DeliverySettings.perDestination],
            isMultithreaded: settings[DeliverySettings.isMultithreaded], timeouts: Self.timeouts(settings),
            helloIPv4: helloIPv4, helloIPv6: helloIPv6,
            families: (version.usesIPv6 ? [.ipv6] : []) + (version.usesIPv4 ? [.ipv4] : []),
            login: Self.login(settings), credentialFolder: settings.layout.credentials,
            authenticatesInClear: settings[DeliverySettings.authInClear],
            tls: Self.mode(settings[DeliverySettings.tls]), trust: Self.trust(settings),
            logicalIP: IPAddress(settings[DeliverySettings.logicalIP]),
            isOurselves: { routing.isOurselves(host: $0, port: $1) },
            maxHops: settings[DeliverySettings.maxHops],
            mxCacheTTL: settings[DeliverySettings.mxCacheTTL],
            administrator: Self.administrator(settings), copiesBounces: settings[AdminSettings.copyBounces],
            warnsAfter: Int64(settings[DeliverySettings.warnHours]) * 3_600_000,
            reportLanguage: settings[DeliverySettings.reportLanguage] == .english ? .english : .japaneseAndEnglish,
            router: DirectoryRouter(directory: directory, settings: routing, rewriting: rewriting),
            retry: RetryRule(retry))
        self.rewriting = settings[DeliverySettings.rewritesSenders] ? rewriting : nil
        replyDays = settings[DeliverySettings.replyDays]
        isOperated = { (try? directory.domain(named: $0)) != nil }
    }

    /// The reply to the end of the content is waited for twice as long as any other (RFC 5321 §4.5.3.2.6); a block of
    /// content and the reply to DATA shorter, in the proportions of the RFC.
    private static func timeouts(_ settings: SettingsSnapshot) -> ClientTimeouts {
        let command = settings[DeliverySettings.commandTimeout]
        return ClientTimeouts(
            connect: .seconds(settings[DeliverySettings.connectTimeout]), command: .seconds(command),
            dataStart: .seconds(max(1, command * 2 / 5)), dataBlock: .seconds(max(1, command * 3 / 5)),
            dataEnd: .seconds(command * 2))
    }

    private static func mode(_ tls: DeliveryTLS) -> ClientSettings.TLS {
        switch tls {
        case .off: .off
        case .opportunistic: .opportunistic
        case .required, .verified: .required
        }
    }

    private static func trust(_ settings: SettingsSnapshot) -> TLSTrust {
        guard settings[DeliverySettings.tls] == .verified else { return .anybody }
        let file = settings[DeliverySettings.tlsAuthorities]
        return .authorities(file: file.isEmpty ? nil : file)
    }

    private static func login(_ settings: SettingsSnapshot) -> LoginSource.Login? {
        guard settings[DeliverySettings.authEnabled] else { return nil }
        let sealed = settings[DeliverySettings.authPassword]
        let password =
            sealed.isEmpty
            ? nil
            : SecretBox(file: settings.layout.secretKey)?.open(sealed, context: DeliverySettings.authPassword.key)
        let method = settings[DeliverySettings.authMethod]
        let command = settings[DeliverySettings.authTokenCommand].split(separator: " ").map(String.init)
        return LoginSource.Login(
            mechanism: ClientSettings.Mechanism(rawValue: method.rawValue) ?? .plain,
            credentials: GatewayCredentials(
                user: settings[DeliverySettings.authUser], password: password,
                tokenCommand: method == .xoauth2 ? command : []))
    }

    private static func administrator(_ settings: SettingsSnapshot) -> MailAddress? {
        MailAddress(typed: settings[AdminSettings.account])
    }
}

/// The addresses of this machine's interfaces.
enum MachineAddresses {
    static func all() -> Set<IPAddress> {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else { return [] }
        defer { freeifaddrs(list) }
        var out: Set<IPAddress> = []
        var next = list
        while let entry = next {
            if let address = address(entry.pointee.ifa_addr) { out.insert(address) }
            next = entry.pointee.ifa_next
        }
        return out
    }

    private static func address(_ pointer: UnsafeMutablePointer<sockaddr>?) -> IPAddress? {
        guard let pointer else { return nil }
        switch Int32(pointer.pointee.sa_family) {
        case AF_INET:
            return pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { address in
                withUnsafeBytes(of: address.pointee.sin_addr) { IPAddress(octets: Array($0)) }
            }
        case AF_INET6:
            return pointer.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { address in
                withUnsafeBytes(of: address.pointee.sin6_addr) { IPAddress(octets: Array($0)) }
            }
        default: return nil
        }
    }
}

/// Whole small files.
enum SmallFile {
    /// Octets that are read at most.
    static let limit = 4 << 20

    /// - Returns: `nil` when there is no such file, or it cannot be read.
    static func text(_ path: String) -> String? {
        let fd = clinux_open(path, O_RDONLY | O_CLOEXEC, 0)
        guard fd >= 0 else { return nil }
        defer { close(fd) }
        var out: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while out.count < limit {
            let count = read(fd, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { break }
            out += piece[..<count]
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// Replaces the file at once or not at all. For caches: nothing is synced.
    static func replace(_ path: String, with text: String) -> Bool {
        let temporary = path + ".new"
        let fd = clinux_open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o640)
        guard fd >= 0 else { return false }
        let octets = Array(text.utf8)
        var written = 0
        while written < octets.count {
            let count = octets[written...].withUnsafeBytes { write(fd, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count <= 0 { break }
            written += count
        }
        close(fd)
        guard written == octets.count, rename(temporary, path) == 0 else {
            unlink(temporary)
            return false
        }
        return true
    }
}
