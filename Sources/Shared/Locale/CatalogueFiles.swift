import Glibc

/// Finds and reads the catalogues on disk: the one place of this module that touches files.
package enum CatalogueFiles {
    /// Folders that may hold `en.po` and `ja.po`, best first: `EPOST_LOCALE`, the installed place
    /// `PREFIX/share/epost/locale` beside `PREFIX/bin` (or `PREFIX/libexec/epost`), and the source tree above the program.
    package static func folders(environment: (String) -> String?, program: String) -> [String] {
        var folders: [String] = []
        if let named = environment("EPOST_LOCALE"), !named.isEmpty { folders.append(named) }
        var folder = parent(of: program)
        var level = 0
        while let here = folder, level < 8 {
            folders.append(here + "/share/epost/locale")
            folders.append(here + "/assets/locale")
            folder = parent(of: here)
            level += 1
        }
        folders.append("/usr/share/epost/locale")
        return folders
    }

    /// - Returns: texts in `language` with English behind them, or `nil` when no folder has readable catalogues.
    package static func load(_ language: Language, from folders: [String]) -> Texts? {
        for folder in folders {
            guard let english = catalogue(.english, in: folder) else { continue }
            if language == .english { return Texts(english) }
            guard let chosen = catalogue(language, in: folder) else { continue }
            return Texts(chosen, fallback: english)
        }
        return nil
    }

    /// As `load(_:from:)`, with the folders of the running program.
    package static func load(_ language: Language) -> Texts? {
        load(
            language,
            from: folders(environment: { name in getenv(name).map { String(cString: $0) } }, program: program()))
    }

    /// Full name of the running program; empty when /proc is not there.
    private static func program() -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX) + 1) { buffer in
            guard let base = buffer.baseAddress else { return "" }
            let count = readlink("/proc/self/exe", base, Int(PATH_MAX))
            guard count > 0 else { return "" }
            return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }

    private static func parent(of path: String) -> String? {
        guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else { return nil }
        return String(path[..<slash])
    }

    private static func catalogue(_ language: Language, in folder: String) -> Catalogue? {
        guard let octets = contents(of: "\(folder)/\(language.rawValue).po") else { return nil }
        return try? Catalogue(language: language, po: octets)
    }

    /// At most 4 MB; `nil` when it cannot be read.
    static func contents(of path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var octets: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while octets.count < 4 << 20 {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0 { return nil }
            if count == 0 { break }
            octets.append(contentsOf: chunk[..<count])
        }
        return octets
    }
}
