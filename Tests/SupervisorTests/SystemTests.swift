import Control
import Glibc
import MailModel
import Settings
import Store
import Testing

@testable import Supervisor

/// A folder that goes with the test.
final class Folder {
    let path: String
    init() throws {
        var template = Array("/tmp/epost-sup-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw POSIXFailure() }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
    struct POSIXFailure: Error {}
    deinit {
        // A pattern without variables is the path itself.
        let nobody = AccountRecord(account: "x", domain: "x")
        if let place = try? MailboxPlace(pattern: path, account: nobody, domain: nil) {
            _ = MailboxRemoval.remove(place)
        }
    }
    func write(_ name: String, _ text: String) {
        _ = SmallFile.replace(path + "/" + name, with: Array(text.utf8), mode: 0o600)
    }
}

@Suite struct ListenerSocketTests {
    /// R-SYS-06: the error names the program that holds the port.
    @Test func aTakenPortNamesItsHolder() throws {
        // Port 0 lets the kernel choose, so that no port is fixed here.
        let own = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(own) }
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &place) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = bind(own, $0, length)
                _ = listen(own, 1)
                _ = getsockname(own, $0, &length)
            }
        }
        let address = try #require(ListenerAddress("127.0.0.1:\(UInt16(bigEndian: place.sin_port))"))
        let failure = try #require(ListenerSockets.probe(address))
        #expect(failure.code == EADDRINUSE)
        #expect(failure.message.contains("pid \(getpid())"), "\(failure.message)")
        close(own)
        #expect(ListenerSockets.probe(address) == nil)
        let bound = try ListenerSockets.open(address)
        #expect(fcntl(bound.descriptor, F_GETFD) & FD_CLOEXEC != 0)
        close(bound.descriptor)
    }

    @Test func aForeignAddressIsToldAsSuch() throws {
        let address = try #require(ListenerAddress("192.0.2.77:2525"))
        #expect(ListenerSockets.probe(address)?.message.contains("does not have that address") == true)
    }

    @Test func procLinesAreRead() {
        let lines = [
            "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
            "   0: 0100007F:09DD 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0",
            "   1: 0100007F:09DD 0100007F:1234 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 100 0 0 10 0",
            "rubbish",
        ]
        #expect(PortHolder.listeningInodes(2525, in: lines) == ["4711"])
        #expect(PortHolder.listeningInodes(25, in: lines) == [])
    }

    /// R-SSL-03
    @Test func tlsListenersNeedACertificate() throws {
        var settings = SettingsSnapshot(layout: .hierarchy)
        try settings.set(ReceiverSettings.listenMode, "list")
        try settings.set(ReceiverSettings.listen, "127.0.0.1:25", "127.0.0.1:465*")
        #expect(Supervisor.openable(settings).open.map(\.text) == ["127.0.0.1:25"])
        #expect(Supervisor.openable(settings).skipped.map(\.text) == ["127.0.0.1:465*"])
        try settings.set(TLSSettings.certificateFile, "/c")
        try settings.set(TLSSettings.privateKeyFile, "/k")
        #expect(Supervisor.openable(settings).open.count == 2)
    }
}

@Suite struct FileTests {
    @Test func changesOfAnyKindAreSeenOnce() throws {
        let folder = try Folder()
        let path = folder.path + "/effect.dat"
        var watcher = FileWatcher(["effect": [path]])
        #expect(watcher.changes() == [])
        folder.write("effect.dat", "a")
        #expect(watcher.changes() == ["effect"])
        #expect(watcher.changes() == [])
        folder.write("effect.dat", "b")
        #expect(watcher.changes() == ["effect"], "same size, another file")
        unlink(path)
        #expect(watcher.changes() == ["effect"])
        watcher.watch(["effect": [path], "tls": [folder.path + "/c"]])
        #expect(watcher.changes() == [])
        folder.write("c", "x")
        #expect(watcher.changes() == ["tls"])
    }

    @Test func usageIsTheSumOfMaildirsize() {
        #expect(MailboxUsageReader.sum("1000S\n10 1\n25 2\n-5 -1\n")?.octets == 30)
        #expect(MailboxUsageReader.sum("1000S\n10 1\n25 2\n-5 -1\n")?.messages == 2)
        #expect(MailboxUsageReader.sum("1000S\n")?.octets == 0)
        #expect(MailboxUsageReader.sum("1000S\nx y\n") == nil)
        #expect(MailboxUsageReader.sum("1000S\n\(Int.max) 1\n\(Int.max) 1\n")?.octets == 0)
    }

    /// No link below the base is followed: what it points to stays.
    @Test func aMailboxIsDeletedWithoutFollowingLinks() throws {
        let folder = try Folder()
        mkdir(folder.path + "/precious", 0o700)
        folder.write("precious/letter", "x")
        mkdir(folder.path + "/taro", 0o700)
        mkdir(folder.path + "/taro/new", 0o700)
        folder.write("taro/new/1", "x")
        symlink(folder.path + "/precious", folder.path + "/taro/cur")
        let place = try MailboxPlace(
            pattern: folder.path + "/%USERNAME%", account: AccountRecord(account: "taro", domain: "x"), domain: nil)
        #expect(MailboxRemoval.remove(place) == nil)
        #expect(access(folder.path + "/taro", F_OK) != 0)
        #expect(access(folder.path + "/precious/letter", F_OK) == 0)
        #expect(MailboxRemoval.remove(place) == nil, "nothing there is no failure")
    }
}

@Suite struct SetupPlanTests {
    typealias Input = ServerInterface.Setup.Input
    static func input(_ change: (inout Input) -> Void = { _ in }) -> Input {
        var input = Input(
            dnsServers: ["127.0.0.1@5353"], domains: [.init(name: "Example.jp", address: "192.0.2.1")],
            administrator: "postmaster@example.jp")
        change(&input)
        return input
    }

    @Test func aGoodOneHasNoProblems() throws {
        let plan = SetupPlan(Self.input(), localAddresses: [])
        #expect(plan.problems.isEmpty)
        #expect(plan.domains.map(\.name) == ["example.jp"])
        #expect(plan.settings.map(\.key) == ["accounts.backend", "server.dns_servers", "admin.account"])
    }

    /// Everything is reported, each at its place (R-WIZ-07 to R-WIZ-10).
    @Test func everyFaultIsToldWithItsPlace() {
        let plan = SetupPlan(
            Self.input {
                $0.backend = "elsewhere"
                $0.dnsServers = ["dns.example"]
                $0.domains = [.init(name: "a b", address: "192.0.2.1"), .init(name: "b.jp", address: "x")]
                $0.administrator = "Administrator"
                $0.workFolder = "relative"
                $0.mailboxFolder = "/m"
                $0.relayNetworks = ["0.0.0.0/0", "nonsense", "192.168.0.0/16"]
            }, localAddresses: [])
        #expect(
            plan.problems.map(\.path) == [
                "backend", "dnsServers/0", "domains/0/name", "domains/1/address", "administrator", "workFolder",
                "mailboxFolder", "relayNetworks", "relayNetworks",
            ])
        #expect(plan.networks == ["192.168.0.0/16"])
    }

    @Test func emptyStepsAreRefused() {
        let plan = SetupPlan(
            Self.input {
                $0.dnsServers = []
                $0.domains = []
            }, localAddresses: [])
        #expect(plan.problems.map(\.code) == ["setup.no-dns", "setup.domains"])
    }

    @Test func aForeignAddressIsAWarning() throws {
        let local = try #require(IPAddress("127.0.0.1"))
        let plan = SetupPlan(Self.input(), localAddresses: [local])
        #expect(plan.problems.map(\.code) == ["setup.foreign-address"] && plan.problems[0].isWarning)
    }

    /// Architecture, section 5: the networks stand in front of the rules for everybody.
    @Test func networksStandBeforeTheRulesForEverybody() {
        let plan = SetupPlan(Self.input { $0.relayNetworks = ["192.168.0.0/16", "2001:db8::/32"] }, localAddresses: [])
        let lines = plan.effectTable(nil)
        #expect(
            lines == [
                "#<> default", "#blank false", "127.0.0.1 default", "::1 default", "192.168.0.0/16 default",
                "2001:db8::/32 default", "*.*.*.* norelay", "::/0 norelay",
            ])
        #expect(plan.effectTable(lines) == lines, "a second time nothing is added")
        #expect(SetupPlan(Self.input(), localAddresses: []).effectTable(["x"]) == ["x"])
    }
}

@Suite struct MachineTests {
    @Test func loopbackIsThere() {
        #expect(Machine.addresses().contains { $0.address.isLoopback })
    }

    /// Code style, habit 23: everything that is wrong, with its place; nothing is changed.
    @Test func checkOfAnEmptyRootChangesNothing() throws {
        let folder = try Folder()
        let findings = CheckMode.findings(Layout(root: folder.path))
        #expect(!findings.contains { !$0.isWarning })
        #expect(findings.contains { $0.message.contains("nothing is configured yet") })
        #expect(access(folder.path + "/conf", F_OK) != 0)
    }

    @Test func checkNamesTableAndLine() throws {
        let folder = try Folder()
        let layout = Layout(root: folder.path)
        for path in [layout.conf, layout.log, layout.run] { mkdir(path, 0o700) }
        do {
            let writer = try StoreWriter(layout: layout) { 1 }
            let me = Author(name: "a", origin: "b")
            _ = try writer.addDomain("a.example", .init(smtpAddresses: ["192.0.2.99"]), note: "", by: me)
            _ = try writer.apply(
                [
                    .init(key: "tls.certificate_file", values: [folder.path + "/none.pem"]),
                    .init(key: "tls.private_key_file", values: [folder.path + "/none.key"]),
                ], note: "", dryRun: false, by: me)
        }
        folder.write("conf/effect.dat", "127.0.0.1 default\nthis is no rule\n")
        let findings = CheckMode.findings(layout)
        let faults = findings.filter { !$0.isWarning }.map(\.place)
        #expect(faults == ["tls.certificate_file", "tls.private_key_file", layout.conf + "/effect.dat:2"])
        #expect(findings.contains { $0.place == "domain/a.example" && $0.isWarning })
    }
}
