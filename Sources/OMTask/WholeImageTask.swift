public import OMJSON

/// A task whose program is told the place of an image, and reads and writes it by itself.
///
/// omtask knows nothing of what it does there, so nothing of it is all or nothing.
public protocol WholeImageTask: Sendable {
  /// The words that start its program, without those that every call has.
  var words: [String] { get }
  /// Bytes that one process of it may need; nil when nobody says.
  var memory: Int? { get }

  /// Lets the program do one image, again if that fails and the task allows it.
  ///
  /// - Parameter call: The image, and how to go about it.
  /// - Returns: What the program said, and how it ended.
  func run(_ call: WholeImageCall) -> WholeImageOutcome
}

/// One image for a program that does it by itself.
public struct WholeImageCall {
  /// What stops a program before its time.
  public enum Stop: Sendable {
    /// It is asked to end, and gets some seconds for that.
    case inOrder
    /// It is ended.
    case atOnce
  }

  /// The image: an absolute path.
  public var image: String
  /// The folder with all that the program may want to see: the plate's, or the image's.
  public var room: String
  /// An existing folder for files that only this call needs, in the same room.
  public var folder: String
  /// The worker that waits for it.
  public var worker: Int
  /// Tells whether and how the run is being stopped.
  public var stop: @Sendable () -> Stop?
  /// Called now and then while the program is at work.
  public var sign: () -> Void
  /// Why the image cannot be tried again after an attempt that failed; nil when it can.
  public var refusal: () -> Fault?

  /// Describes a call.
  public init(
    image: String, room: String, folder: String, worker: Int, stop: @escaping @Sendable () -> Stop?,
    sign: @escaping () -> Void, refusal: @escaping () -> Fault?
  ) {
    self.image = image
    self.room = room
    self.folder = folder
    self.worker = worker
    self.stop = stop
    self.sign = sign
    self.refusal = refusal
  }
}

/// How a program ended that did an image by itself.
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

  /// Makes an answer; without anything the image itself counts as changed.
  public init(updates: [JSONObject] = [], removals: [String] = []) {
    self.updates = updates
    self.removals = removals
  }
}
