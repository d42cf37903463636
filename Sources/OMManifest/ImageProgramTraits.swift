import OMJSON

/// How a program that works on whole images is started, and how often.
///
/// What it needs of the machine is said by Fractal's own key `meta_parallel`.
public struct ImageProgramTraits: Sendable, Equatable {
  /// The program and its arguments; nil takes `executable_parallel`.
  public let command: [String]?
  /// The environment that the command is looked up in, and where it is; nil takes `PATH`.
  public let environment: (home: ProgramTraits.Home, path: String)?
  /// How often an image that failed is tried again.
  public let retries: Int
  /// Seconds that one image may take; 0 is for ever.
  public let timeLimit: Int

  /// The keys of the block that only such tasks have, but for those of `ProgramTraits`.
  public static let keys = ["command", "environment", "retries", "time_limit"]

  /// The numbers that are allowed.
  static let retriesRange = 0...100
  static let timeRange = 0...31_536_000

  /// What counts for a task that says nothing of all this.
  static let none = ImageProgramTraits(
    command: nil, environment: nil, retries: 0, timeLimit: 0)

  private init(
    command: [String]?, environment: (home: ProgramTraits.Home, path: String)?, retries: Int,
    timeLimit: Int
  ) {
    self.command = command
    self.environment = environment
    self.retries = retries
    self.timeLimit = timeLimit
  }

  /// Reads what the block says of the program.
  ///
  /// - Throws: A fault that names the member.
  init(_ block: JSONObject, subject: String) throws(Fault) {
    command = try block.optional("command", .strings, in: subject)
    if let command, command.first?.isEmpty ?? true {
      throw Fault(.manifest, subject, "`command` names no program")
    }
    environment = try programEnvironment(block, subject)
    retries = try Self.number("retries", Self.retriesRange, block, subject)
    timeLimit = try Self.number("time_limit", Self.timeRange, block, subject)
  }

  private static func number(
    _ key: String, _ range: ClosedRange<Int>, _ block: JSONObject, _ subject: String
  ) throws(Fault) -> Int {
    let number = try block.optional(key, .integer, in: subject) ?? 0
    if range ~= number { return number }
    throw Fault(
      .manifest, subject,
      "`\(key)` is \(number), it is \(range.lowerBound) to \(range.upperBound)")
  }

  /// Whether two tasks are started the same way.
  public static func == (one: Self, other: Self) -> Bool {
    one.command == other.command && one.environment?.home == other.environment?.home
      && one.environment?.path == other.environment?.path && one.retries == other.retries
      && one.timeLimit == other.timeLimit
  }
}
