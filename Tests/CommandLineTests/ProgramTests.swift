import Control
import Glibc
import Locale
import Testing

@testable import CommandLine

struct ProgramTests {
    @Test func noCommandOpensTheConsole() {
        guard
            case .console(let options, _) = CommandLineProgram.run(
                ["--language", "ja", "--root", "/srv/mail"], environment: { _ in nil })
        else {
            Issue.record("a command ran")
            return
        }
        #expect(options.language?.language == .japanese)
        #expect(options.socketPath == "/srv/mail/run/control.sock")
    }

    @Test func withoutDaemonTheCodeIsThreeAndTheErrorSaysWhatToStart() {
        let ran = run(["status", "--root", "/srv/mail"], nil)
        #expect(ran.code == 3)
        #expect(ran.errors.contains("/srv/mail/run/control.sock"))
        #expect(ran.errors.contains("epostd --root /srv/mail"))
        #expect(run(["status"], nil).errors.contains("systemctl start epostd"))
    }

    @Test(arguments: [
        ["fly"], ["queue"], ["queue", "show"], ["account", "add", "taro@in.example"],
        ["setting", "set", "delivery.threads"],
        ["setting", "set", "admin.password_hash", "secret"], ["explain"], ["explain", "7K2Q-93HD", "--client", "::1"],
        ["setup", "--domain", "a.example", "--dns", "192.0.2.1", "--administrator", "a@a.example"],
        ["status", "--root", "/a", "--socket", "/b"], ["queue", "retry"], ["queue", "retry", "--all", "X"],
        ["trace"], ["account", "change", "a@b.example"], ["--language", "de", "status"],
        ["log", "search", "--since", "yesterday"], ["domain", "add", "a.example", "--limit", "-1"],
    ])
    func wrongUsageIsCodeTwoAndChangesNothing(_ arguments: [String]) {
        let daemon = FakeDaemon()
        let ran = run(arguments, daemon, input: "x")
        #expect(ran.code == 2, "\(ran)")
        #expect(ran.output.isEmpty)
        #expect(!ran.errors.isEmpty)
        #expect(daemon.calls.allSatisfy { $0 == ServerInterface.Hello.name })
    }

    @Test(arguments: [["--help"], ["help", "queue", "list"], ["account", "add", "--help"], ["--version"]])
    func helpIsNoError(_ arguments: [String]) {
        let ran = run(arguments, nil)
        #expect(ran.code == 0)
        #expect(!ran.output.isEmpty)
    }

    /// Options of the program may stand anywhere before `--`.
    @Test(arguments: [
        (["queue", "list", "--root", "/r"], ["--root", "/r", "queue", "list"]),
        (["queue", "--root=/r", "list", "--language", "ja"], ["--root=/r", "--language", "ja", "queue", "list"]),
        (["setting", "set", "k", "--", "--root", "x"], ["setting", "set", "k", "--", "--root", "x"]),
        (["status", "--root"], ["status", "--root"]),
    ])
    func programOptionsMoveToTheFront(_ given: [String], _ expected: [String]) {
        #expect(GlobalOptions.hoisted(given) == expected)
    }

    @Test func aRefusalListsItsProblemsWithTheirPlaces() {
        let daemon = FakeDaemon()
        daemon.on(SettingsInterface.Apply.self) { _ throws(ControlError) in
            throw ControlError(
                .refused, code: "", "Nothing was changed.",
                problems: [Problem(path: "delivery.threads", code: "none", message: "0 is too small; use 1 to 999.")])
        }
        let ran = run(["setting", "set", "delivery.threads", "0"], daemon)
        #expect(ran.code == 1)
        #expect(
            ran.errors == "epost-console: Nothing was changed.\n  delivery.threads: 0 is too small; use 1 to 999.\n")
    }

    /// CVE-2003-0063 and its kind: whoever wrote a subject or a sender must not steer the administrator's terminal.
    @Test func nothingForeignSteersTheTerminal() {
        let daemon = FakeDaemon()
        let evil = "\u{1B}]0;x\u{07}\u{9B}2J\u{202E}\r\nforged line"
        daemon.on(LogInterface.Search.self) { _ in
            .init(
                lines: [LogLine(time: 0, service: "EPSTRS", kind: "session", level: "info", sender: evil, text: evil)],
                cursor: nil)
        }
        for arguments in [["log", "tail"], ["log", "tail", "--json"]] {
            let ran = run(arguments, daemon)
            let allowed: (Unicode.Scalar) -> Bool = {
                $0 == "\n" || ($0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) && $0.value != 0x202E)
            }
            #expect(ran.output.unicodeScalars.allSatisfy(allowed))
            #expect(ran.code == 0)
        }
        #expect(run(["log", "tail"], daemon).output.split(separator: "\n").count == 1)
    }

    @Test func everyWordIsInBothCatalogues() throws {
        for language in Language.allCases {
            let path = "assets/locale/\(language.rawValue).po"
            guard case .success(let text) = Console.standard.read(path) else {
                Issue.record("\(path) cannot be read; tests run in the package folder")
                return
            }
            let catalogue = try Catalogue(language: language, po: Array(text.utf8))
            for word in Word.allCases {
                let found = catalogue.texts[word.rawValue]
                if language == .english { #expect(found == word.english) } else { #expect(found != nil, "\(word)") }
            }
        }
    }
}

/// The reference in docs/ is made by `scripts/settings-reference`; a new setting wants it made anew.
@Test func theReferenceOfSettingsIsUpToDate() throws {
    guard case .success(let head) = Console.standard.read("docs/settings.head.md"),
        case .success(let text) = Console.standard.read("docs/settings.md")
    else {
        Issue.record("docs/settings.md cannot be read; tests run in the package folder")
        return
    }
    setenv("EPOST_LOCALE", "assets/locale", 1)  // the program that runs tests lies elsewhere
    var output = ""
    let console = Console(
        write: { output += $0 }, complain: { _ in }, readSecretLine: { _ in nil },
        readFile: { _ in .failure(.init(reason: "")) }, writePrivateFile: { _, _ in nil }, isTerminal: false, now: { 0 }
    )
    _ = CommandLineProgram.run(
        ["--language", "en", "setting", "list", "--markdown"], environment: { _ in nil }, console: console)
    #expect(text == head + output, "run scripts/settings-reference")
}
