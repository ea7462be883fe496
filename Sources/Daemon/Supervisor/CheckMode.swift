import CLinux
import Control
import Glibc
import Service
import Settings
import Store
import Tables

/// `epostd --check`: looks at everything that the daemon would read, and says everything that is wrong, each with its
/// place. Changes nothing.
package enum CheckMode {
    struct Finding: Equatable {
        var place: String
        var message: String
        var isWarning: Bool
        var text: String { "\(place): \(isWarning ? "warning: " : "")\(message)" }
    }

    /// - Returns: exit code: 0, or 78 when something is wrong (warnings alone are not).
    package static func run(_ layout: Layout) -> Int32 {
        let findings = findings(layout)
        for finding in findings { print(finding.text) }
        let faults = findings.count { !$0.isWarning }
        print(faults == 0 ? "no faults found" : "\(faults) fault\(faults == 1 ? "" : "s") found")
        return faults == 0 ? 0 : Daemon.badConfiguration
    }

    static func findings(_ layout: Layout) -> [Finding] {
        var out = folders(layout)
        guard access(layout.store, F_OK) == 0 else {
            out.append(Finding(place: layout.store, message: "nothing is configured yet", isWarning: true))
            return out
        }
        do {
            let directory = try StoreDirectory(layout: layout)
            let settings = try directory.settings()
            out += self.settings(settings, hasGateways: TableFiles.hasGateways(layout))
            out += domains(try directory.domains(), settings)
        } catch {
            out.append(Finding(place: layout.store, message: "\(error.detail)", isWarning: false))
        }
        return out + tables(layout)
    }

    private static func folders(_ layout: Layout) -> [Finding] {
        Privileges.folders(layout).compactMap { path, _ in
            guard access(path, W_OK) != 0 else { return nil }
            let code = errno
            // A missing folder is made at the start.
            let isMissing = code == ENOENT
            return Finding(
                place: path, message: isMissing ? "does not exist yet" : "not writable: \(SmallFile.errorText(code))",
                isWarning: isMissing)
        }
    }

    private static func settings(_ settings: SettingsSnapshot, hasGateways: Bool) -> [Finding] {
        var out: [Finding] = []
        for (key, texts) in settings.values.sorted(by: { $0.key < $1.key }) {
            guard let definition = SettingsCatalogue.definition(of: key) else {
                out.append(Finding(place: key, message: "there is no such setting; it is ignored", isWarning: true))
                continue
            }
            if case .failure(let problem) = definition.normalized(texts), !definition.isSecret {
                out.append(Finding(place: key, message: problem.message + "; the default is used", isWarning: false))
            }
        }
        out += settings.problems(hasGateways: hasGateways).map {
            Finding(place: $0.key, message: $0.message, isWarning: $0.isWarning)
        }
        if settings.hasCertificate {
            out += SystemChecks.certificate(settings).map {
                Finding(place: $0.path, message: $0.message, isWarning: $0.isWarning)
            }
        }
        let isIPv6Missing = settings[NetSettings.ipVersion].usesIPv6 && !ListenerSockets.hasIPv6
        if isIPv6Missing {
            out.append(Finding(place: NetSettings.ipVersion.key, message: "this machine has no IPv6", isWarning: false))
        }
        return out
    }

    private static func domains(_ domains: [DomainRecord], _ settings: SettingsSnapshot) -> [Finding] {
        if domains.isEmpty {
            return [Finding(place: "domains", message: "no domain is operated", isWarning: true)]
        }
        let local = Machine.addresses().map(\.address)
        return domains.flatMap { domain in
            domain.smtpAddresses.filter { !local.contains($0) }.map {
                Finding(
                    place: "domain/\(domain.name)", message: "this machine does not have the address \($0) now",
                    isWarning: true)
            }
        }
    }

    private static func tables(_ layout: Layout) -> [Finding] {
        Layout.Table.allCases.flatMap { table -> [Finding] in
            let path = layout.path(of: table)
            guard access(path, F_OK) == 0 else { return [] }
            guard let octets = SmallFile.read(path, limit: TableText.maximumOctets) else {
                return [
                    Finding(place: path, message: "cannot be read: \(SmallFile.errorText(errno))", isWarning: false)
                ]
            }
            return TableProblems.check(table, TableText(octets: octets)).map { problem in
                let line = problem.path.split(separator: ":").dropFirst().first.map { ":\($0)" } ?? ""
                return Finding(place: path + line, message: problem.message, isWarning: problem.isWarning)
            }
        }
    }
}
