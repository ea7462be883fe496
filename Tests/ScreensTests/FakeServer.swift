import Control
import Settings

@testable import ConsoleCore

/// A server made of values: answers frames as epostd would, without socket, disk or clock.
struct FakeServer {
    var hello = ServerInterface.Hello.Output(
        product: "epost", version: "0.1.0", host: "mail1.example.jp", user: "yamada", mayChange: true,
        isConfigured: true, root: "/", utcOffset: 32400, isLocked: false)
    var password = "secret"
    var settings: [String: SettingEntry] = [:]
    var revision = 40
    var domains: [DomainEntry] = []
    /// Accounts per domain; names are made from numbers, so that 100,000 cost nothing.
    var accountCount = 12
    var extraAccounts: [AccountEntry] = []
    var removedAccounts: Set<String> = []
    var listed: [DirectoryInterface.ListAccounts.Input] = []
    var accountsAdded: [DirectoryInterface.AddAccount.Input] = []
    var accountsRemoved: [DirectoryInterface.RemoveAccount.Input] = []
    var queue: [QueueRow] = []
    var history: [Revision] = []
    var effect = ["10.9.8.0/24 false", "192.168.0.* default", "' the branch", "192.168.7.* norelay,2", "#blank false"]
    var lines: [LogLine] = []
    /// What searches find behind the newest lines, part by part.
    var olderParts: [[LogLine]] = []
    var services: [ServiceStatus] = []
    var validation: [Problem] = []
    var certificate = CertificateReport(
        certificateFile: "/etc/epost/tls/certificate.pem", privateKeyFile: "/etc/epost/tls/key.pem",
        certificate: CertificateDetails(
            subject: "CN=mail1.example.jp", issuer: "CN=mail1.example.jp",
            names: ["mail1.example.jp", "example.jp", "mail.example.jp", "192.168.0.1"], notBefore: 1_795_000_000,
            notAfter: 2_110_000_000, daysLeft: 3640, isSelfSigned: true, keyType: "EC", keyBits: 256,
            fingerprint: "00ff", chain: 1), keyMatches: true)
    var setupSteps: [SetupStep] = []
    var hashesLeft: Int?
    var accountsChanged: [DirectoryInterface.ChangeAccount.Input] = []
    var checks: [DirectoryInterface.CheckDirectory.Input] = []
    var checkSteps: [DirectoryInterface.CheckDirectory.Step] = [
        .init(name: "connect", isRight: true, detail: "ldap://dc1.example.jp, StartTLS"),
        .init(name: "bind", isRight: true, detail: "cn=epost,ou=services,dc=example,dc=jp"),
        .init(
            name: "search", isRight: false,
            detail: "No such object: dc=exampel,dc=jp; the base in ldap.base must name an entry of the directory"),
    ]
    var setupProblems: [Problem] = []
    /// Names of the methods that were called, in order.
    var calls: [String] = []
    var reverted: [Int] = []
    /// Rows of aliases: alias, real address with option, state.
    var aliases: [(alias: String, target: String, state: String)] = [
        ("info@example.jp", "info-tokyo@example.jp", "ok"), ("info@example.jp", "boss@far.example", "external"),
        ("info@old.example.jp", "nobody@example.jp", "no-box"), ("info@sales.example.jp", "info@example.jp,1", "chain"),
        ("*@osaka.example.jp", "*@example.jp,0", "ok"),
    ]
    var aliasesSet: [AliasInterface.Set.Input] = []
    /// IMS.CTL of every account, and the files beside it.
    var control = FakeServer.someControl
    var controlsSet: [DirectoryInterface.SetMailControl.Input] = []
    var accountFiles = [
        "reply": "I am away until 1 December.\n\nRegards,\nRei\n", "noreply": "*@lists.example\n",
        "hours": "0,0,,\n1,1,08:30,18:30\n2,1,08:30,18:30\n3,1,08:30,18:30\n4,1,08:30,18:30\n5,1,22:00,06:00\n6,0,,\n",
        "recipients": "*@example.jp\n*@sales.example.jp\n",
    ]
    var tablesSet: [TablesInterface.Set.Input] = []
    var operationPasswords: [String: String] = [:]
    var openedDomains: Set<String> = []
    var presentedKeys: [[String]?] = []
    var begun: [DirectoryInterface.BeginTransfer.Input] = []
    var imported: [DirectoryInterface.SendAccounts.Input] = []
    var finished: [DirectoryInterface.FinishTransfer.Input] = []
    /// The accounts of each question for used space.
    var measured: [[String]] = []
    var lastSetup: ServerInterface.Setup.Input?
    var applied: [SettingsInterface.Apply.Input] = []
    var acted: [String] = []

    static let now = 1_795_489_380_000  // 2026-11-24 12:03 in Japan

    init() {
        for definition in SettingsCatalogue.all {
            settings[definition.key] = SettingEntry(
                key: definition.key, values: definition.defaultValues(.hierarchy), isDefault: true, revision: 0)
        }
        settings["tls.certificate_file"]?.values = ["/etc/epost/tls/certificate.pem"]
        settings["tls.private_key_file"]?.values = ["/etc/epost/tls/key.pem"]
        settings["server.smtp_gateway"]?.values = ["192.168.0.4"]
        settings["server.dns_servers"]?.values = ["192.168.1.4", "192.168.1.5"]
        settings["admin.account"]?.values = ["postmaster@example.jp"]
        domains = [
            domain("example.jp", "192.168.0.1", "common", "", 1000, 812),
            domain("sales.example.jp", "192.168.0.4", "separate", "sales", 50, 40),
            domain("osaka.example.jp", "2001:db8::25", "separate", "osaka", 0, 311),
        ]
        services = [
            ServiceStatus(
                name: "epstrs", state: .running, pid: 2114, since: Self.now - 1_048_260_000, restarts: 0,
                counters: [
                    "sessions": 37, "sessionsLimit": 200, "receivedPerMinute": 412, "rejected": 18, "authFailed": 3,
                    "received24h": 412_804, "rejected24h": 21_667, "authFailed24h": 912,
                ],
                listeners: ["0.0.0.0:25", "0.0.0.0:465*"], history: [1, 2, 4, 7, 9, 7, 8, 9, 7, 4, 2, 1]),
            ServiceStatus(
                name: "epstds", state: .failed, since: Self.now - 60_000,
                reason: "the spool cannot be opened: disk full", restarts: 3,
                counters: [
                    "active": 9, "threads": 24, "deliveredPerMinute": 377, "delivered24h": 398_110, "deferred24h": 77,
                ], history: [1, 1, 2, 3, 4, 5]),
        ]
        queue = (0..<30).map { index in
            QueueRow(
                id: "q7F2A\(index + 10)", received: Self.now - index * 250_000, size: 12_044 * (index + 1),
                sender: index == 2 ? "" : "news\(index)@bad.example", recipient: "kawa@sales.example.jp",
                recipients: index == 3 ? 418 : 1, state: index == 4 ? "held" : "deferred", tries: index % 9,
                next: Self.now + 262_000, reply: "451 4.7.1 try later (mx1.remote.example 203.0.113.7)")
        }
        lines = [
            line(
                0, "EPSTRS", "receive", "q7F2A92", "192.168.0.15", "kawa@sales.example.jp", "ito@osaka.example.jp",
                "250 OK", nil),
            line(900, "EPSTDS", "local", "q7F2A92", nil, nil, "ito@osaka.example.jp", nil, "stored"),
            line(
                1100, "EPSTRS", "session", nil, "203.0.113.9", nil, nil, "550 5.1.1 no such user here (ref 7K2Q-93HD)",
                "HELO x\u{1B}[2J\u{1B}[H"),
            line(
                1400, "EPSTRS", "session", nil, "203.0.113.9", nil, nil, nil, "\u{898B}\u{7A4D}\u{66F8}\u{306E}\u{4EF6}"
            ),
        ]
        history = (0..<8).map { index in
            Revision(
                revision: 40 - index, time: Self.now - index * 3_600_000, author: index % 2 == 0 ? "sato" : "yamada",
                origin: "192.168.0.20", note: index == 0 ? "more threads" : "",
                changes: [ChangeRecord(path: "delivery.threads", old: ["20"], new: ["32"])])
        }
    }

    private func domain(
        _ name: String, _ address: String, _ mode: String, _ folder: String, _ limit: Int, _ accounts: Int
    ) -> DomainEntry {
        DomainEntry(
            name: name, maxAccounts: limit, mailboxMode: mode, smtpAddresses: [address], folder: folder,
            accounts: accounts, revision: 3)
    }

    private func line(
        _ offset: Int, _ service: String, _ kind: String, _ id: String?, _ address: String?, _ sender: String?,
        _ recipient: String?, _ reply: String?, _ text: String?
    ) -> LogLine {
        LogLine(
            time: Self.now + offset, service: service, kind: kind,
            level: reply?.hasPrefix("5") == true ? "warning" : "info",
            queueID: id, address: address, sender: sender, recipient: recipient, reply: reply, text: text,
            size: kind == "receive" ? 12_044 : nil, reference: reply?.hasPrefix("5") == true ? "7K2Q-93HD" : nil)
    }

    func account(_ index: Int, _ domain: String) -> AccountEntry {
        let names = ["Aoki Jun", "川本 玲", "Mori Aki", "佐藤 由紀", "Tanaka Ken"]
        let digits = String(index)
        let name = "user" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
        return AccountEntry(
            account: name, domain: domain, fullName: names[index % names.count], home: "",
            mailboxLimit: index % 3 == 0 ? 0 : 4 << 30,
            smtpAuth: index % 2 == 0, isEnabled: index % 7 != 6, usedOctets: index * 411_000_000,
            usedMessages: index * 31,
            mailboxPath: "/var/spool/epost/mail/\(name)", revision: 5)
    }

    var status: ServerStatus {
        ServerStatus(
            host: hello.host, version: hello.version, isConfigured: hello.isConfigured, now: Self.now,
            startedAt: Self.now - 90_000_000,
            pid: 2100, revision: revision, services: services,
            queue: QueueSummary(
                messages: queue.count, recipients: queue.count + 417, deferred: 29, held: 1, oldestAge: 11_520),
            presence: ["yamada@Server", "sato@Relay"], hashesLeft: hashesLeft)
    }
}
