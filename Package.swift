// swift-tools-version:6.1
import PackageDescription

// The manifest is the architecture: a target may import what it lists and nothing else
// (`make lint` builds with --explicit-target-dependency-import-check error).
// Shared: pure, except the client in Control and the file reader in Locale. Daemon: the edges and the services.
// Console: the face.

let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
]
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

func shared(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, path: "Sources/Shared/\(name)")
}
func daemon(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, path: "Sources/Daemon/\(name)")
}
func console(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, path: "Sources/Console/\(name)")
}
func library(_ name: String, in folder: String, pkgConfig: String? = nil, apt: String? = nil) -> Target {
    .systemLibrary(
        name: name, path: "Sources/\(folder)/\(name)", pkgConfig: pkgConfig,
        providers: apt.map { [.apt([$0])] })
}
func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: "\(name)Tests", dependencies: dependencies, path: "Tests/\(name)Tests")
}

let package = Package(
    name: "epost",
    platforms: [.macOS(.v15)],  // ignored on Linux; it silences availability checks
    products: [
        .executable(name: "epostd", targets: ["epostd"]),
        .executable(name: "epost-directory", targets: ["epost-directory"]),
        .executable(name: "epost-console", targets: ["epost-console"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    ],
    targets: [
        library("CLinux", in: "Shared"),
        library("CSQLite", in: "Daemon", pkgConfig: "sqlite3", apt: "libsqlite3-dev"),
        library("COpenSSL", in: "Daemon", pkgConfig: "openssl", apt: "libssl-dev"),
        library("CUnbound", in: "Daemon", apt: "libunbound-dev"),
        library("CPAM", in: "Daemon", apt: "libpam0g-dev"),
        library("CLDAP", in: "Daemon", apt: "libldap-dev"),
        library("CNcurses", in: "Console", apt: "libncursesw5-dev"),

        shared("MailModel"),
        shared("SMTP", ["MailModel"]),
        shared("MessageFormat", ["MailModel"]),
        shared("Tables", ["MailModel", "MessageFormat"]),
        shared("Policy", ["MailModel", "Tables"]),
        shared("Settings", ["MailModel"]),
        shared("Control", ["CLinux"]),
        shared("DirectoryWire"),
        shared("Locale"),

        daemon("Database", ["CSQLite"]),
        daemon("Threads", ["CLinux"]),
        daemon("Crypto", ["COpenSSL"]),
        daemon("Explain", ["Database", "MailModel", "Policy", "Threads"]),
        daemon("Usage", ["Database", "MailModel", "Policy", "Threads"]),
        daemon("Journal", ["MailModel", "MessageFormat", "Threads", "CLinux"]),
        daemon("DirectoryClient", ["DirectoryWire", "MailModel", "Threads", "CLinux"]),
        daemon(
            "Store",
            [
                "Database", "Crypto", "DirectoryClient", "DirectoryWire", "MailModel", "Settings", "Tables", "Control",
                "Threads", "CLinux",
            ]),
        daemon("Spool", ["Database", "MailModel", "Threads", "CLinux"]),
        daemon("Mailbox", ["MailModel", "Threads", "CLinux"]),
        daemon("Transport", nio + ["MailModel", "SMTP", "COpenSSL", "CUnbound", "CLinux"]),
        daemon("Service", ["Control", "MailModel", "Settings", "Store", "Journal", "Threads", "CLinux"]),
        daemon(
            "Receiver",
            nio + [
                "MailModel", "SMTP", "MessageFormat", "Policy", "Tables", "Settings", "Control", "Crypto", "Explain",
                "Facts", "Store", "Spool", "Usage", "Mailbox", "Journal", "Transport", "Service", "Threads", "CLinux",
            ]),
        daemon(
            "Delivery",
            nio + [
                "MailModel", "SMTP", "MessageFormat", "Policy", "Tables", "Settings", "Control", "Crypto", "Database",
                "Store", "Spool", "Mailbox", "Journal", "Transport", "Service", "Threads", "CLinux", "Facts",
            ]),
        daemon(
            "Facts",
            ["Control", "Crypto", "MailModel", "Mailbox", "MessageFormat", "Policy", "Settings", "Store", "Tables"]),
        daemon("ControlServer", ["Control", "CLinux"]),
        daemon(
            "Supervisor",
            [
                "ControlServer", "DirectoryWire", "Facts",
                "MailModel", "Policy", "Tables", "Settings", "Control", "Crypto", "Database", "Store", "Spool",
                "Journal",
                "Explain", "Usage", "Mailbox", "MessageFormat", "Service", "Threads", "CLinux",
            ]),
        .executableTarget(
            name: "epostd",
            dependencies: [
                "Supervisor", "Receiver", "Delivery", "Settings", "Service", "Store", "Journal", "Spool", "Mailbox",
                "Control", "MailModel", "Threads", "CLinux", arguments,
            ],
            path: "Sources/Daemon/epostd"),

        // In a process of its own: modules of PAM and NSS block, crash, and may need privileges.
        .executableTarget(
            name: "epost-directory",
            dependencies: ["DirectoryWire", "MailModel", "Threads", "CPAM", "CLDAP", "CLinux"],
            path: "Sources/Daemon/epost-directory"),

        console("ConsoleCore", ["Control", "Settings", "Locale", "MailModel", "Tables"]),
        console("Terminal", ["ConsoleCore", "CNcurses", "CLinux"]),
        console(
            "CommandLine",
            ["ConsoleCore", "Control", "Settings", "Locale", "MessageFormat", "Tables", "CLinux", arguments]),
        .executableTarget(
            name: "epost-console",
            dependencies: [
                "ConsoleCore", "Terminal", "CommandLine", "Control", "MessageFormat", "Settings", "Locale", "CLinux",
                arguments,
            ],
            path: "Sources/Console/epost-console"),

        tests("MailModel", ["MailModel", "TestSupport"]),
        .target(name: "TestSupport", path: "Tests/TestSupport"),
        tests("SMTP", ["SMTP", "MailModel", "TestSupport"]),
        tests("MessageFormat", ["MessageFormat", "MailModel"]),
        tests("Tables", ["Tables", "MessageFormat", "MailModel"]),
        tests("Policy", ["Policy", "Tables", "MailModel", "Locale"]),
        tests("Settings", ["Settings", "MailModel"]),
        tests("Control", ["Control"]),
        tests("DirectoryWire", ["DirectoryWire"]),
        tests("DirectoryClient", ["DirectoryClient", "DirectoryWire", "MailModel", "Threads", "CLinux"]),
        tests("Store", ["Store", "Crypto", "Database", "Settings", "MailModel", "Control", "Tables"]),
        tests("Database", ["Database"]),
        tests("Threads", ["Threads"]),
        tests("Spool", ["Spool", "Database", "MailModel", "CLinux"]),
        tests("Mailbox", ["Mailbox", "MailModel", "CLinux"]),
        tests("Journal", ["Journal", "MailModel", "MessageFormat", "CLinux"]),
        tests("Transport", nio + ["Transport", "SMTP", "MailModel", "Crypto", "COpenSSL"]),
        tests(
            "Receiver",
            nio + [
                "Receiver", "Transport", "Spool", "Store", "Policy", "Tables", "SMTP", "MailModel", "Settings",
                "Service", "Journal", "Crypto", "Explain", "Threads", "Mailbox", "TestSupport", "Locale",
            ]),
        tests("Explain", ["Explain", "Policy", "Tables", "MailModel", "Locale", "TestSupport", "Threads"]),
        tests("Usage", ["Usage", "Policy", "MailModel"]),
        tests(
            "Delivery",
            nio + [
                "Delivery", "Transport", "Spool", "Store", "Policy", "Tables", "SMTP", "MailModel", "MessageFormat",
                "Mailbox", "Settings", "Service", "Journal", "Threads", "Control", "Crypto",
            ]),
        tests("ControlServer", ["ControlServer", "Control", "CLinux"]),
        tests("Crypto", ["Crypto"]),
        tests("Service", ["Service", "Settings", "Control", "Store", "Journal", "CLinux"]),
        tests(
            "Supervisor",
            ["Supervisor", "Control", "Settings", "Store", "Service", "Journal", "MailModel", "Threads", "CLinux"]),
        tests("ConsoleCore", ["ConsoleCore", "Control", "Settings"]),
        tests("Locale", ["Locale", "ConsoleCore"]),
        tests("Screens", ["ConsoleCore", "Control", "Settings", "Locale"]),
        tests("CommandLine", ["CommandLine", "ConsoleCore", "Control", "Settings", "Locale"]),
    ],
    swiftLanguageModes: [.v6]
)
