import Control
import Tables

/// 利用時間設定 (R-ACC-37 to R-ACC-41): the hours in which an account may send, day by day, in the server's local time.
struct HoursDialog: Dialog {
    var title: Phrase { .text("hours.title", Visible.line(address)) }
    var form: Form
    var width: Int { 74 }
    private(set) var isDirty = false

    private let address: String
    private var table = UseTime.unlimited
    /// Day whose times stand below the week; 0 = Sunday.
    private var day = 1
    /// Half hour that the cursor of the bars is on.
    private var cell = 17
    private var etag: String?
    private var isLoaded = false
    private var problem: Phrase?
    private var reading: RequestID?
    private var saving: RequestID?

    init(_ address: String) {
        self.address = address
        var rows = [
            FormRow.empty, FormRow(nil, [FormPart("", Label(.verbatim(Self.scale), .hint))]),
        ]
        for day in 0..<7 {
            rows.append(
                FormRow(
                    nil,
                    [
                        FormPart("day\(day)", CheckBox(Phrase("hours.day.\(day)")), width: .cells(8)),
                        // Where an office day begins.
                        FormPart("bar\(day)", HourBar(cursor: 17)), FormPart("span\(day)", Label("", .hint)),
                    ], gap: 1))
        }
        rows += [
            .empty,
            FormRow(
                nil,
                [
                    FormPart("name", Label("", .heading, width: 4)), FormPart("", Label(.text("hours.from"), .label)),
                    FormPart("start", Select(Self.times(upTo: 1410), selected: "", width: 6)),
                    FormPart("", Label(.text("hours.to"), .label)),
                    FormPart("end", Select(Self.times(upTo: 1440), selected: "", width: 6)),
                    FormPart("copy", Button(.text("hours.copy"))),
                ], gap: 1),
            .empty, FormRow(nil, [FormPart("now", Label("", .hint, wraps: true), width: .fill)]),
            FormRow(nil, [FormPart("state", Label(.text("table.loading"), .hint, wraps: true), width: .fill)]),
        ]
        form = Form(
            rows,
            buttons: ButtonRow([
                .init("ok", .text("button.ok")), .init("cancel", .text("button.cancel")),
                .init("clear", .text("hours.clear"), letter: "l"), .init("help", .text("button.help")),
            ]), focus: "day1")
    }

    /// Over the bars: hours in steps of two.
    private static var scale: String {
        String(repeating: " ", count: 9) + stride(from: 0, through: 24, by: 2).map { WallClock.two($0) + "  " }.joined()
    }

    /// Steps of half an hour, and the empty one (R-ACC-38).
    private static func times(upTo last: Int) -> [Option] {
        [Option("", .text("hours.open"))]
            + stride(from: 0, through: last, by: 30).map { Option(clock($0), .verbatim(clock($0))) }
    }

    private static func clock(_ minutes: Int) -> String {
        WallClock.two(minutes / 60) + ":" + WallClock.two(minutes % 60)
    }

    private static func minutes(_ text: String) -> Int? {
        let parts = text.split(separator: ":").compactMap { Int($0) }
        return parts.count == 2 ? parts[0] * 60 + parts[1] : nil
    }

    func hint(_ context: Context) -> Phrase? { .text("hours.hint") }

    // MARK: - What it shows

    private mutating func show(_ context: Context) {
        for (number, day) in table.days.enumerated() {
            form.setOn("day\(number)", day.isPermitted)
            let marks = (0..<HourBar.count).map { table.permits(weekday: number, minute: $0 * 30) }
            let isCurrent = number == self.day
            let cell = cell
            form.update("bar\(number)", as: HourBar.self) { bar in
                bar.marks = marks
                bar.role = isCurrent ? .selection : .normal
                if !isCurrent { bar.cursor = cell }
            }
            let isWhole = (day.start ?? 0) == 0 && (day.end ?? 1440) == 1440
            let span = "\(Self.clock(day.start ?? 0))-\(Self.clock(day.end ?? 1440))"
            form.setLabel("span\(number)", .verbatim(day.isPermitted && !isWhole ? span : ""), .hint)
        }
        let current = table.days[day]
        form.setLabel("name", Phrase("hours.day.\(day)"), .heading)
        choose("start", current.start, upTo: 1410)
        choose("end", current.end, upTo: 1440)
        form.setLabel("now", now(context), .hint)
        guard isLoaded else { return }
        let legend: Phrase = .text(table.isUnlimited ? "hours.unlimited" : "hours.legend")
        form.setLabel("state", problem ?? legend, problem == nil ? .hint : .problem)
    }

    /// Times that were written by hand are offered too.
    private mutating func choose(_ id: String, _ value: Int?, upTo last: Int) {
        let text = value.map(Self.clock) ?? ""
        form.update(id, as: Select.self) { select in
            var options = Self.times(upTo: last)
            if !options.contains(where: { $0.id == text }) { options.append(Option(text, .verbatim(text))) }
            if select.options != options { select.options = options }
            select.selected = text
        }
    }

    /// What the server's clock makes of it.
    private func now(_ context: Context) -> Phrase {
        guard let time = context.model.serverTime(context.now) else { return .verbatim("") }
        let minutes = (time / 1_000 &+ context.model.utcOffset) / 60
        // 1970 began with a Thursday.
        let weekday = (minutes / 1_440 + 4) % 7
        let minute = minutes % 1_440
        let name = context.say(Phrase("hours.day.\(weekday)"))
        let clock = "\(name) \(Self.clock(minute))"
        return .text(table.permits(weekday: weekday, minute: minute) ? "hours.now.yes" : "hours.now.no", clock)
    }

    // MARK: - The server

    mutating func opened(_ context: inout Context) {
        reading = context.send(DirectoryInterface.GetAccountFile.self, .init(address: address, file: "hours"))
        show(context)
    }

    mutating func tick(_ context: inout Context) { form.setLabel("now", now(context), .hint) }

    mutating func receive(_ message: LinkMessage, _ context: inout Context) {
        if let result = message.result(of: DirectoryInterface.GetAccountFile.self, for: reading) {
            reading = nil
            switch result {
            case .success(let output):
                isLoaded = true
                etag = output.etag
                // A line that cannot be read is told: OK would leave it out.
                problem = output.problems.first?.phrase
                if !isDirty { table = UseTime.read(TableText(output.text)).value }
            case .failure(let error): form.setLabel("state", error.phrase, .problem)
            }
            show(context)
        }
        if let result = message.result(of: DirectoryInterface.SetAccountFile.self, for: saving) {
            saving = nil
            saved(result, &context)
        }
    }

    private mutating func saved(_ result: Result<Applied, ControlError>, _ context: inout Context) {
        switch result {
        case .success(let applied):
            context.model.ownChanges.formUnion(applied.changes.map(\.path))
            context.model.historyVersion += 1
            context.notice(.information, .text("notice.account-file.saved", "usetime.dat", Visible.line(address)))
            context.closeDialog()
            context.modelChanged()
        case .failure(let error):
            context.notice(.error, error.phrase)
            guard error.kind == .conflict else { return }
            // What is typed stays; the next OK overwrites knowingly.
            reading = context.send(DirectoryInterface.GetAccountFile.self, .init(address: address, file: "hours"))
        }
    }

    // MARK: - What happens

    mutating func formEvent(_ event: FormEvent, _ context: inout Context) {
        switch event {
        case .focused(let id) where id.hasPrefix("day") || id.hasPrefix("bar"): day = Int(id.dropFirst(3)) ?? day
        case .changed(let id) where id.hasPrefix("bar"):
            day = Int(id.dropFirst(3)) ?? day
            cell = form.widget(id, as: HourBar.self)?.cursor ?? cell
            let cell = cell
            change { Self.moveNearerEnd(of: &$0, to: cell) }
        case .changed("start"):
            let start = Self.minutes(form.selected("start"))
            change { $0.start = start }
        case .changed("end"):
            let end = Self.minutes(form.selected("end"))
            change { $0.end = end }
        case .changed(let id) where id.hasPrefix("day"):
            day = Int(id.dropFirst(3)) ?? day
            let isPermitted = form.isOn(id)
            change { $0.isPermitted = isPermitted }
        case .activated("copy"):
            var days = table.days
            for weekday in 1...5 { days[weekday] = days[day] }
            table = UseTime(days: days)
            isDirty = true
        case .button("clear"):
            table = .unlimited
            isDirty = true
        case .button("ok"): ok(&context)
        case .button("help"): context.command("help")
        case .button: context.closeDialog()
        default: break
        }
        show(context)
    }

    /// Up and Down keep the half hour.
    mutating func handle(_ key: Key, _ context: inout Context) -> Bool {
        if let bar = form.widget("bar\(day)", as: HourBar.self) { cell = bar.cursor }
        show(context)
        return false
    }

    /// The window of a day begins or ends with a half hour, whichever of both is nearer to it.
    private static func moveNearerEnd(of day: inout UseTime.Day, to cell: Int) {
        let (start, end) = (day.start ?? 0, day.end ?? 1440)
        let (from, to) = (cell * 30, (cell + 1) * 30)
        let (toStart, toEnd) = (abs(start - from), abs(end - to))
        if toStart < toEnd || toStart == toEnd && to <= start {
            day.start = from == 0 ? nil : from
        } else {
            day.end = to == 1440 ? nil : to
        }
        day.isPermitted = true
    }

    private mutating func change(_ body: (inout UseTime.Day) -> Void) {
        var days = table.days
        body(&days[day])
        table = UseTime(days: days)
        isDirty = true
    }

    private mutating func ok(_ context: inout Context) {
        guard saving == nil, isLoaded else { return }
        guard isDirty else { return context.closeDialog() }
        if let refusal = context.changeRefusal { return context.notice(.warning, refusal) }
        // No limit is no file (R-ACC-39).
        saving = context.send(
            DirectoryInterface.SetAccountFile.self,
            .init(address: address, file: "hours", text: table.isUnlimited ? "" : table.text, baseEtag: etag))
    }
}
