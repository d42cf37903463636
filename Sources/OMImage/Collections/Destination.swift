/// Where a path of a document leads.
package enum Destination: Equatable {
  /// To a key below the root.
  case inside(String)
  /// Out of the root.
  case outside
  /// To another machine.
  case remote

  /// Follows a path from a folder of the store.
  package init(_ path: String, from folder: String) {
    if let scheme = path.firstRange(of: "://") {
      self = path[..<scheme.lowerBound] == "file" ? .outside : .remote
      return
    }
    if path.hasPrefix("/") || path.contains("\\")
      || path.unicodeScalars.contains(where: { $0.value < 0x20 })
    {
      self = .outside
      return
    }
    var parts = folder.split(separator: "/").map(String.init)
    for part in path.split(separator: "/") where part != "." {
      if part != ".." {
        parts.append(String(part))
      } else if parts.popLast() == nil {
        self = .outside
        return
      }
    }
    self = .inside(parts.joined(separator: "/"))
  }
}
