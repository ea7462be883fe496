import Control
import Testing

@Suite struct FrameTests {
    @Test func framesAreCutAtEverySplit() throws {
        let octets = Array("{\"a\":1}\0{}\0{\"b\":2}\0".utf8)
        for cut in octets.indices {
            var decoder = FrameDecoder()
            let frames = try decoder.feed(octets[..<cut]) + decoder.feed(octets[cut...])
            #expect(
                frames.map { String(decoding: $0, as: UTF8.self) } == ["{\"a\":1}", "{}", "{\"b\":2}"],
                "split at \(cut)")
        }
    }

    @Test func aFrameWithoutEndIsRefusedAtTheLimit() throws {
        var decoder = FrameDecoder()
        #expect(try decoder.feed([UInt8](repeating: 32, count: Varlink.frameLimit)).isEmpty)
        #expect(throws: FrameDecoder.Failure.frameTooLong) { try decoder.feed([32]) }
    }

    @Test func aCallIsReadBack() throws {
        let octets = Varlink.call(QueueInterface.Show.self, .init(id: "X", source: 3), more: true)
        #expect(octets.last == 0)
        let frame = Array(octets.dropLast())
        let head = try Varlink.head(ofCall: frame)
        #expect(head.method == "org.epost.Queue.Show")
        #expect(head.more == true)
        #expect(try Varlink.parameters(QueueInterface.Show.Input.self, in: frame) == .init(id: "X", source: 3))
    }

    @Test func missingParametersAreAnEmptyObject() throws {
        #expect(try Varlink.parameters(Nothing.self, in: Array("{\"method\":\"x\"}".utf8)) == Nothing())
    }

    @Test func anErrorReplyIsThrownWithItsDetail() throws {
        let error = ControlError(
            .conflict, code: "c", "both changed it", problems: [.init(path: "p", code: "x", message: "m")])
        let frame = Array(Varlink.error(error).dropLast())
        #expect(throws: error) { try Varlink.result(QueueInterface.Show.self, in: frame) }
    }

    @Test func aForeignErrorWithoutOurFieldsIsStillAnError() throws {
        let frame = Array("{\"error\":\"org.varlink.service.MethodNotFound\",\"parameters\":{\"method\":\"x.y\"}}".utf8)
        let thrown = #expect(throws: ControlError.self) { try Varlink.result(QueueInterface.Show.self, in: frame) }
        #expect(thrown?.kind == .methodNotFound)
        #expect(thrown?.detail.method == "x.y")
    }

    @Test(arguments: ["", "{", "[]", "null", "\"x\"", "{\"method\":1}", "{\"parameters\":{}}"])
    func brokenCallsAreErrorsNotTraps(_ text: String) {
        #expect(throws: (any Error).self) { try Varlink.head(ofCall: Array(text.utf8)) }
    }
}
