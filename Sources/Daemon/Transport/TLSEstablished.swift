package struct TLSEstablished: Sendable { package init() {} }
