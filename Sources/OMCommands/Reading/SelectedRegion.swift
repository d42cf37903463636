import OMGrid
import OMJSON
import OMManifest
import OMRun

/// Cuts an array to the selected part of its axes.
///
/// - Parameters:
///   - selection: The ranges by axis name.
///   - axes: The names of the array's axes.
///   - shape: The shape of the array.
/// - Returns: The selected box; axes that are not named are whole.
/// - Throws: A fault of kind `usage` for an axis that is not there or an index beyond its end.
func selectedRegion(
  _ selection: [String: SelectionRange], axes: [String], shape: [Int]
) throws(Fault) -> Region {
  if let stray = selection.keys.sorted().first(where: { !axes.contains($0) }) {
    let nearest = nearestName(stray, in: axes).map { ", did you mean `\($0)`?" } ?? ""
    throw Fault(
      .usage, "", "`--select` names the axis `\(stray)`",
      hint: "the axes are \(axes.joined(separator: ", "))\(nearest)")
  }
  var region = Region(wholeOf: shape)
  for (axis, name) in axes.enumerated() {
    guard let range = selection[name] else { continue }
    let end = range.upper ?? shape[axis]
    if range.lower >= shape[axis] || end > shape[axis] {
      throw Fault(
        .usage, "",
        "`--select` asks for \(name)=\(range.lower):\(end), the axis has \(shape[axis]) indices")
    }
    region.origin[axis] = range.lower
    region.shape[axis] = end - range.lower
  }
  return region
}
