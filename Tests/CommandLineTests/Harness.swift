import Control
import Testing

@testable import CommandLine

/// A daemon in memory: answers by method name, remembers what it was asked.
final class FakeDaemon: ControlCaller {
    private var answers: [String: (_ call: [UInt8]) -> [[UInt8]]] = [:]
    private(set) var calls: [String] = []

    init() {
        on(ServerInterface.Hello.self) { _ in
            .init(
                product: "epost", version: "1", host: "mail1", user: "sato", mayChange: true, isConfigured: true,
                root: "/", utcOffset: 9 * 3600, isLocked: false)
        }
    }

    func on<M: ControlMethod>(_: M.Type, _ answer: @escaping (M.Input) throws(ControlError) -> M.Output) {
        answers[M.name] = { call in
            guard let input = try? Varlink.parameters(M.Input.self, in: call.dropLast().array) else { return [] }
            do throws(ControlError) {
                return [Varlink.reply(try answer(input))]
            } catch {
                return [Varlink.error(error)]
            }
        }
    }

    func onStream<M: ControlMethod>(_: M.Type, _ parts: [M.Output]) {
        answers[M.name] = { _ in
            parts.enumerated().map { Varlink.reply($0.element, continues: $0.offset < parts.count - 1) }
        }
    }

    func call<M: ControlMethod>(_ method: M.Type, _ input: M.Input) throws(ControlError) -> M.Output {
        calls.append(M.name)
        guard let frame = answers[M.name]?(Varlink.call(method, input)).first else {
            throw ControlError(.methodNotFound, code: "", "there is no method \(M.name)")
        }
        return try Varlink.result(method, in: frame.dropLast().array).0
    }

    func stream<M: ControlMethod>(
        _ method: M.Type, _ input: M.Input, _ part: (M.Output) -> Bool
    ) throws(ControlError) {
        calls.append(M.name)
        for frame in answers[M.name]?(Varlink.call(method, input)) ?? [] {
            let (output, continues) = try Varlink.result(method, in: frame.dropLast().array)
            if !part(output) || !continues { return }
        }
    }
}

extension ArraySlice<UInt8> {
    fileprivate var array: [UInt8] { Array(self) }
}

struct Ran: Equatable {
    var code: Int32
    var output: String
    var errors: String
}

/// Runs a command against `daemon`; `nil` stands for no daemon.
func run(
    _ arguments: [String], _ daemon: FakeDaemon? = FakeDaemon(), input: String? = nil, files: [String: String] = [:],
    isTerminal: Bool = false, written: @escaping (String, String) -> Void = { _, _ in }
) -> Ran {
    var output = ""
    var errors = ""
    let console = Console(
        write: { output += $0 }, complain: { errors += $0 }, readSecretLine: { _ in input },
        readFile: { name in files[name].map { .success($0) } ?? .failure(.init(reason: "No such file or directory")) },
        writePrivateFile: { name, text in
            if name.hasPrefix("/no-such-folder/") { return .init(reason: "No such file or directory") }
            written(name, text)
            return nil
        },
        isTerminal: isTerminal, now: { 1_764_000_000_000 })
    let environment: (String) -> String? = { $0 == "LANG" ? "C.UTF-8" : nil }
    let invocation = CommandLineProgram.run(arguments, environment: environment, console: console) {
        path throws(ControlError) in
        guard let daemon else {
            throw ControlError(.noConnection, code: "test.none", "No daemon answers at \(path).")
        }
        return daemon
    }
    guard case .finished(let code) = invocation else { return Ran(code: -1, output: output, errors: errors) }
    return Ran(code: code, output: output, errors: errors)
}
