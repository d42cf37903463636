import Glibc
import OMGrid
import OMJSON

/// A child that computes regions one after the other.
///
/// One thread uses it at a time.
final class RegionChild {
  /// How a child is started.
  struct Start: Sendable {
    /// The path of the program and its arguments.
    var words: [String]
    /// Its variables.
    var variables: ChildVariables
    /// What it is called in messages.
    var name: String
    /// Seconds of silence after which it is given up.
    var patience: Double
    /// The folder for its log if it fails.
    var logFolder: String
    /// The first line it is told.
    var hello: JSON
    /// Bytes of a line that it may answer with.
    var longestLine = Conversation.usualLine
  }

  /// The number of its process.
  var number: Int32 { talk.child.number }
  private let start: Start
  private let talk: Conversation
  private let input: MemoryFile
  private let output: MemoryFile
  private var isGreeted = false
  private var image: RegionImage?
  private var regions = 0

  /// Starts a child.
  ///
  /// - Throws: A fault of kind `manifest` when the program cannot be started.
  init(_ start: Start) throws(Fault) {
    self.start = start
    input = try MemoryFile("omtask-input")
    output = try MemoryFile("omtask-output")
    let child = try ChildProcess(
      start.words, start.variables.words, files: [input.descriptor, output.descriptor])
    talk = Conversation(
      child, name: start.name, patience: start.patience, longestLine: start.longestLine)
  }

  /// An image with the line that children are told about it.
  typealias Image = (line: JSON, identity: RegionImage)

  /// Lets it compute one region.
  ///
  /// - Parameters:
  ///   - request: The region; its number is given here.
  ///   - type: The type of the voxels to make.
  ///   - image: The image that it lies in, of which the child is told once.
  ///   - voxels: The voxels to give.
  ///   - room: Room for the voxels to make.
  ///   - sign: Called when the child says that it moves on.
  /// - Throws: A fault of kind `program` or `stalled` that says what the child did instead, and where
  ///   its log is. The child is of no use then.
  func compute(
    _ request: RegionProtocol.Request, of type: DataType, in image: Image,
    _ voxels: UnsafeRawPointer, into room: UnsafeMutableRawPointer, sign: () -> Void
  ) throws(Fault) {
    do throws(Fault) {
      let count = bytes(request.outputShape, type)
      try output.makeRoom(count: count)
      let answer = try ask(request, in: image, voxels, sign: sign)
      try request.check(answer, of: type, start.name)
      let made = output.currentSize()
      if made != count {
        throw Fault(
          .program, "", "`\(start.name)` made \(made) bytes of voxels, asked for were \(count)")
      }
      try output.read(into: room, count: count)
    } catch {
      throw withLog(error)
    }
  }

  /// Lets it look at one region.
  ///
  /// - Parameters:
  ///   - request: The region; its number is given here.
  ///   - image: The image that it lies in.
  ///   - voxels: The voxels to give.
  ///   - sign: Called when the child says that it moves on.
  ///   - read: Reads the answer.
  /// - Returns: What was read.
  /// - Throws: As `compute`, and what reading throws.
  func find<Found>(
    _ request: RegionProtocol.Request, in image: Image, _ voxels: UnsafeRawPointer,
    sign: () -> Void, _ read: (JSON) throws(Fault) -> Found
  ) throws(Fault) -> Found {
    do throws(Fault) {
      return try read(try ask(request, in: image, voxels, sign: sign))
    } catch {
      throw withLog(error)
    }
  }

  /// Hands it a region and waits for the answer.
  private func ask(
    _ request: RegionProtocol.Request, in image: Image, _ voxels: UnsafeRawPointer, sign: () -> Void
  ) throws(Fault) -> JSON {
    try greet(sign)
    var request = request
    regions += 1
    request.number = regions
    try input.fill(voxels, count: bytes(request.inputShape, request.inputType))
    let news = self.image === image.identity ? [] : [image.line]
    let answer = try talk.ask(news + [request.line], sign: sign, request.isAnswered)
    self.image = image.identity
    return answer
  }

  /// Tells it that there is nothing more to do.
  func dismiss() { talk.child.closeInput() }

  /// Lets it end by itself, and sees to it that it does.
  func finish() { talk.finish() }

  private func greet(_ sign: () -> Void) throws(Fault) {
    if isGreeted { return }
    _ = try talk.ask([start.hello], sign: sign, RegionProtocol.answersHello)
    isGreeted = true
  }

  private func bytes(_ shape: [Int], _ type: DataType) -> Int {
    shape.reduce(type.byteCount, *)
  }

  /// The fault with what the child printed last, and where the rest is.
  private func withLog(_ fault: Fault) -> Fault {
    var fault = fault
    talk.child.kill()
    let last = talk.log.lastLines(3)
    if !last.isEmpty { fault.facts.append("it printed: \(last.joined(separator: " | "))") }
    if let path = talk.log.keep(in: start.logFolder, name: start.name) {
      fault.facts.append("its log is \(path)")
    }
    return fault
  }
}

/// An image, or a channel of one, as children are told of it; nothing but itself is the same.
final class RegionImage: Sendable {}
