import Testing

@testable import ConsoleCore

/// Shared by the tests: a clock that goes on by itself and the keys of a test in short.
struct Driver {
    var app: App
    var now: Moment = 1_000
    var effects: [Effect] = []

    /// The first frame is drawn: geometry is known, as it is when somebody types.
    init(_ app: App) {
        self.app = app
        _ = self.app.frame()
    }

    /// Each key in a read of its own, 200 ms apart: nobody types ahead.
    mutating func slowly(_ keys: Key...) {
        for key in keys { press([key]) }
    }

    mutating func press(_ keys: [Key]) {
        now += 200
        effects += app.handle(.keys(keys), now: now, clock: WallClock(hour: 12, minute: 3))
        effects += app.frame().effects
    }

    mutating func wait(_ milliseconds: Int) {
        now += milliseconds
        effects += app.handle(.tick, now: now, clock: WallClock(hour: 12, minute: 3))
        effects += app.frame().effects
    }

    mutating func resize(_ columns: Int, _ rows: Int) {
        effects += app.handle(
            .resize(Size(columns: columns, rows: rows)), now: now, clock: WallClock(hour: 12, minute: 3))
    }

    mutating func snapshot() -> String { app.frame().buffer.snapshot }
    mutating func text() -> String { app.frame().buffer.text }
}

/// Numbers that look random and are the same in every run.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
