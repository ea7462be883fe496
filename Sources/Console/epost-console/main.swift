import CommandLine
import Glibc

let invocation = CommandLineProgram.run(
    Array(Swift.CommandLine.arguments.dropFirst()), environment: { name in getenv(name).map { String(cString: $0) } })
switch invocation {
case .finished(let code): exit(code)
case .console: exit(0)
}
