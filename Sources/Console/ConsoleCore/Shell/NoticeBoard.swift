/// Notices: the newest stands in the message line, all are kept for the list of messages.
///
/// Information goes after five seconds. A warning goes when it has been seen: with the first key pressed after it stood
/// there for two seconds. An error stays at least as long and goes with the next key after that.
struct NoticeBoard {
    static let informationTime = 5_000
    static let seenAfter = 2_000
    static let keptAtMost = 200

    private(set) var all: [Notice] = []
    private(set) var shown: Notice?
    /// Notices since the start, those that are not kept any more too.
    private(set) var count = 0

    mutating func add(_ notice: Notice) {
        all.append(notice)
        count += 1
        if all.count > NoticeBoard.keptAtMost { all.removeFirst(all.count - NoticeBoard.keptAtMost) }
        // Information never hides an error that nobody can have read yet.
        if let shown, shown.level == .error, notice.level == .information,
            notice.at - shown.at < NoticeBoard.seenAfter
        {
            return
        }
        shown = notice
    }

    /// - Returns: whether the message line changed.
    mutating func expire(at now: Moment) -> Bool {
        guard let notice = shown, notice.level == .information, now - notice.at >= NoticeBoard.informationTime else {
            return false
        }
        shown = nil
        return true
    }

    mutating func keyPressed(at now: Moment) {
        guard let notice = shown, notice.level != .information, now - notice.at >= NoticeBoard.seenAfter else { return }
        shown = nil
    }
}
