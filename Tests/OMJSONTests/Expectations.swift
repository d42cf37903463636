import OMJSON
import Testing

/// Reads a document named `zarr.json`.
func parse(_ text: String) throws(Fault) -> JSON {
  try JSON(parsing: Array(text.utf8), subject: "zarr.json")
}

/// Expects a fault about `zarr.json` of this kind with this message.
func expectFault<Value>(
  _ kind: FaultKind, _ message: String, at place: SourceLocation = #_sourceLocation,
  _ body: () throws(Fault) -> Value
) {
  do {
    let value = try body()
    Issue.record("no fault, but \(value)", sourceLocation: place)
  } catch {
    #expect(error.kind == kind, sourceLocation: place)
    #expect(error.message == message, sourceLocation: place)
    #expect(error.subject == "zarr.json", sourceLocation: place)
  }
}
