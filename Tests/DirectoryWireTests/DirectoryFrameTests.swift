import DirectoryWire
import Testing

@Suite struct DirectoryFrameTests {
    private static let frames = [
        DirectoryFrame(id: 7, kind: .find, texts: ["ada", "in.example"]),
        DirectoryFrame(id: 0xFFFF_FFFF, kind: .check, fields: [[], [0, 255], []]),
        DirectoryFrame(id: 0, kind: .missing),
    ]

    @Test("Frames come through at every split") func splits() throws {
        let octets = Self.frames.flatMap { $0.encoded() }
        for cut in 0...octets.count {
            var decoder = DirectoryFrameDecoder()
            let found = try decoder.feed(octets[..<cut]) + decoder.feed(octets[cut...])
            #expect(found == Self.frames, "split at \(cut)")
        }
    }

    @Test(
        "What is no frame ends the connection",
        arguments: [
            [0, 1, 0, 1],  // too long
            [0, 0, 0, 4, 0, 0, 0, 1],  // without kind
            [0, 0, 0, 5, 0, 0, 0, 1, 99],  // unknown kind
            [0, 0, 0, 9, 0, 0, 0, 1, 2, 0, 0, 0, 1],  // a field longer than the frame
            [0, 0, 0, 7, 0, 0, 0, 1, 2, 0, 0],  // half a field length
        ] as [[UInt8]])
    func faults(_ octets: [UInt8]) {
        var decoder = DirectoryFrameDecoder()
        #expect(throws: DirectoryFrameDecoder.Fault.self) { try decoder.feed(octets) }
    }

    @Test("A profile comes through") func profile() {
        var profile = DirectoryProfile()
        profile.backend = .ldap
        profile.urls = ["ldap://one", "ldaps://two"]
        profile.base = "dc=in,dc=example"
        profile.filter = "(uid={name})"
        profile.timeout = 9
        #expect(DirectoryProfile(fields: profile.fields) == profile)
        #expect(DirectoryProfile(fields: Array(profile.fields.prefix(13))) == nil)
    }

    @Test("An account comes through") func account() {
        let account = DirectoryAccount(name: "ada", fullName: "Ada L.", home: "/home/ada", isEnabled: false)
        #expect(DirectoryAccount(fields: account.fields) == account)
        #expect(DirectoryAccount(fields: [[], [], [], []]) == nil)
    }
}
