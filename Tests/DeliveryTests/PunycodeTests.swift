import Testing
import Transport

@testable import Delivery

@Suite("Domain names for the DNS")
struct PunycodeTests {
    @Test(
        "A-labels (RFC 3492 §7.1 and domains in use)",
        arguments: [
            ("example.COM", "example.com"), ("bücher.example", "xn--bcher-kva.example"),
            ("日本語.jp", "xn--wgv71a119e.jp"), ("日本語。jp", "xn--wgv71a119e.jp"),
            ("müller.example", "xn--mller-kva.example"), ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
            ("ドメイン名例.jp", "xn--eckwd4c7cu47r2wf.jp"), ("почта.рф", "xn--80a1acny.xn--p1ai"),
        ])
    func known(_ name: String, _ expected: String) {
        #expect(Punycode.domain(name) == expected)
    }

    @Test("a label that would be too long is none")
    func tooLong() {
        #expect(Punycode.domain(String(repeating: "日本", count: 60) + ".example") == nil)
    }

    @Test("the MX cache as text, and back")
    func cacheText() {
        var cache = MXCache()
        cache.keep(
            NameAnswer(.hosts([MailExchange(preference: 5, host: "mx.a.example")]), ttl: 60), for: "a.example",
            now: 1_000)
        cache.keep(NameAnswer(.none, ttl: 60), for: "b.example", now: 1_000)
        cache.keep(NameAnswer(.none, ttl: 60), for: "c.example", now: 1_000)
        cache.confirm("a.example")
        cache.confirm("b.example")
        let text = cache.text
        #expect(text == "epost mxcache 1\na.example\t1000\t5 mx.a.example\nb.example\t1000\t\n")
        #expect(MXCache(text: text).text == text)
        #expect(MXCache(text: "epost mxcache 2\na.example\t1000\t5 mx.a.example\n").entries.isEmpty)
        #expect(MXCache(text: "epost mxcache 1\nrubbish\n\t\t\na b\t1\t\na.example\tx\t\n").entries.isEmpty)
    }

    @Test("confirmed entries live for the setting's time, others for the name servers'")
    func cacheTimes() {
        var cache = MXCache()
        let answer = NameAnswer(MailExchanges.none, ttl: 60)
        cache.keep(answer, for: "a.example", now: 0)
        #expect(cache.exchanges(of: "a.example", ttl: 1_000, now: 59_000) == MailExchanges.none)
        #expect(cache.exchanges(of: "a.example", ttl: 0, now: 1) == nil)
        cache.confirm("a.example")
        #expect(cache.exchanges(of: "a.example", ttl: 1_000, now: 999_000) == MailExchanges.none)
        #expect(cache.exchanges(of: "a.example", ttl: 1_000, now: 1_000_000) == nil)
        #expect(cache.entries.isEmpty)
    }
}
