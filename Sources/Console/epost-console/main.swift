import CommandLine
import Glibc

func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

let invocation = CommandLineProgram.run(Array(Swift.CommandLine.arguments.dropFirst()), environment: environment)
switch invocation {
case .finished(let code): exit(code)
case .console(let global, let screen): exit(ProductConsole.run(global, screen))
}
