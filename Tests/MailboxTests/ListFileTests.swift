import Glibc
import Mailbox
import Testing

/// Lists that `FILE:` names (R-CTL-06, R-CTL-09, R-CTL-17): plain files, and nothing that a planted link leads to.
@Suite struct ListFileTests {
    private let folder: String = {
        var template = Array("/tmp/epost-list-XXXXXX".utf8CString)
        mkdtemp(&template)
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }()

    private func write(_ name: String, _ text: String) {
        guard let file = fopen("\(folder)/\(name)", "w") else { return }
        fputs(text, file)
        fclose(file)
    }

    /// A link as somebody else than root plants it.
    private func plant(_ name: String, to target: String) {
        symlink(target, "\(folder)/\(name)")
        if geteuid() == 0 { lchown("\(folder)/\(name)", 65_534, 65_534) }
    }

    private func read(_ name: String) -> String? {
        (try? MailboxFiles.readList("\(folder)/\(name)", limit: 100)).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func plainFilesAreReadAndPlantedLinksAreNot() {
        mkdir("\(folder)/below", 0o700)
        write("list", "a@b.example\n")
        write("below/list", "c@d.example\n")
        #expect(read("list") == "a@b.example\n" && read("below/list") == "c@d.example\n")
        #expect(link("\(folder)/list", "\(folder)/second") == 0)
        #expect(read("second") == "a@b.example\n", "backups give a file a second name")
        plant("file", to: "list")
        plant("deep", to: "below")
        plant("away", to: "/etc/passwd")
        plant("self", to: "self")
        for name in ["file", "deep/list", "away", "self", "none", "below", "list/x"] {
            #expect(read(name) == nil, "\(name)")
        }
        for name in ["below/../list", "./list", "x/../list"] { #expect(read(name) == nil, "\(name)") }
        mkfifo("\(folder)/pipe", 0o600)
        #expect(read("pipe") == nil, "and nobody waits for a writer")
        for path in ["list", "", "/", "/tmp\0x", "FILE:/x"] {
            #expect((try? MailboxFiles.readList(path, limit: 1)) == nil)
        }
    }

    @Test(.enabled(if: geteuid() == 0)) func whatRootLinkedStands() {
        mkdir("\(folder)/disk", 0o700)
        write("disk/list", "a@b.example\n")
        symlink("disk", "\(folder)/srv")
        symlink("\(folder)/srv/list", "\(folder)/whole")
        symlink("../\(folder.dropFirst(5))/whole", "\(folder)/relative")
        symlink("circle", "\(folder)/circle")
        #expect(read("srv/list") == "a@b.example\n" && read("whole") == "a@b.example\n")
        #expect(read("relative") == "a@b.example\n")
        #expect(read("circle") == nil)
        // A step over root's link into what somebody else linked.
        plant("disk/foreign", to: "list")
        #expect(read("srv/foreign") == nil)
    }
}
