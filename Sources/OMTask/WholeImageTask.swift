public import OMJSON
public import OMManifest

/// A task whose programs are told the places of images, and read and write them by themselves.
///
/// omtask knows nothing of what they do there, so nothing of it is all or nothing.
public protocol WholeImageTask: Sendable {
  /// The words that start the program of a part, without those that every call has.
  func words(_ part: TaskPart) -> [String]
  /// Bytes that one process of a part may need; nil when nobody says.
  func memory(_ part: TaskPart) -> Int?

  /// Lets a program do its work, again if that fails and the task allows it.
  ///
  /// - Parameter call: What it is told, and how to go about it.
  /// - Returns: What the program said, and how it ended.
  func run(_ call: WholeImageCall) -> WholeImageOutcome
}

/// One start of a program that reads and writes images by itself.
public struct WholeImageCall {
  /// What stops a program before its time.
  public enum Stop: Sendable {
    /// It is asked to end, and gets some seconds for that.
    case inOrder
    /// It is ended.
    case atOnce
  }

  /// Which program of the task.
  public var part: TaskPart
  /// What it is told besides the task's parameters: the image, all images, an item of a list.
  public var reserved: JSONObject
  /// Whether it answers with a list of items for the other program.
  public var wantsList = false
  /// The folders with all that the program may want to see: the plate's, or the image's.
  public var rooms: [String]
  /// An existing folder for files that only this call needs.
  public var folder: String
  /// The worker that waits for it.
  public var worker: Int
  /// Tells whether and how the run is being stopped.
  public var stop: @Sendable () -> Stop?
  /// Called now and then while the program is at work.
  public var sign: () -> Void
  /// Why it cannot be tried again after an attempt that failed; nil when it can.
  public var refusal: () -> Fault?

  /// Describes a call.
  public init(
    _ part: TaskPart, _ reserved: JSONObject, rooms: [String], folder: String, worker: Int,
    stop: @escaping @Sendable () -> Stop?, sign: @escaping () -> Void,
    refusal: @escaping () -> Fault?
  ) {
    self.part = part
    self.reserved = reserved
    self.rooms = rooms
    self.folder = folder
    self.worker = worker
    self.stop = stop
    self.sign = sign
    self.refusal = refusal
  }
}

/// How a program ended that read and wrote images by itself.
public struct WholeImageOutcome: Sendable {
  /// What it said of the images that it made or changed, or why it failed.
  public var answer: Result<WholeImageAnswer, Fault>
  /// What it printed: the beginning and the end.
  public var log: [UInt8]
  /// How often it was started.
  public var attempts: Int
  /// Whether it was ended because the run is being stopped.
  public var wasStopped = false

  /// Describes an end.
  public init(answer: Result<WholeImageAnswer, Fault>, log: [UInt8], attempts: Int) {
    self.answer = answer
    self.log = log
    self.attempts = attempts
  }
}

/// What a program said of images, in the form of Fractal's out-json.
public struct WholeImageAnswer: Sendable, Equatable {
  /// The images that it made or changed: objects with a `zarr_url`.
  public var updates: [JSONObject]
  /// The addresses of images that are no more.
  public var removals: [String]
  /// What the other program of the task is started for, once for each.
  public var items: [WorkItem] = []

  /// Makes an answer; without anything the image itself counts as changed.
  public init(updates: [JSONObject] = [], removals: [String] = []) {
    self.updates = updates
    self.removals = removals
  }
}

/// One item of the list that the first program of a task makes for the second.
public struct WorkItem: Sendable, Equatable {
  /// The image it is about, which may not be there yet.
  public let url: String
  /// What the first program tells the second.
  public let arguments: JSONObject

  /// Describes an item.
  public init(url: String, arguments: JSONObject) {
    self.url = url
    self.arguments = arguments
  }

  /// The item as Fractal writes it, and as the second program is told it.
  public var document: JSONObject {
    ["zarr_url": .string(url), "init_args": .object(arguments)]
  }
}
