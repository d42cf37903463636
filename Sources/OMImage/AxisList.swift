import OMJSON

/// What a version demands of axes.
enum AxisRules {
  /// 0.1 to 0.3: two to five; their order is a wish.
  case letters
  /// 0.4 and 0.5: two or three of space among two to five, in order.
  case typed
  /// 0.6: the same, or two and more of type `array` instead of those of space.
  case typedOrArray
  /// RFC-3, from 0.9 on: any number, names, types and order.
  case free
}

/// The names and types of axes in their order.
struct AxisList {
  let names: [String]
  let kinds: [Axis.Kind]
  private let rules: AxisRules
  private let isArray: [Bool]

  init(_ axes: [(name: String, type: String?)], _ rules: AxisRules) {
    self.rules = rules
    names = axes.map(\.name)
    kinds = axes.map { Self.kind($0.name, $0.type) }
    isArray = axes.map { $0.type == "array" && (rules == .typedOrArray || rules == .free) }
  }

  /// What an axis runs along: its type, or its name where the type is left out.
  private static func kind(_ name: String, _ type: String?) -> Axis.Kind {
    switch type ?? (["z", "y", "x"].contains(name) ? "space" : name == "t" ? "time" : "channel") {
    case "space": .space
    case "time": .time
    default: .channel
    }
  }

  // MARK: - Rules

  /// Checks what the version demands.
  ///
  /// - Parameters:
  ///   - isConverted: Whether axes that can be put in order may stand in another.
  ///   - subject: The document.
  /// - Throws: `metadata` with the axes.
  func check(isConverted: Bool, _ subject: String) throws(Fault) {
    let listed = names.joined(separator: ", ")
    if names.isEmpty { throw Fault(.metadata, subject, "there are no axes") }
    if Set(names).count != names.count {
      throw Fault(.metadata, subject, "an axis name stands twice in \(listed)")
    }
    if rules == .free { return }
    if !(2...5).contains(names.count) {
      throw Fault(.metadata, subject, "there are \(names.count) axes (\(listed)), expected 2 to 5")
    }
    if rules == .letters { return }
    let isSpatial = (2...3).contains(count(.space)) != (arrays >= 2)
    if !isSpatial || count(.time) > 1 || count(.channel) - arrays > 1
      || !(kindsInOrder || isConverted && isNamed)
    {
      throw Fault(
        .metadata, subject,
        "the axes are \(text), expected at most one of time, at most one of channel, "
          + "then two or three of space")
    }
  }

  private func count(_ kind: Axis.Kind) -> Int { kinds.count { $0 == kind } }

  private var arrays: Int { isArray.count { $0 } }

  /// Whether time comes first, then channels, then space or what stands for it.
  private var kindsInOrder: Bool {
    let places = zip(kinds, isArray).map { kind, isArray in
      isArray ? 2 : kind == .time ? 0 : kind == .channel ? 1 : 2
    }
    return places == places.sorted()
  }

  /// Whether all axes of space are named z, y and x.
  private var isNamed: Bool {
    zip(names, kinds).allSatisfy { $1 != .space || ["z", "y", "x"].contains($0) }
  }

  private var text: String {
    zip(zip(names, kinds), isArray).map { axis, isArray in
      "\(axis.0) (\(isArray ? "array" : axis.1.rawValue))"
    }.joined(separator: ", ")
  }

  // MARK: - Uses

  /// The letters of the axes.
  ///
  /// - Throws: `unsupported` for axes that cannot be used that way.
  func letters(for use: AxisUse, _ subject: String) throws(Fault) -> [String] {
    switch use {
    case .inOrder where isOrdered: return lettersByPlace
    case .inAnyOrder where isNamed ? isSortable : isOrdered:
      return isNamed ? lettersByName : lettersByPlace
    case .any: return isOrdered ? lettersByPlace : isSortable ? lettersByName : names
    case .inOrder, .inAnyOrder:
      throw Fault(
        .unsupported, subject,
        "the axes are \(text), tasks take at most one of time, at most one of channel, then two or "
          + "three of space in the order z, y, x",
        hint: use == .inOrder && isSortable
          ? "`omtask run convert` makes a copy with its axes in this order" : nil)
    }
  }

  /// Whether there are as many axes of each kind as tasks know.
  private var isCountable: Bool {
    count(.time) <= 1 && count(.channel) <= 1 && (2...3).contains(count(.space)) && arrays == 0
  }

  /// Whether tasks can use the axes.
  private var isOrdered: Bool {
    let spatial = names.filter { ["z", "y", "x"].contains($0) }
    return isCountable && kindsInOrder && spatial == ["z", "y", "x"].filter(spatial.contains)
  }

  /// Whether they can be put into the order of tasks.
  private var isSortable: Bool {
    isCountable && isNamed && (count(.space) == 3 || !names.contains("z"))
  }

  private var lettersByPlace: [String] {
    kinds.enumerated().map { place, kind in
      kind == .space ? ["x", "y", "z"][kinds.count - 1 - place] : Self.letter(kind)
    }
  }

  private var lettersByName: [String] {
    zip(names, kinds).map { $1 == .space ? $0 : Self.letter($1) }
  }

  private static func letter(_ kind: Axis.Kind) -> String { kind == .time ? "t" : "c" }
}
