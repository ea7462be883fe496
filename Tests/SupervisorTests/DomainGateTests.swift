import Control
import Testing

@testable import Supervisor

/// What of the history belongs to which domain, and what of it is shown (R-ACC-11).
@Suite struct DomainGateTests {
    @Test(
        arguments: [
            ("domain/in.example", "in.example"), ("domain/IN.example/folder", "in.example"),
            ("account/ada@in.example", "in.example"), ("account/a@b@In.Example/limit", "in.example"),
            ("alias/*@in.example", "in.example"), ("file/ada@in.example/control", "in.example"),
            ("mailbox/ada@in.example", "in.example"), ("account", nil), ("alias", nil), ("account/nobody", nil),
            ("table/effect", nil), ("receiver.port", nil), ("", nil), ("/", nil),
        ] as [(String, String?)])
    func pathsAreOfDomains(path: String, domain: String?) {
        #expect(DomainGate.domain(ofPath: path) == domain)
    }

    private func change(_ path: String) -> ChangeRecord { ChangeRecord(path: path, old: ["a"], new: ["b"]) }

    @Test func ofShutDomainsOnlyTheNameIsShown() {
        let changes = [
            change("account/ada@in.example"), change("receiver.port"), change("alias/info@IN.example"),
            change("account/ada@open.example"),
        ]
        #expect(DomainGate.visible(changes, shut: []) == changes)
        #expect(
            DomainGate.visible(changes, shut: ["in.example"]) == [
                ChangeRecord(path: "domain/in.example", old: nil, new: nil), change("receiver.port"),
                change("account/ada@open.example"),
            ])
    }
}
