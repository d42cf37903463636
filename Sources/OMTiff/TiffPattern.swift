package import OMJSON
import OMStore

/// A path that names many files: `{t}`, `{c}` and `{z}` stand for numbers, `{c}` also for names.
package struct TiffPattern: Sendable {
  /// A part of the pattern.
  enum Part: Equatable, Sendable {
    case text(String)
    case axis(Character)
  }

  /// The folder in front of the first part with an axis.
  let folder: String
  /// The rest.
  let text: String
  /// The rest, folder by folder.
  let names: [[Part]]

  /// The axes, as they stand.
  var axes: [Character] {
    names.joined().compactMap { part in
      if case .axis(let axis) = part { axis } else { nil }
    }
  }

  /// Reads a path; nil when there is no `{…}` in it.
  ///
  /// - Throws: `usage` for a pattern that cannot be followed.
  package init?(_ path: String) throws(Fault) {
    guard path.contains("{"), path.contains("}") else { return nil }
    var parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    var front: [String] = []
    while let first = parts.first, !first.contains("{") { front.append(parts.removeFirst()) }
    let joined = front.joined(separator: "/")
    folder = front.isEmpty ? "." : joined.isEmpty ? "/" : joined
    text = parts.joined(separator: "/")
    names = try parts.map { (part) throws(Fault) in try Self.parts(of: part, in: path) }
    let axes = names.joined().compactMap { part -> Character? in
      if case .axis(let axis) = part { axis } else { nil }
    }
    if Set(axes).count != axes.count {
      throw Fault(.usage, path, "an axis stands twice in the pattern")
    }
    guard case .axis? = names.last?.first(where: { if case .axis = $0 { true } else { false } })
    else { throw Fault(.usage, path, "the name of the files has no `{t}`, `{c}` or `{z}`") }
  }

  private static func parts(of name: String, in path: String) throws(Fault) -> [Part] {
    var parts: [Part] = []
    var rest = name[...]
    while let start = rest.firstIndex(of: "{") {
      guard let end = rest[start...].firstIndex(of: "}") else {
        throw Fault(.usage, path, "a `{` without `}` in the pattern")
      }
      let axis = rest[rest.index(after: start)..<end]
      guard ["t", "c", "z"].contains(axis), let letter = axis.first else {
        throw Fault(
          .usage, path, "the pattern has `{\(axis)}`, known are `{t}`, `{c}` and `{z}`")
      }
      if start > rest.startIndex { parts.append(.text(String(rest[..<start]))) }
      if case .axis? = parts.last {
        throw Fault(.usage, path, "nothing stands between two axes of the pattern")
      }
      parts.append(.axis(letter))
      rest = rest[rest.index(after: end)...]
    }
    if !rest.isEmpty { parts.append(.text(String(rest))) }
    return parts
  }

  /// What the axes stand for in a name; nil when the name does not fit.
  static func match(_ name: String, _ parts: [Part]) -> [Character: String]? {
    match(name[...], parts[...], [:])
  }

  private static func match(
    _ name: Substring, _ parts: ArraySlice<Part>, _ found: [Character: String]
  ) -> [Character: String]? {
    guard let part = parts.first else { return name.isEmpty ? found : nil }
    let rest = parts.dropFirst()
    switch part {
    case .text(let text):
      return name.hasPrefix(text) ? match(name.dropFirst(text.count), rest, found) : nil
    case .axis(let axis):
      // Numbers are taken whole; the name of a channel ends where the rest fits first.
      let digits = name.prefix { $0.isASCII && $0.isNumber }
      if !digits.isEmpty, digits.count <= 18 {
        var all = found
        all[axis] = String(digits)
        if let whole = match(name[digits.endIndex...], rest, all) { return whole }
      }
      if axis != "c" { return nil }
      var end = name.startIndex
      while end < name.endIndex {
        end = name.index(after: end)
        var all = found
        all[axis] = String(name[..<end])
        if let whole = match(name[end...], rest, all) { return whole }
      }
      return nil
    }
  }
}
