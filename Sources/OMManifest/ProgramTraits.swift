public import OMJSON

/// How a task that is not built in is started, and what it wants to be given.
public struct ProgramTraits: Sendable, Equatable {
  /// How much of a volume the program must see at once.
  public enum Reach: String, Sendable, CaseIterable {
    /// Any box, with a halo.
    case any
    /// Whole planes, one at a time.
    case plane = "whole-plane"
    /// The whole volume.
    case volume = "whole-volume"
  }

  /// How the labels of neighbouring regions become one label image.
  public enum Stitch: String, Sendable, CaseIterable {
    /// Every object ends where its region ends.
    case none
    /// Objects that share a face across the border of two regions are one.
    case touch
    /// Objects that two regions found in the same voxels of their halos are one.
    case overlap
  }

  /// Where the interpreter comes from.
  public enum Home: String, Sendable, CaseIterable {
    case venv, conda, pixi, apptainer
  }

  /// The program and its arguments.
  public let command: [String]
  /// The environment that the command is looked up in, and where it is; nil takes `PATH`.
  public let environment: (home: Home, path: String)?
  /// How much of a volume it must see at once.
  public let reach: Reach
  /// How far it looks beyond the voxels it computes, along z, y and x.
  public let halo: [String: HaloSize]
  /// How labels of neighbouring regions become one label image.
  public let stitch: Stitch
  /// Bytes of memory that it needs for each voxel it is given.
  public let memoryPerVoxel: Int

  /// The keys of the block that only such tasks have.
  public static let keys = [
    "command", "environment", "region", "halo", "stitch", "memory_per_voxel",
  ]

  /// What `environment` looks like.
  static let environmentExample =
    "one of \(Home.allCases.map(\.rawValue).joined(separator: ", ")) with its path, such as "
    + "{\"venv\": \".venv\"}"
  /// Bytes that a program may need for each voxel.
  static let memoryRange = 0...1 << 20

  /// The axes that a halo can have.
  static let haloAxes = ["z", "y", "x"]

  /// Whether two tasks are started the same way.
  public static func == (one: Self, other: Self) -> Bool {
    one.command == other.command && one.environment?.home == other.environment?.home
      && one.environment?.path == other.environment?.path && one.reach == other.reach
      && one.halo == other.halo && one.stitch == other.stitch
      && one.memoryPerVoxel == other.memoryPerVoxel
  }
}

/// A width in voxels: a number, a parameter, or a multiple of one.
public struct HaloSize: Sendable, Equatable {
  /// The parameter; nil for a plain number.
  public let parameter: String?
  /// What it is multiplied with; without a parameter the width itself.
  public let factor: Double

  /// The widest halo in voxels.
  private static let largest = 1 << 20

  /// Reads `16`, `"radius"` or `"4*sigma"`.
  public init?(_ json: JSON) {
    if let number = json.intValue, 0...Self.largest ~= number {
      (parameter, factor) = (nil, Double(number))
      return
    }
    let parts = (json.stringValue ?? "").split(separator: "*", omittingEmptySubsequences: false)
    let name = parts.last.map(String.init) ?? ""
    let factor = parts.count == 2 ? Double(parts[0]) : parts.count == 1 ? 1 : nil
    let letters = Set("abcdefghijklmnopqrstuvwxyz0123456789_")
    guard let factor, factor >= 0, factor.isFinite, !name.isEmpty, name.allSatisfy(letters.contains)
    else { return nil }
    (parameter, self.factor) = (name, factor)
  }

  /// The width for the values of a call; fractions of a voxel count as one.
  ///
  /// - Throws: A fault of kind `usage` when the parameter is negative or has no value.
  public func voxels(_ parameters: Parameters) throws(Fault) -> Int {
    guard let parameter else { return Int(factor) }
    guard let number = parameters.values[parameter]?.doubleValue, number >= 0 else {
      throw Fault(
        .usage, "", "`\(parameter)` has no value of 0 or more, the halo is made from it",
        hint: "give `--\(parameter.replacing("_", with: "-"))`")
    }
    let width = (factor * number).rounded(.up)
    if width > Double(Self.largest) {
      throw Fault(.usage, "", "`\(parameter)` is \(number), which makes a halo of \(width) voxels")
    }
    return Int(width)
  }
}

extension ProgramTraits {
  /// Reads what the block says of a program.
  ///
  /// - Throws: A fault that names the member.
  init(_ block: JSONObject, subject: String) throws(Fault) {
    command = try block.required("command", .strings, in: subject)
    if command.first?.isEmpty ?? true {
      throw Fault(.manifest, subject, "`command` names no program")
    }
    environment = try programEnvironment(block, subject)
    reach = try Self.choice("region", block, subject) ?? .any
    stitch = try Self.choice("stitch", block, subject) ?? .none
    memoryPerVoxel = try block.optional("memory_per_voxel", .integer, in: subject) ?? 0
    var halo: [String: HaloSize] = [:]
    for (axis, value) in try block.optional("halo", .object, in: subject)?.members ?? [] {
      guard Self.haloAxes.contains(axis), let size = HaloSize(value) else {
        throw Fault(
          .manifest, subject, "`halo` has \"\(axis)\": \(value.text())",
          hint: "along z, y and x: a number of voxels, `\"radius\"` or `\"4*sigma\"`")
      }
      halo[axis] = size
    }
    self.halo = halo
    if reach != .any && (!halo.isEmpty || stitch != .none) {
      throw Fault(
        .manifest, subject, "`region` is \"\(reach.rawValue)\", with `halo` or `stitch`",
        hint: "leave them out: nothing lies beyond the border of such a region")
    }
    if stitch == .overlap && !["y", "x"].allSatisfy(halo.keys.contains) {
      throw Fault(
        .manifest, subject, "`stitch` is \"overlap\", without a `halo` along y and x",
        hint: "objects are compared in the halo: make it about as wide as they are")
    }
    if !(Self.memoryRange ~= memoryPerVoxel) {
      throw Fault(
        .manifest, subject, "`memory_per_voxel` is \(memoryPerVoxel), it is 0 to 1048576")
    }
  }

  private static func choice<Choice>(
    _ key: String, _ block: JSONObject, _ subject: String
  ) throws(Fault) -> Choice? where Choice: CaseIterable & RawRepresentable<String> {
    guard let text = try block.optional(key, .string, in: subject) else { return nil }
    if let choice = Choice(rawValue: text) { return choice }
    let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
    throw Fault(.manifest, subject, "`\(key)` is \"\(text)\", known are \(known)")
  }
}

/// Reads where the interpreter of a program comes from.
func programEnvironment(
  _ block: JSONObject, _ subject: String
) throws(Fault) -> (home: ProgramTraits.Home, path: String)? {
  guard let object = try block.optional("environment", .object, in: subject) else { return nil }
  guard let name = object.keys.first, object.keys.count == 1,
    let home = ProgramTraits.Home(rawValue: name), let path = object[name]?.stringValue,
    !path.isEmpty
  else {
    throw Fault(
      .manifest, subject, "`environment` is \(JSON.object(object).text())",
      hint: ProgramTraits.environmentExample)
  }
  return (home, path)
}
