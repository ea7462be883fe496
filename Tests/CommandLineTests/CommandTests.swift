import Control
import FoundationEssentials
import Testing

@testable import CommandLine

private let applied = Applied(
    revision: 7, changes: [.init(path: "x", old: nil, new: ["1"])], effects: ["restart.epstrs"], warnings: [])

struct CommandTests {
    @Test func setupSendsWhatTheWizardWould() {
        let daemon = FakeDaemon()
        var got: ServerInterface.Setup.Input?
        daemon.on(ServerInterface.Setup.self) {
            got = $0
            return .init(steps: [
                SetupStep(step: "settings", state: .done), SetupStep(step: "start.epstrs", state: .done),
            ])
        }
        let ran = run(
            [
                "setup", "--domain", "in.example", "--address", "192.0.2.1", "--domain", "two.example", "--address",
                "192.0.2.2", "--dns", "192.0.2.53", "127.0.0.1@5353", "--administrator", "admin@in.example",
                "--relay-network", "192.0.2.0/24", "--work-folder", "/q", "--change",
            ], daemon)
        #expect(ran.code == 0, "\(ran)")
        #expect(
            got
                == .init(
                    dnsServers: ["192.0.2.53", "127.0.0.1@5353"],
                    domains: [
                        .init(name: "in.example", address: "192.0.2.1"),
                        .init(name: "two.example", address: "192.0.2.2"),
                    ],
                    administrator: "admin@in.example", workFolder: "/q", relayNetworks: ["192.0.2.0/24"], change: true))
        #expect(ran.output.contains("settings"))
    }

    @Test func aFailedSetupStepIsCodeOne() {
        let daemon = FakeDaemon()
        daemon.onStream(
            ServerInterface.Setup.self,
            [
                .init(steps: [SetupStep(step: "settings", state: .done)]),
                .init(steps: [SetupStep(step: "start.epstrs", state: .failed, message: "port 25 is used")]),
            ])
        let ran = run(
            ["setup", "--domain", "a.example", "--address", "::1", "--dns", "::1", "--administrator", "a@a.example"],
            daemon)
        #expect(ran.code == 1)
        #expect(ran.errors.contains("start.epstrs: port 25 is used"))
    }

    @Test func setupOnAConfiguredServerNamesTheWayOut() {
        let daemon = FakeDaemon()
        daemon.on(ServerInterface.Setup.self) { _ throws(ControlError) in
            throw ControlError(.alreadyConfigured, code: "x", "configured")
        }
        let ran = run(
            ["setup", "--domain", "a.example", "--address", "::1", "--dns", "::1", "--administrator", "a@a.example"],
            daemon)
        #expect(ran.code == 1)
        #expect(ran.errors.contains("--change"))
    }

    @Test func accountsAreAddedWithThePasswordFromInput() {
        let daemon = FakeDaemon()
        var got: DirectoryInterface.AddAccount.Input?
        daemon.on(DirectoryInterface.AddAccount.self) {
            got = $0
            return applied
        }
        let ran = run(
            [
                "account", "add", "taro@in.example", "--full-name", "Yamada, Taro", "--limit", "10M", "--no-smtp-auth",
                "--password-stdin",
            ], daemon, input: "秘密 1")
        #expect(ran.code == 0)
        #expect(
            got
                == .init(
                    address: "taro@in.example",
                    values: .init(
                        password: "秘密 1", fullName: "Yamada, Taro", mailboxLimit: 10 << 20, smtpAuth: false)))
        #expect(!ran.output.contains("秘密"))
        #expect(ran.output.contains("epost-console service restart epstrs"))
    }

    @Test func theCertificateIsShownAndAForeignKeyIsAFailure() {
        let daemon = FakeDaemon()
        var report = CertificateReport(
            certificateFile: "/tls/c.pem", privateKeyFile: "/tls/k.pem",
            certificate: CertificateDetails(
                subject: "CN=mail.in.example", issuer: "CN=ca", names: ["mail.in.example"], notBefore: 0,
                notAfter: 86_400, daysLeft: 12, isSelfSigned: false, keyType: "RSA", keyBits: 2048, fingerprint: "ab",
                chain: 2), keyMatches: true)
        daemon.on(ServerInterface.GetCertificate.self) { _ in report }
        let shown = run(["certificate", "show"], daemon)
        #expect(shown.code == 0 && shown.output.contains("CN=mail.in.example") && shown.output.contains("12 days left"))
        report.keyMatches = false
        report.problems = [Problem(path: "tls.private_key_file", code: "x", message: "another key")]
        #expect(run(["certificate", "show", "--json"], daemon).code == 1)
    }

    @Test func anEmptyPasswordIsRefused() {
        #expect(run(["account", "add", "a@b.example", "--password-stdin"], input: "").code == 1)
        #expect(run(["account", "add", "a@b.example", "--password-stdin"], input: nil).code == 1)
    }

    @Test func allAccountsComeWindowByWindow() throws {
        let daemon = FakeDaemon()
        daemon.on(DirectoryInterface.ListAccounts.self) { input in
            let rows = (input.offset..<min(2500, input.offset + input.limit)).map {
                AccountEntry(
                    account: "u\($0)", domain: input.domain, fullName: "", home: "", mailboxLimit: 0, smtpAuth: true,
                    isEnabled: true, usedOctets: nil, usedMessages: nil, mailboxPath: "", revision: 1)
            }
            return .init(rows: rows, total: 2500, offset: input.offset)
        }
        let ran = run(["account", "list", "in.example", "--json"], daemon)
        let found = try JSONDecoder().decode(DirectoryInterface.ListAccounts.Output.self, from: Data(ran.output.utf8))
        #expect(found.rows.count == 2500)
        #expect(found.rows.last?.account == "u2499")
        #expect(run(["account", "list", "in.example"], daemon).output.split(separator: "\n").count == 2501)
    }

    @Test func listsAreAlignedByDisplayWidth() {
        let daemon = FakeDaemon()
        daemon.on(DirectoryInterface.ListDomains.self) { _ in
            .init(domains: [
                DomainEntry(
                    name: "日本.example", maxAccounts: 0, mailboxMode: "separate", smtpAddresses: ["192.0.2.1"],
                    folder: "日本.example", accounts: 3, revision: 1),
                DomainEntry(
                    name: "in.example", maxAccounts: 12, mailboxMode: "common", smtpAddresses: [], folder: "",
                    accounts: 12,
                    revision: 1, isProtected: true),
            ])
        }
        #expect(
            run(["domain", "list"], daemon).output == """
                Domain        Accounts  Limit  Mailboxes  Folder        Addresses  Password
                日本.example         3      -  separate   日本.example  192.0.2.1  no
                in.example          12     12  common                              yes

                """)
    }

    @Test func settingValuesComeOneALine() {
        let daemon = FakeDaemon()
        daemon.on(SettingsInterface.List.self) { _ in
            .init(
                settings: [
                    .init(key: "server.dns_servers", values: ["192.0.2.53", "::1"], isDefault: false, revision: 2),
                    .init(key: "server.dns_servers_more", values: [], isDefault: true, revision: 0),
                ], revision: 2)
        }
        #expect(run(["setting", "get", "server.dns_servers"], daemon).output == "192.0.2.53\n::1\n")
        let ran = run(["setting", "get", "server.dns"], daemon)
        #expect(ran.code == 1)
        #expect(ran.errors.contains("server.dns"))
    }

    @Test func anEmptyArgumentClearsASetting() {
        let daemon = FakeDaemon()
        var got: SettingsInterface.Apply.Input?
        daemon.on(SettingsInterface.Apply.self) {
            got = $0
            return applied
        }
        _ = run(["setting", "set", "receiver.listen", ""], daemon)
        #expect(got?.changes == [.init(key: "receiver.listen", values: [])])
        _ = run(["setting", "reset", "receiver.listen", "--note", "back", "--dry-run"], daemon)
        #expect(got == .init(changes: [.init(key: "receiver.listen", values: nil)], note: "back", dryRun: true))
    }

    @Test func allOfTheQueueIsActedOnInParts() {
        let daemon = FakeDaemon()
        var acted: [String] = []
        daemon.on(QueueInterface.List.self) { input in
            let rows = (input.offset..<min(1500, input.offset + input.limit)).map {
                QueueRow(
                    id: "Q\($0)", received: 0, size: 1, sender: "", recipient: "a@b.example", recipients: 1,
                    state: "deferred",
                    tries: 1, next: 0, reply: "")
            }
            return .init(rows: rows, total: 1500, offset: input.offset)
        }
        daemon.on(QueueInterface.Act.self) { input in
            acted += input.ids
            return .init(results: input.ids.map { .init(id: $0, done: $0 != "Q7", message: "gone") })
        }
        let ran = run(["queue", "retry", "--all"], daemon)
        #expect(acted.count == 1500)
        #expect(ran.code == 1)
        #expect(ran.errors.contains("Q7: gone"))
        #expect(ran.output.contains("1499"))
    }

    @Test func explainTriesAnotherTable() {
        let daemon = FakeDaemon()
        var got: PolicyInterface.Evaluate.Input?
        daemon.on(PolicyInterface.Evaluate.self) {
            got = $0
            return Explanation(
                reference: nil, time: nil, client: $0.client, listener: nil, hello: nil, isTLS: $0.isTLS,
                authenticatedID: nil, sender: $0.sender, recipient: $0.recipient, moment: "RCPT",
                reason: "recipient.relay", isAccepted: false, reply: "550 5.7.1 relaying denied",
                steps: [.init(check: "relay.rule", finding: "norelay", source: "effect.dat:5", decided: true)],
                remedy: "a rule default for 192.0.2.7", settingsRevision: 3)
        }
        let ran = run(
            ["explain", "--client", "192.0.2.7", "--from", "<>", "--to", "u@far.example", "--tls", "--effect", "-"],
            daemon,
            files: ["-": "*.*.*.* norelay\n"])
        #expect(
            got
                == .init(
                    client: "192.0.2.7", sender: "", recipient: "u@far.example", isTLS: true,
                    effect: "*.*.*.* norelay\n"))
        #expect(ran.output.hasPrefix("Refused: 550 5.7.1 relaying denied\n"))
        #expect(ran.output.contains("=>  relay.rule  norelay  effect.dat:5"))
        #expect(ran.output.contains("recipient.relay"))
    }

    @Test func aTableGoesIntoAFileAsItIs() {
        let daemon = FakeDaemon()
        let text = "# \u{1B}[2J\r\n127.0.0.1 default\n"
        daemon.on(TablesInterface.Show.self) { _ in .init(text: text, path: "/conf/effect.dat", problems: [], etag: "1")
        }
        #expect(run(["table", "show", "effect"], daemon).output == text)
        #expect(!run(["table", "show", "effect"], daemon, isTerminal: true).output.contains("\u{1B}"))
    }

    @Test func aTableWithFaultsIsCodeOneAndNamesTheLine() {
        let daemon = FakeDaemon()
        daemon.on(TablesInterface.Check.self) { _ in
            .init(problems: [Problem(path: "effect.dat:3", code: "none", message: "300 is no octet.")])
        }
        let ran = run(["table", "check", "effect", "new.dat"], daemon, files: ["new.dat": "x"])
        #expect(ran.code == 1)
        #expect(ran.errors == "  effect.dat:3: 300 is no octet.\n")
        #expect(run(["table", "check", "effect", "missing.dat"], daemon).errors.contains("missing.dat"))
    }

    @Test func aTraceShowsEachMessageWhole() {
        let daemon = FakeDaemon()
        daemon.on(LogInterface.Trace.self) { input in
            guard input.word.isEmpty, input.sender == "e@ext.example" else { return .init() }
            let lines = [
                LogLine(
                    time: 1000, service: "EPSTRS", kind: "receive", level: "info", queueID: "Q1",
                    sender: "e@ext.example"),
                LogLine(
                    time: 2000, service: "EPSTDS", kind: "local", level: "info", queueID: "Q1",
                    recipient: "t@in.example"),
            ]
            return .init(messages: [TracedMail(id: "Q1", lines: lines, children: [], parent: nil)])
        }
        #expect(
            run(["trace", "--from", "e@ext.example"], daemon).output == """
                Q1
                  1970-01-01 09:00:01 EPSTRS receive <e@ext.example>
                  1970-01-01 09:00:02 EPSTDS local to <t@in.example>

                """)
    }

    @Test func everyServiceIsTriedAndTheLastErrorDecides() {
        let daemon = FakeDaemon()
        daemon.on(ServicesInterface.Act.self) { input throws(ControlError) in
            if input.service == "epstrs" { throw ControlError(.failed, code: "", "port 25 is used by pid 881") }
            return ServiceStatus(name: input.service, state: .running, pid: 12, since: 0, restarts: 0)
        }
        let ran = run(["service", "start", "EPSTRS", "epstds"], daemon)
        #expect(ran.code == 1)
        #expect(ran.output == "epstds: running (pid 12)\n")
        #expect(ran.errors.contains("port 25 is used by pid 881"))
    }
}
