import Glibc

/// `close` under a name that a type with a `close` of its own can call.
enum Descriptors {
    static func close(_ descriptor: Int32) { _ = Glibc.close(descriptor) }
}
