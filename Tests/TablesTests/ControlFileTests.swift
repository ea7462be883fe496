import MailModel
import MessageFormat
import Tables
import Testing

@Suite struct ControlFileTests {
    private func file(_ text: String) -> ControlFile { ControlFile(octets: Array(text.utf8)) }
    private func text(_ file: ControlFile) -> String { String(decoding: file.octets, as: UTF8.self) }

    /// The examples of spec file 11, part 4 (R-CTL-35).
    @Test func examplesOfTheManual() {
        let forward = ControlSettings(file("[AutoForward]\nForwardTo = abc@def.co.jp\n[Delivery]\nDiscard = Yes\n"))
        #expect(forward.forwardTo == "abc@def.co.jp")
        #expect(forward.discards && forward.isEnabled && !forward.replies)
        let moved = ControlSettings(
            file("[autoreply]\r\nREPLYFROM=Postmaster@abc.co.jp\r\nEchoMessage=TRUE\r\nSubject=It moved\r\n"))
        #expect(moved.replies && moved.echoesMessage && !moved.discards)
        #expect(moved.replyFrom == "Postmaster@abc.co.jp" && moved.subject == "It moved")
        #expect(ControlSettings(file("[AutoForward]\nForwardTo=file:/srv/a.txt\n")).forwardFile == "/srv/a.txt")
        #expect(ControlSettings(file("")) == ControlSettings())
    }

    @Test func whatIsNotTouchedStaysOctetForOctet() {
        var octets = Array("; mine\r\n[AutoForward]\r\n ForwardTo = a@b.example\r\nUnknown = Keep me \r\n".utf8)
        octets += Array("[AutoReply]\r\nSubject=".utf8) + [0x1B, 0x24, 0x42, 0x35, 0x59, 0x32, 0x4B, 0x1B, 0x28, 0x42]
        octets += Array("\r\n[Future]\r\nX=1".utf8)
        var file = ControlFile(octets: octets)
        var settings = ControlSettings(file)
        #expect(settings.subject == "休暇")
        settings.write(to: &file)
        #expect(file.octets == octets)
        settings.forwardTo = "c@d.example"
        settings.discards = true
        settings.write(to: &file)
        let expected =
            String(decoding: octets, as: UTF8.self)
            .replacing("a@b.example", with: "c@d.example") + "\r\n[Delivery]\r\nDiscard=Yes\r\n"
        #expect(text(file) == expected)
        #expect(ControlSettings(file) == settings)
    }

    /// A value that is set is written in the character set of the file; where that lacks a character, in UTF-8.
    @Test(arguments: [Charset.shiftJIS, .iso2022JP, .utf8]) func valuesAreWrittenInTheFilesCharacterSet(_ set: Charset)
        throws
    {
        let octets = try #require(set.encode("; 営業部\r\n[AutoReply]\r\nSubject=a\r\n"))
        var file = ControlFile(octets: octets)
        #expect(file.charset == set)
        file.set("AutoReply", "Subject", to: "休暇中")
        #expect(file.octets == set.encode("; 営業部\r\n[AutoReply]\r\nSubject=休暇中\r\n"))
        #expect(file.value("AutoReply", "Subject") == "休暇中")
        file.set("AutoReply", "Subject", to: "休暇中 🏖")
        #expect(file.value("AutoReply", "Subject") == "休暇中 🏖")
    }

    /// R-CTL-07 to R-CTL-14, R-CTL-18, R-CTL-21 to R-CTL-29: every field of the dialog has its key.
    @Test func everySettingComesBackFromTheFile() {
        var settings = ControlSettings()
        settings.isEnabled = false
        settings.program = "/usr/local/bin/tag"
        settings.forwardTo = "FILE:/srv/list"
        settings.permitsBySender = true
        settings.reportTo = .address(MailAddress(localPart: "r", domain: "x.example"))
        settings.removesAttachments = true
        settings.sizeLimit = 0
        settings.replies = true
        settings.subject = "留守"
        settings.replyFrom = "a@x.example"
        settings.replyTo = "b@x.example"
        settings.echoesMessage = true
        settings.echoesWithoutHeader = true
        settings.recordsReplies = true
        settings.repliesOnce = true
        settings.discards = true
        var file = ControlFile()
        settings.write(to: &file)
        #expect(ControlSettings(file) == settings)
        settings.replies = false
        settings.write(to: &file)
        #expect(ControlSettings(file) == settings)
        ControlSettings().write(to: &file)
        #expect(ControlSettings(file) == ControlSettings())
    }

    @Test func valueStartsNoLineOfItsOwn() {
        var file = ControlFile()
        file.set("AutoReply", "Subject", to: "a\r\n[Delivery]\r\nDiscard=Yes")
        #expect(!ControlSettings(file).discards)
        #expect(text(file).filter { $0 == "\n" }.count == 2)
    }

    @Test func faultsAreFound() {
        let owner = MailAddress(localPart: "taro", domain: "in.example")
        func faults(_ change: (inout ControlSettings) -> Void) -> [String] {
            var settings = ControlSettings()
            change(&settings)
            return settings.faults(of: owner).map(\.code)
        }
        #expect(faults { $0.forwardTo = "TARO@in.example" } == ["control.forward-self"])
        #expect(faults { $0.forwardTo = "nobody" } == ["control.bad-forward"])
        #expect(faults { $0.forwardTo = "FILE:../x" } == ["control.bad-file"])
        #expect(faults { $0.program = "rm -rf" } == ["control.bad-program"])
        #expect(faults { $0.replyTo = "x" } == ["control.bad-address"])
        #expect(faults { $0.forwardTo = "boss@in.example" }.isEmpty)
    }
}
