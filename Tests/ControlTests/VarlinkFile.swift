/// A reader of `.varlink` files, enough to hold them against our types.
struct VarlinkFile {
    indirect enum Kind: Equatable {
        case bool, int, float, string, object
        case named(String)
        case array(Kind), dictionary(Kind), optional(Kind)
        case choice([String])
        case fields([Field])
    }
    struct Field: Equatable {
        var name: String
        var kind: Kind
    }

    var interface = ""
    var types: [String: Kind] = [:]
    var methods: [String: (input: Kind, output: Kind)] = [:]
    var errors: [String: Kind] = [:]

    private var tokens: [String]
    private var position = 0

    init(_ text: String) {
        tokens = Self.cut(text)
        while let word = next() {
            switch word {
            case "interface": interface = next() ?? ""
            case "type": types[next() ?? ""] = kind()
            case "error": errors[next() ?? ""] = kind()
            case "method":
                let name = next() ?? ""
                let input = kind()
                _ = next()  // ->
                methods[name] = (input, kind())
            default: break
            }
        }
    }

    private static func cut(_ text: String) -> [String] {
        var found: [String] = []
        for line in text.split(separator: "\n") {
            var word = ""
            let code = line.prefix { $0 != "#" }
            func close() {
                if !word.isEmpty { found.append(word) }
                word = ""
            }
            var previous: Character = " "
            for character in code {
                if character == "-" {
                    close()
                } else if character == ">", previous == "-" {
                    found.append("->")
                } else if "():,?".contains(character) {
                    close()
                    found.append(String(character))
                } else if character == " " {
                    close()
                } else {
                    word.append(character)
                    if word == "[]" || word == "[string]" { close() }
                }
                previous = character
            }
            close()
        }
        return found
    }

    private mutating func next() -> String? {
        guard position < tokens.count else { return nil }
        defer { position += 1 }
        return tokens[position]
    }

    private mutating func kind() -> Kind {
        switch next() ?? "" {
        case "?": .optional(kind())
        case "[]": .array(kind())
        case "[string]": .dictionary(kind())
        case "bool": .bool
        case "int": .int
        case "float": .float
        case "string": .string
        case "object": .object
        case "(": list()
        case let name: .named(name)
        }
    }

    private mutating func list() -> Kind {
        var fields: [Field] = []
        var choices: [String] = []
        while let word = next(), word != ")" {
            if word == "," { continue }
            if position < tokens.count, tokens[position] == ":" {
                position += 1
                fields.append(Field(name: word, kind: kind()))
            } else {
                choices.append(word)
            }
        }
        return choices.isEmpty ? .fields(fields) : .choice(choices)
    }

    /// JSON texts that fit: all fields present; one text for each choice somewhere inside.
    func samples(of kind: Kind) -> [String] {
        switch kind {
        case .bool: ["true"]
        case .int: ["7"]
        case .float: ["1.5"]
        case .string: ["\"text\""]
        case .object: ["{}"]
        case .named(let name): types[name].map(samples(of:)) ?? ["\"undefined type \(name)\""]
        case .array(let inner): samples(of: inner).map { "[\($0)]" }
        case .dictionary(let inner): samples(of: inner).map { "{\"key\":\($0)}" }
        case .optional(let inner): samples(of: inner)
        case .choice(let choices): choices.map { "\"\($0)\"" }
        case .fields(let fields):
            variants(fields.map { (name: $0.name, texts: samples(of: $0.kind)) })
        }
    }

    private func variants(_ fields: [(name: String, texts: [String])]) -> [String] {
        (0..<max(1, fields.map(\.texts.count).max() ?? 1)).map { turn in
            "{" + fields.map { "\"\($0.name)\":\($0.texts[turn % $0.texts.count])" }.joined(separator: ",") + "}"
        }
    }
}
