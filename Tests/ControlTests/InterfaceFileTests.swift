import Control
import FoundationEssentials
import Testing

/// The interface files say what the types say: each sample made from a file is read by the type and written again
/// without a field lost or added.
@Suite struct InterfaceFileTests {
    static let folder =
        #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
        + "/assets/varlink"

    static func file(of method: any ControlMethod.Type) throws -> (VarlinkFile, name: String) {
        let parts = method.name.split(separator: ".")
        let interface = parts.dropLast().joined(separator: ".")
        let octets = try FileManager.default.contents(atPath: "\(folder)/\(interface).varlink") ?? { throw Missing() }()
        return (VarlinkFile(String(decoding: octets, as: UTF8.self)), String(parts.last ?? ""))
    }
    struct Missing: Error {}

    static func again<T: Codable>(_: T.Type, _ text: String) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let value = try JSONDecoder().decode(T.self, from: Data(text.utf8))
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
    enum Anything: Codable {
        case object([String: Anything]), array([Anything]), text(String), number(Int), bool(Bool)
        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let value = try? container.decode(Bool.self) {
                self = .bool(value)
            } else if let value = try? container.decode(Int.self) {
                self = .number(value)
            } else if let value = try? container.decode(String.self) {
                self = .text(value)
            } else if let value = try? container.decode([Anything].self) {
                self = .array(value)
            } else {
                self = .object(try container.decode([String: Anything].self))
            }
        }
        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .object(let value): try container.encode(value)
            case .array(let value): try container.encode(value)
            case .text(let value): try container.encode(value)
            case .number(let value): try container.encode(value)
            case .bool(let value): try container.encode(value)
            }
        }
    }

    private func check<M: ControlMethod>(_: M.Type) throws {
        let (file, name) = try Self.file(of: M.self)
        #expect(M.name == "\(file.interface).\(name)")
        let method = try #require(file.methods[name], "\(M.name) is not in its file")
        for sample in file.samples(of: method.input) {
            #expect(try Self.again(M.Input.self, sample) == Self.again(Anything.self, sample), "\(M.name) parameters")
        }
        for sample in file.samples(of: method.output) {
            #expect(try Self.again(M.Output.self, sample) == Self.again(Anything.self, sample), "\(M.name) result")
        }
    }

    @Test func everyMethodIsWrittenDownAsItIs() throws {
        for method in ControlMethods.all { try check(method) }
    }

    @Test func nothingElseIsWrittenDown() throws {
        let ours = Set(ControlMethods.all.map { $0.name })
        for name in try FileManager.default.contentsOfDirectory(atPath: Self.folder) where name.hasSuffix(".varlink") {
            let octets = try #require(FileManager.default.contents(atPath: "\(Self.folder)/\(name)"))
            let file = VarlinkFile(String(decoding: octets, as: UTF8.self))
            #expect("\(file.interface).varlink" == name)
            for method in file.methods.keys { #expect(ours.contains("\(file.interface).\(method)")) }
        }
    }

    @Test func everyErrorOfOursIsWrittenDown() throws {
        let (file, _) = try Self.file(of: ServerInterface.Hello.self)
        for kind in ControlError.Kind.allCases where kind.rawValue.hasPrefix("org.epost.Server.") {
            #expect(file.errors[String(kind.rawValue.split(separator: ".").last ?? "")] != nil, "\(kind)")
        }
    }
}
