import OMJSON

/// How Fractal runs a task: which programs are started, how often, and what they are told.
public enum TaskType: String, Sendable, CaseIterable {
  /// One program for each image.
  case parallel
  /// One program for all images together.
  case nonParallel = "non_parallel"
  /// One program for all images, which lists what is to be done, then one for each item of its list.
  case compound
  /// One program that makes images of something else.
  case converterNonParallel = "converter_non_parallel"
  /// One program that lists what is to be converted, then one for each item of its list.
  case converterCompound = "converter_compound"

  /// The programs, in the order in which they run.
  public var parts: [TaskPart] {
    switch self {
    case .parallel: [.each]
    case .nonParallel, .converterNonParallel: [.whole]
    case .compound, .converterCompound: [.whole, .each]
    }
  }

  /// Whether the call names images.
  public var takesImages: Bool { self != .converterNonParallel && self != .converterCompound }

  /// Whether a program is started once for the whole call, so that it has one place for new images.
  public var isWhole: Bool { parts.contains(.whole) }

  /// Whether the first program lists what the second is started for.
  public var hasList: Bool { parts.count > 1 }
}

/// One of the two programs that a task of Fractal may have, by the ending of its keys.
public enum TaskPart: String, Sendable, CaseIterable {
  /// The one that is started for each image, or for each item of a list.
  case each = "parallel"
  /// The one that is started once.
  case whole = "non_parallel"
}

extension Manifest {
  /// How Fractal runs the task; nil for a type that nobody knows.
  public var taskType: TaskType? { TaskType(rawValue: type) }

  /// Whether omtask can run it.
  public var isRunnable: Bool { taskType != nil }

  /// Whether one call of it is one piece of work with a place for new images (`zarr_dir`).
  public var isWhole: Bool { traits.contract == .image && taskType?.isWhole ?? false }

  /// Whether it is given images.
  public var takesImages: Bool { taskType?.takesImages ?? true }

  /// Whether a part is given a parameter: when its args schema declares it; a part without a schema is
  /// given all that the other part does not declare.
  public func hands(_ parameter: String, to part: TaskPart) -> Bool {
    if let own = declared(by: part) { return own.contains(parameter) }
    let others = TaskPart.allCases.filter { $0 != part && taskType?.parts.contains($0) == true }
    return !others.contains { declared(by: $0)?.contains(parameter) == true }
  }

  /// The parameters that the args schema of a part declares; nil without a schema.
  private func declared(by part: TaskPart) -> [String]? {
    guard let schema = document["args_schema_\(part.rawValue)"], schema != .null else { return nil }
    return schema["properties"]?.objectValue?.keys ?? []
  }

  /// The memory that one process of a part may need, as its `meta` asks Fractal for it, in bytes.
  public func processMemory(_ part: TaskPart) -> Int? {
    guard let value = document["meta_\(part.rawValue)"]?["mem"] else { return nil }
    if let number = value.intValue { return Self.bytes(number, 1_000_000) }
    guard let text = value.stringValue else { return nil }
    let units: [Character: Int] = ["M": 1_000_000, "G": 1_000_000_000, "T": 1_000_000_000_000]
    let unit = text.last.flatMap { units[$0] }
    return Int(unit == nil ? text[...] : text.dropLast()).flatMap {
      Self.bytes($0, unit ?? 1_000_000)
    }
  }

  /// Whether one process of a part needs a graphics card.
  public func needsGPU(_ part: TaskPart) -> Bool {
    let value = document["meta_\(part.rawValue)"]?["needs_gpu"]
    return value == true || value?.stringValue?.lowercased() == "true"
  }

  private static func bytes(_ number: Int, _ unit: Int) -> Int? {
    let (bytes, overflow) = number.multipliedReportingOverflow(by: unit)
    return number > 0 && !overflow ? bytes : nil
  }
}
