import Glibc
import MailModel
import Testing

@testable import Settings

@Suite struct CatalogueTests {
    @Test func keysAreUniqueAndDotted() {
        let keys = SettingsCatalogue.all.map(\.key)
        #expect(Set(keys).count == keys.count)
        for key in keys {
            #expect(key.split(separator: ".").count == 2, "\(key)")
            #expect(key.utf8.allSatisfy { $0 == 0x2E || $0 == 0x5F || (0x61...0x7A).contains($0) || $0 == 0x36 })
        }
    }

    @Test(arguments: [Layout.hierarchy, Layout(root: "/srv/epost")])
    func defaultsAreValidAndStoredAsTheyAre(layout: Layout) {
        for definition in SettingsCatalogue.all {
            let defaults = definition.defaultValues(layout)
            #expect(definition.normalized(defaults) == .success(defaults), "\(definition.key)")
        }
        #expect(SettingsSnapshot(layout: layout).problems().filter { !$0.isWarning }.isEmpty)
    }

    /// The values that the architecture (section 5) and the spec (file 14) name.
    @Test func defaultsAreThoseOfTheDesign() {
        let snapshot = SettingsSnapshot(layout: Layout(root: "/r"))
        #expect(snapshot[ReceiverSettings.authMethods] == [.plain, .login])
        #expect(snapshot[ReceiverSettings.authRequiresTLS])
        #expect(snapshot[ReceiverSettings.senderTrust] == .authIDEnvelope)
        #expect(snapshot[ReceiverSettings.securityLevel] == .open)
        #expect(snapshot[ReceiverSettings.listenMode] == .all)
        #expect(snapshot[ReceiverSettings.port] == 25)
        #expect(snapshot[ReceiverSettings.answersVRFYAndEXPN])
        #expect(snapshot[DeliverySettings.threads] == 20)
        #expect(snapshot[DeliverySettings.retryMaxRefusals] == 0)
        #expect(snapshot[DeliverySettings.retryHoursLine] == 120)
        #expect(snapshot[DeliverySettings.retryHoursUnreachable] == 120)
        #expect(snapshot[DeliverySettings.retryInterval] == 120)
        #expect(snapshot[LogSettings.keepDays] == 90)
        #expect(snapshot[ServerSettings.workFolder] == "/r/spool")
        #expect(snapshot[ServerSettings.mailboxFolder] == "/r/mail/%USERNAME%")
        #expect(snapshot[NetSettings.ipVersion] == .ipv4)
        #expect(snapshot[ConsoleSettings.language] == .auto)
    }

    @Test func unknownKeyNamesANearOne() {
        #expect(SettingsCatalogue.unknown("max_sessions").message.contains("receiver.max_sessions"))
        #expect(SettingsCatalogue.definition(of: "no.such") == nil)
    }
}

struct ValueCase: Sendable, CustomTestStringConvertible {
    var type: SettingType
    var texts: [String]
    /// The stored form, or `nil` and the code of the refusal.
    var stored: [String]?
    var code = ""
    init(_ type: SettingType, _ texts: [String], _ stored: [String]) {
        (self.type, self.texts, self.stored) = (type, texts, stored)
    }
    init(_ type: SettingType, _ texts: [String], refused: String) {
        (self.type, self.texts, code) = (type, texts, refused)
    }
    var testDescription: String { "\(type) \(texts)" }
}

@Suite struct ValueTests {
    @Test(arguments: [
        ValueCase(.integer(1...9), ["1"], ["1"]), ValueCase(.integer(1...9), [" 9 "], ["9"]),
        ValueCase(.integer(1...9), ["0"], refused: "setting.out-of-range"),
        ValueCase(.integer(1...9), ["10"], refused: "setting.out-of-range"),
        ValueCase(.integer(1...9), ["+1"], refused: "setting.not-a-number"),
        ValueCase(.integer(1...9), ["99999999999999999999"], refused: "setting.not-a-number"),
        ValueCase(.integer(1...9), [], refused: "setting.not-a-number"),
        ValueCase(.integer(1...9), ["1", "2"], refused: "setting.one-value"),
        ValueCase(.boolean, ["TRUE"], ["true"]), ValueCase(.boolean, ["off"], ["false"]),
        ValueCase(.boolean, ["maybe"], refused: "setting.not-a-choice"),
        ValueCase(.choice(["ipv4", "dual"]), ["Dual"], ["dual"]),
        ValueCase(.choice(["ipv4", "dual"]), [], refused: "setting.not-a-choice"),
        ValueCase(.choices(["PLAIN", "LOGIN"]), ["login", "plain"], ["PLAIN", "LOGIN"]),
        ValueCase(.choices(["PLAIN", "LOGIN"]), [""], []),
        ValueCase(.choices(["PLAIN", "LOGIN"]), ["CRAM-MD5"], refused: "setting.not-a-choice"),
        ValueCase(.path, ["/a/b/"], ["/a/b"]), ValueCase(.path, [""], []),
        ValueCase(.path, ["a/b"], refused: "setting.not-absolute"),
        ValueCase(.path, ["/a/../b"], refused: "setting.not-absolute"),
        ValueCase(.mailboxPattern, ["/m/%USERNAME%"], ["/m/%USERNAME%"]),
        ValueCase(.mailboxPattern, ["%HOME%/Maildir"], ["%HOME%/Maildir"]),
        ValueCase(.mailboxPattern, ["/m/inbox"], refused: "setting.no-variable"),
        ValueCase(.mailboxPattern, ["m/%USERNAME%"], refused: "setting.not-absolute"),
        ValueCase(.host, ["192.0.2.1"], ["192.0.2.1"]), ValueCase(.host, ["gw.example.jp"], ["gw.example.jp"]),
        ValueCase(.host, ["gw example"], refused: "setting.not-a-host"),
        ValueCase(.domainName, ["192.0.2.1"], refused: "setting.not-a-host"),
        ValueCase(.mailAddress, ["a@b.example"], ["a@b.example"]), ValueCase(.mailAddress, [], []),
        ValueCase(.mailAddress, ["Administrator"], refused: "setting.not-an-address"),
        ValueCase(
            .list(.dnsServer, maximum: 3), ["127.0.0.1@5353", "2001:DB8::1"], ["127.0.0.1@5353", "2001:db8::1"]),
        ValueCase(.list(.dnsServer, maximum: 3), ["1.1.1.1", "1.1.1.1@53"], refused: "setting.duplicate"),
        ValueCase(.list(.dnsServer, maximum: 1), ["1.1.1.1", "1.1.1.2"], refused: "setting.too-many"),
        ValueCase(.list(.dnsServer, maximum: 3), ["dns.example"], refused: "setting.not-a-dns-server"),
        ValueCase(.list(.listener, maximum: 3), ["0.0.0.0:25", "[::1]:465*"], ["*.*.*.*:25", "[::1]:465*"]),
        ValueCase(.list(.listener, maximum: 3), ["::1:25"], refused: "setting.not-a-listener"),
        ValueCase(.text, ["a\u{1B}b"], refused: "setting.bad-text"),
    ])
    func normalised(_ fixture: ValueCase) {
        switch fixture.type.normalized(fixture.texts) {
        case .success(let texts): #expect(texts == fixture.stored)
        case .failure(let problem): #expect(fixture.stored == nil && problem.code == fixture.code)
        }
    }

    /// A value that another version of the program stored must not stop this one.
    @Test func unfitStoredValueFallsBackToTheDefault() {
        let snapshot = SettingsSnapshot(
            values: ["delivery.threads": ["many"], "net.ip_version": ["ipv9"]], layout: .hierarchy)
        #expect(snapshot[DeliverySettings.threads] == 20)
        #expect(snapshot[NetSettings.ipVersion] == .ipv4)
    }
}

@Suite struct ListenerTests {
    @Test(arguments: [
        ("192.0.2.1:25", "192.0.2.1:25", false), ("192.0.2.1:465*", "192.0.2.1:465*", true),
        ("*.*.*.*:587", "*.*.*.*:587", false), ("*:2525", "*.*.*.*:2525", false),
        ("[2001:db8::0:1]:25", "[2001:db8::1]:25", false),
    ])
    func readsAndWrites(text: String, canonical: String, isTLS: Bool) {
        let listener = ListenerAddress(text)
        #expect(listener?.text == canonical)
        #expect(listener?.isTLS == isTLS)
    }

    @Test(arguments: [
        "", ":", "192.0.2.1", "192.0.2.1:", "192.0.2.1:0", "192.0.2.1:65536", "192.0.2.1:25**", "[]:25",
        "[192.0.2.1]:25", "host:25", "192.0.2.1:2５", "192.0.2.1:+25",
    ])
    func refuses(text: String) { #expect(ListenerAddress(text) == nil) }

    /// R-RTAB-08, R-RCV-27: the original asks for a restart of EPSTRS; here the limits of the Relay tab need none.
    @Test func limitsOfReceptionNeedNoRestart() {
        for key in ["max_message_size", "mailbox_quota", "max_recipients", "dnsbl_zones", "dnsbl_exempt"] {
            #expect(SettingsCatalogue.definition(of: "receiver.\(key)")?.effect == .newSessions, "\(key)")
        }
    }

    /// R-RCV-01, R-RCV-04, R-SVC-08, R-SVC-16, R-SVC-17, R-SVC-20: listen mode and IP version decide.
    @Test func listenersFollowModeAndVersion() throws {
        var snapshot = SettingsSnapshot(layout: .hierarchy)
        #expect(snapshot.listeners.map(\.text) == ["*.*.*.*:25"])
        try snapshot.set(NetSettings.ipVersion, "dual")
        #expect(snapshot.listeners.map(\.text) == ["*.*.*.*:25", "[::]:25"])
        try snapshot.set(ReceiverSettings.listenMode, "list")
        #expect(snapshot.problems().contains { $0.code == "setting.no-listener" && !$0.isWarning })
        try snapshot.set(ReceiverSettings.listen, "127.0.0.1:25", "[::1]:25", "127.0.0.1:465*")
        #expect(snapshot.listeners.count == 3)
        try snapshot.set(NetSettings.ipVersion, "ipv6")
        #expect(snapshot.listeners.map(\.text) == ["[::1]:25"])
    }
}

@Suite struct RuleTests {
    /// R-DLV-28; no retry of a refusal is allowed, as RFC 5321 §4.2.1 wants it, where the original asks for one at least.
    @Test(arguments: [
        ("delivery.retry_interval", 10, 86_400), ("delivery.retry_max_refusals", 0, 999),
        ("delivery.retry_hours_line", 1, 999), ("delivery.retry_hours_unreachable", 1, 999),
    ])
    func retryLimits(_ key: String, _ least: Int, _ most: Int) throws {
        let definition = try #require(SettingsCatalogue.definition(of: key))
        for (value, isGood) in [(least, true), (most, true), (least - 1, false), (most + 1, false)] {
            let isTaken = if case .success = definition.normalized([String(value)]) { true } else { false }
            #expect(isTaken == isGood, "\(key) = \(value)")
        }
    }

    /// R-SRV-12
    @Test func forwardingAllNeedsAGateway() throws {
        var snapshot = SettingsSnapshot(layout: .hierarchy)
        try snapshot.set(ServerSettings.forwardAllToGateway, "true")
        #expect(snapshot.problems().contains { $0.code == "setting.needs-gateway" && !$0.isWarning })
        #expect(!snapshot.problems(hasGateways: true).contains { $0.code == "setting.needs-gateway" })
        try snapshot.set(ServerSettings.smtpGateway, "192.168.0.4")
        #expect(!snapshot.problems().contains { $0.code == "setting.needs-gateway" })
    }

    /// R-SSL-03
    @Test func halfACertificateIsRefused() throws {
        var snapshot = SettingsSnapshot(layout: .hierarchy)
        try snapshot.set(TLSSettings.certificateFile, "/c.pem")
        #expect(snapshot.problems().first { !$0.isWarning }?.key == "tls.private_key_file")
    }

    @Test func limitsBelowTheRFCAreWarnings() throws {
        var snapshot = SettingsSnapshot(layout: .hierarchy)
        try snapshot.set(ReceiverSettings.maxRecipients, "99")
        try snapshot.set(ReceiverSettings.commandTimeout, "299")
        let keys = snapshot.problems().filter { $0.code == "setting.below-rfc" && $0.isWarning }.map(\.key)
        #expect(keys == ["receiver.max_recipients", "receiver.command_timeout"])
        try snapshot.set(ReceiverSettings.maxRecipients, "100")
        try snapshot.set(ReceiverSettings.commandTimeout, "300")
        #expect(!snapshot.problems().contains { $0.code == "setting.below-rfc" })
    }

    @Test func layoutBelowARoot() {
        let layout = Layout(root: "/srv/epost/")
        #expect(layout.controlSocket == "/srv/epost/run/control.sock")
        #expect(layout.path(of: .effect) == "/srv/epost/conf/effect.dat")
        #expect(Layout.hierarchy.controlSocket == "/run/epost/control.sock")
    }
}

/// Every setting has its words in both languages.
@Test(arguments: ["en", "ja"])
func everySettingHasLabelAndHelp(language: String) throws {
    // Tests run in the package folder.
    let file = try #require(fopen("assets/locale/\(language).po", "r"))
    defer { fclose(file) }
    var text = ""
    var line = [CChar](repeating: 0, count: 4096)
    while fgets(&line, Int32(line.count), file) != nil {
        text += String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
    for definition in SettingsCatalogue.all {
        for key in [definition.labelKey, definition.helpKey] {
            #expect(text.contains("msgid \"\(key)\""), "\(key)")
        }
    }
}
