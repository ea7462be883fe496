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
    /// Information that came while an error stood there unread; it follows.
    private var following: Notice?
    /// Notices since the start, those that are not kept any more too.
    private(set) var count = 0

    mutating func add(_ notice: Notice) {
        all.append(notice)
        count += 1
        if all.count > NoticeBoard.keptAtMost { all.removeFirst(all.count - NoticeBoard.keptAtMost) }
        // Information never hides an error that nobody can have read yet; nor is it lost: it may say that the error is
        // over.
        if let shown, shown.level == .error, notice.level == .information,
            notice.at - shown.at < NoticeBoard.seenAfter
        {
            following = notice
            return
        }
        shown = notice
        following = nil
    }

    /// - Returns: whether the message line changed.
    mutating func expire(at now: Moment) -> Bool {
        if var next = following, let error = shown, now - error.at >= NoticeBoard.seenAfter {
            next.at = now
            shown = next
            following = nil
            return true
        }
        guard let notice = shown, notice.level == .information, now - notice.at >= NoticeBoard.informationTime else {
            return false
        }
        shown = nil
        return true
    }

    mutating func keyPressed(at now: Moment) {
        guard let notice = shown, notice.level != .information, now - notice.at >= NoticeBoard.seenAfter else { return }
        shown = nil
        following = nil
    }
}
