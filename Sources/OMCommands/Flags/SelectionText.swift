import OMJSON
import OMRun

/// Reads the texts of `--select`: `t=0:10,z=3`.
///
/// A range is half-open and may leave out either end; a single number is one index.
///
/// - Throws: A fault of kind `usage` that shows the part that is wrong.
func parseSelection(_ texts: [String]) throws(Fault) -> [String: SelectionRange] {
  var selection: [String: SelectionRange] = [:]
  for part in texts.flatMap({ $0.split(separator: ",", omittingEmptySubsequences: false) }) {
    let halves = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard halves.count == 2, !halves[0].isEmpty else {
      throw refused(part, "is not `axis=range`")
    }
    let axis = String(halves[0])
    if selection[axis] != nil { throw refused(part, "selects `\(axis)` a second time") }
    selection[axis] = try range(halves[1], in: part)
  }
  return selection
}

/// One index or a half-open range.
private func range(_ text: Substring, in part: Substring) throws(Fault) -> SelectionRange {
  let ends = text.split(separator: ":", omittingEmptySubsequences: false)
  if ends.count == 1, let index = index(ends[0]) {
    return SelectionRange(lower: index, upper: index + 1)
  }
  guard ends.count == 2, let lower = ends[0].isEmpty ? 0 : index(ends[0]) else {
    throw refused(part, "is no range of indices")
  }
  if ends[1].isEmpty { return SelectionRange(lower: lower, upper: nil) }
  guard let upper = index(ends[1]) else { throw refused(part, "is no range of indices") }
  if upper <= lower { throw refused(part, "selects nothing: \(upper) is not above \(lower)") }
  return SelectionRange(lower: lower, upper: upper)
}

/// An index of an axis: digits only, and small enough to count with.
private func index(_ digits: Substring) -> Int? {
  guard !digits.isEmpty, digits.allSatisfy({ $0.isASCII && $0.isNumber }), let value = Int(digits),
    value < 1 << 40
  else { return nil }
  return value
}

private func refused(_ part: Substring, _ what: String) -> Fault {
  Fault(
    .usage, "", "`--select \(part)` \(what)",
    hint: part.hasPrefix("c=")
      ? "channels are selected by index here; by name with the task's `--channel`"
      : "for example `--select t=0:10,z=3`; ranges begin at 0 and leave out their end")
}
