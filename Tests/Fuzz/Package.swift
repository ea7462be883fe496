// swift-tools-version:6.1
import PackageDescription

// A package of its own, so that the sanitizer's flags touch nothing else. The modules are links to the product's
// sources; everything that reads outside octets without I/O has a target here.

let sanitized: [SwiftSetting] = [.unsafeFlags(["-sanitize=fuzzer,address"])]

func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, path: "Sources/\(name)", swiftSettings: sanitized)
}
func fuzz(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: "fuzz-\(name)", dependencies: dependencies + ["CFuzzer"], path: "Sources/fuzz-\(name)",
        swiftSettings: sanitized + [.unsafeFlags(["-parse-as-library"])],
        linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address", "-use-ld=lld"])])
}

let package = Package(
    name: "fuzz",
    targets: [
        .systemLibrary(name: "CFuzzer", path: "Sources/CFuzzer"),
        .systemLibrary(name: "CLinux", path: "Sources/CLinux"),
        module("MailModel"),
        module("SMTP", ["MailModel"]),
        module("MessageFormat", ["MailModel"]),
        module("Tables", ["MailModel", "MessageFormat"]),
        module("Policy", ["MailModel", "Tables"]),
        module("Control", ["CLinux"]),
        module("ControlServer", ["Control", "CLinux"]),
        module("Locale"),
        fuzz("smtp-server", ["SMTP", "MailModel"]),
        fuzz("smtp-client", ["SMTP", "MailModel"]),
        fuzz("tables", ["Tables", "MailModel"]),
        fuzz("effect", ["Tables", "MailModel"]),
        fuzz("header", ["Tables", "MessageFormat"]),
        fuzz("message", ["MessageFormat", "MailModel"]),
        fuzz("policy", ["Policy", "Tables", "MailModel"]),
        fuzz("control", ["Control"]),
        fuzz("daemon", ["ControlServer", "Control"]),
        fuzz("locale", ["Locale"]),
    ],
    swiftLanguageModes: [.v6]
)
