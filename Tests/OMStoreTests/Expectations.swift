import OMJSON
import Testing

/// Expects a fault of this kind whose message contains `text`.
func expectFault<Value>(
  _ kind: FaultKind, _ subject: String, _ text: String,
  at place: SourceLocation = #_sourceLocation, _ body: () throws(Fault) -> Value
) {
  do {
    let value = try body()
    Issue.record("no fault, but \(value)", sourceLocation: place)
  } catch {
    #expect(error.kind == kind, sourceLocation: place)
    #expect(error.subject == subject, sourceLocation: place)
    #expect(error.message.contains(text), "\(error.message)", sourceLocation: place)
  }
}
