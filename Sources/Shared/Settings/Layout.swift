/// Where the files of an installation lie: below one root folder, or in the file system hierarchy
/// (architecture, section 8). Absolute paths without a slash at the end.
package struct Layout: Hashable, Sendable {
    /// `nil`: the file system hierarchy.
    package let root: String?
    /// Text tables and certificates.
    package let conf: String
    /// Settings, domains, accounts and their history.
    package let store: String
    /// Default of `server.work_dir`; each machine has its own folder below it.
    package let spool: String
    /// Default parent of the mailboxes.
    package let mail: String
    package let log: String
    /// Socket, lock and pid files.
    package let run: String

    /// The file system hierarchy: `/etc/epost`, `/var/lib/epost`, …
    package static let hierarchy = Layout(
        root: nil, conf: "/etc/epost", store: "/var/lib/epost/store.db", spool: "/var/spool/epost",
        mail: "/var/lib/epost/mail", log: "/var/log/epost", run: "/run/epost")

    /// Everything below `root`.
    /// - Parameter root: absolute; the caller resolves a relative one.
    package init(root: String) {
        let root = root.utf8.count > 1 && root.hasSuffix("/") ? String(root.dropLast()) : root
        let base = root == "/" ? "" : root
        self.init(
            root: root, conf: base + "/conf", store: base + "/conf/store.db", spool: base + "/spool",
            mail: base + "/mail", log: base + "/log", run: base + "/run")
    }

    private init(
        root: String?, conf: String, store: String, spool: String, mail: String, log: String, run: String
    ) {
        self.root = root
        self.conf = conf
        self.store = store
        self.spool = spool
        self.mail = mail
        self.log = log
        self.run = run
    }

    package var controlSocket: String { run + "/control.sock" }
    package var pidFile: String { run + "/epostd.pid" }
    package var lockFile: String { run + "/epostd.lock" }
    /// Where `epost-directory` is asked; the first that answers. In the hierarchy systemd may run one with the
    /// privileges that PAM needs.
    package var directorySockets: [String] {
        (root == nil ? ["/run/epost-directory.sock"] : []) + [run + "/directory.sock"]
    }
    /// Files of PAM services below a root folder; used when it is there.
    package var pam: String { conf + "/pam.d" }
    /// Folder of the certificate that the wizard makes.
    package var tls: String { conf + "/tls" }
    /// Key under which secrets of accounts are sealed; beside the store, mode 0600.
    package var secretKey: String {
        (store.lastIndex(of: "/").map { String(store[..<$0]) } ?? "") + "/secrets.key"
    }
    /// Files with user and password for gateways of gateway.dat.
    package var credentials: String { conf + "/credentials" }
    /// Records behind the references of refusals.
    package var explain: String { log + "/explain.db" }

    /// What accounts and addresses sent, and their sessions.
    package var usage: String { log + "/usage.db" }

    /// The text tables below `conf/`; raw values are their names on the control socket.
    package enum Table: String, CaseIterable, Sendable {
        case effect, gateway, header
        /// Local addresses on which nobody is answered (R-CLU-19).
        case hidden = "hiddensmtpip"
        /// Clients whose mail is not copied for the record (R-LOG-13).
        case copyExempt = "ccdisableip"
        package var fileName: String { rawValue + ".dat" }
    }
    package func path(of table: Table) -> String { conf + "/" + table.fileName }

    /// The folder of one machine's queue, below `server.work_dir`.
    package static func spool(workFolder: String, node: String) -> String { workFolder + "/" + node }
}
