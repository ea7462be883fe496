import Glibc

/// The folder `assets`: by `EPOST_ASSETS`, beside the installed program, or up from it in a source tree.
package enum Assets {
    package static func folder() -> String? {
        if let named = getenv("EPOST_ASSETS") {
            let path = String(cString: named)
            if isAssets(path) { return path }
        }
        guard var folder = programFolder() else { return nil }
        if isAssets(folder + "/../share/epost") { return folder + "/../share/epost" }
        while !folder.isEmpty {
            if isAssets(folder + "/assets") { return folder + "/assets" }
            guard let slash = folder.lastIndex(of: "/") else { return nil }
            folder = String(folder[..<slash])
        }
        return nil
    }

    private static func isAssets(_ path: String) -> Bool {
        var status = stat()
        return stat(path + "/varlink", &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    private static func programFolder() -> String? {
        var target = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &target, target.count - 1)
        guard count > 0 else { return nil }
        let path = String(decoding: target.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return path.lastIndex(of: "/").map { String(path[..<$0]) }
    }
}
