import Control
import Database
import Glibc
import Settings
import Synchronization

@testable import Store

/// A store in a folder of its own that goes with it.
final class ScratchStore {
    let layout: Layout
    let writer: StoreWriter
    static let me = Author(name: "sato", origin: "test")

    init(checks: StoreChecks = StoreChecks()) throws {
        layout = try Self.folder()
        let time = Atomic<Int64>(1_700_000_000_000)
        writer = try StoreWriter(layout: layout, checks: checks) {
            time.wrappingAdd(1000, ordering: .relaxed).newValue
        }
    }

    deinit { Self.remove(layout) }

    static func folder() throws -> Layout {
        var template = Array("/tmp/epost-store-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw DatabaseError(.cannotOpen, "mkdtemp") }
        let layout = Layout(root: String(cString: made))
        mkdir(layout.conf, 0o700)
        return layout
    }

    static func remove(_ layout: Layout) {
        let names = try? ScratchStore.names(in: layout.conf)
        for name in names ?? [] { unlink(layout.conf + "/" + name) }
        rmdir(layout.conf)
        if let root = layout.root { rmdir(root) }
    }

    static func names(in folder: String) throws -> [String] {
        guard let listing = opendir(folder) else { throw DatabaseError(.cannotOpen, folder) }
        defer { closedir(listing) }
        var out: [String] = []
        while let entry = readdir(listing) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { out.append(name) }
        }
        return out.sorted()
    }

    @discardableResult
    func set(_ key: String, _ texts: [String]?, base: Int? = nil) throws -> Applied {
        try writer.apply(
            [SettingChange(key: key, values: texts, baseRevision: base)], note: "", dryRun: false, by: Self.me)
    }

    /// A hash made once: tests of other things need not wait for scrypt.
    static let password =
        "{SCRYPT}$scrypt$ln=10,r=8,p=1$c2FsdHNhbHRzYWx0c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

    @discardableResult
    func account(_ address: String, _ values: AccountValues = AccountValues()) throws -> Applied {
        var values = values
        values.password = values.password ?? Self.password
        return try writer.addAccount(address, values, note: "", by: Self.me)
    }

    func domain(_ name: String, _ values: DomainValues = DomainValues()) throws {
        _ = try writer.addDomain(name, values, note: "", by: Self.me)
    }
}

/// The kind of the control error that `body` throws; `nil` when it throws none.
func kind(_ body: () throws -> Void) -> ControlError.Kind? {
    do {
        try body()
        return nil
    } catch {
        return (error as? ControlError)?.kind
    }
}

func problems(_ body: () throws -> Void) -> [String] {
    do {
        try body()
        return []
    } catch {
        return (error as? ControlError)?.detail.problems?.map(\.code) ?? ["\(error)"]
    }
}
