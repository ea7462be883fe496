import Testing

@testable import CommandLine

struct OutputTests {
    @Test(arguments: [
        (0, "1970-01-01 09:00:00"), (951_782_399_000, "2000-02-29 08:59:59"),
        (1_764_000_000_999, "2025-11-25 01:00:00"),
        (-1, "1970-01-01 08:59:59"), (4_102_444_800_000, "2100-01-01 09:00:00"),
    ])
    func momentsAreInTheServersZone(_ milliseconds: Int, _ text: String) {
        #expect(Calendar(utcOffset: 9 * 3600).text(milliseconds) == text)
    }

    @Test(
        arguments: [
            ("2025-11-25", "2025-11-25 00:00:00"), ("2025-11-25 10:30", "2025-11-25 10:30:00"),
            ("2025-11-25T10:30:59", "2025-11-25 10:30:59"), ("00:30", "2025-11-25 00:30:00"),
            ("2h", "2025-11-24 23:00:00"),
            ("1d", "2025-11-24 01:00:00"), ("2000-02-29", "2000-02-29 00:00:00"), ("2025-02-29", nil),
            ("2025-13-01", nil),
            ("25:99", nil), ("", nil), ("h", nil), ("-3h", nil), ("99999999999999999999d", nil), ("2025-11-25 x", nil),
        ] as [(String, String?)])
    func momentsAreRead(_ text: String, _ expected: String?) {
        let calendar = Calendar(utcOffset: 9 * 3600)
        #expect(calendar.moment(text, now: 1_764_000_000_000).map(calendar.text) == expected)
    }

    @Test(
        arguments: [
            ("0", 0), ("1024", 1024), ("10K", 10240), ("3m", 3 << 20), ("2G", 2 << 30), ("", nil), ("K", nil),
            ("-1", nil),
            ("1.5G", nil), ("99999999999G", nil),
        ] as [(String, Int?)])
    func octetsAreRead(_ text: String, _ expected: Int?) {
        #expect(Octets(argument: text)?.count == expected)
    }

    @Test(arguments: [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KB"), (10 << 20, "10.0 MB"), (5 << 40, "5120.0 GB")])
    func octetsAreShown(_ count: Int, _ text: String) {
        #expect(Octets.text(count) == text)
    }

    @Test(arguments: [
        (59, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h 0 min"), (90_000, "1 d 1 h"), (-5, "0 s"),
    ])
    func agesAreShown(_ seconds: Int, _ text: String) {
        #expect(Calendar.age(seconds: seconds) == text)
    }
}
