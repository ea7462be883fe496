/// Where the control socket is (architecture, section 8).
package enum ControlLocation {
    package static let standard = "/run/epost/control.sock"

    /// - Parameters:
    ///   - root: folder given by `--root`, absolute or relative to the working folder; `nil` or `/` = the file system
    ///     hierarchy.
    ///   - socket: path given by `--socket`; it wins.
    package static func path(root: String? = nil, socket: String? = nil) -> String {
        if let socket { return socket }
        guard var folder = root, folder.contains(where: { $0 != "/" }) else { return standard }
        while folder.hasSuffix("/") { folder.removeLast() }
        return "\(folder)/run/control.sock"
    }
}
