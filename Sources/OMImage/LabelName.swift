package import OMJSON

/// The name of a label image, a derived image or a table, which becomes the name of a folder.
package enum LabelName {
  /// The name for the objects of a channel when the user gives none.
  ///
  /// Letters that a folder name cannot have become `_`.
  ///
  /// - Parameters:
  ///   - channel: The label of the channel in the image, if it has one.
  ///   - index: The number of the channel; nil for an image without a channel axis.
  /// - Returns: `<channel>_segmented`, `channel_0_segmented` or `segmented`.
  package static func standard(channel: String?, index: Int?) -> String {
    guard let index else { return "segmented" }
    let wanted = channel.map { folderName($0) } ?? ""
    return "\(wanted.isEmpty ? "channel_\(index)" : wanted)_segmented"
  }

  /// Checks the name that a user gave.
  ///
  /// - Parameters:
  ///   - name: The name.
  ///   - existing: The names that are taken already.
  ///   - kind: What it names, for messages.
  /// - Throws: `path` when the name would leave the folder or hide in it, `usage` when it cannot
  ///   be told from another name.
  package static func check(
    _ name: String, besides existing: [String], kind: String = "label"
  ) throws(Fault) {
    if let problem = problem(name) {
      throw Fault(
        .path, "", "the \(kind) name `\(printable(name))` \(problem)",
        hint: "use letters, digits, `_`, `-` and `.`")
    }
    let folded = name.lowercased()
    if let twin = existing.first(where: { $0 != name && $0.lowercased() == folded }) {
      throw Fault(
        .usage, "", "the \(kind) name `\(name)` and the existing `\(twin)` differ only in case",
        hint: "some disks cannot tell them apart; choose another name")
    }
  }

  /// Which rule a name breaks, or nil.
  private static func problem(_ name: String) -> String? {
    if name.isEmpty { return "is empty" }
    if name.contains("/") { return "has a `/`" }
    if name.hasPrefix(".") { return "begins with `.`" }
    if name.hasPrefix("__") { return "begins with `__`" }
    if ["zarr.json", "labels", "tables"].contains(name.lowercased()) {
      return "is a reserved name"
    }
    if name.unicodeScalars.contains(where: isForbidden) {
      return "has a `\\`, `:` or control character"
    }
    // Nobody sees such a space, and some disks drop it.
    if name.hasPrefix(" ") || name.hasSuffix(" ") { return "begins or ends with a space" }
    if name.utf8.count > longest { return "has \(name.utf8.count) bytes, the limit is \(longest)" }
    return nil
  }

  /// The longest name of a file on common disks, in bytes.
  private static let longest = 255

  private static func isForbidden(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    // Controls, and marks that turn the direction of the text around them.
    case 0..<0x20, 0x7F..<0xA0, 0x2028...0x202E, 0x2066...0x2069: true
    default: scalar == "\\" || scalar == ":" || scalar == "/"
    }
  }

  /// The label of a channel as part of a folder name.
  private static func folderName(_ label: String) -> String {
    var scalars = String.UnicodeScalarView()
    for scalar in label.unicodeScalars { scalars.append(isForbidden(scalar) ? "_" : scalar) }
    let trimmed = String(scalars).drop { $0 == "." || $0 == "_" || $0 == " " }
    return String(trimmed.prefix(60))
  }

  private static func printable(_ name: String) -> String {
    name.unicodeScalars.map { $0.escaped(asASCII: false) }.joined()
  }
}
