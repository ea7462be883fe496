import MailModel
import Testing

@Suite struct ConnectionStepsTests {
    @Test(arguments: [nil, 120] as [Int64?]) func textAndBack(_ secured: Int64?) {
        let steps = ConnectionSteps(listener: "*.*.*.*:465*", connected: 173, secured: secured)
        #expect(ConnectionSteps(steps.text) == steps)
    }

    @Test(arguments: ["", "connected", "connected to x -1 ms before", "connected to x y ms before", "MAIL"])
    func otherTexts(_ text: String) { #expect(ConnectionSteps(text) == nil) }
}
