import CSys
import Glibc
import OMJSON

/// A program that was started by this process, in a process group of its own.
///
/// It is killed with its whole group when this value goes away, and by the kernel when this process
/// ends in any way. A value is used by one thread at a time.
final class ChildProcess {
  /// How a process ended.
  enum Ending: Equatable {
    case exit(Int32)
    case signal(Int32)

    /// The ending in words, to stand behind the name of the program.
    var text: String {
      switch self {
      case .exit(let code): "ended with exit code \(code)"
      case .signal(let number): "was ended by \(Ending.names[number] ?? "signal \(number)")"
      }
    }

    private static let names: [Int32: String] = [
      2: "INT", 4: "ILL", 6: "ABRT", 7: "BUS", 8: "FPE", 9: "KILL", 11: "SEGV", 13: "PIPE",
      14: "ALRM", 15: "TERM", 24: "XCPU", 25: "XFSZ", 31: "SYS",
    ]
  }

  /// The number of the process, which is also that of its group.
  let number: Int32
  /// What it reads from us.
  private(set) var input: Int32
  /// What it answers.
  let output: Int32
  /// What it prints for people.
  let messages: Int32
  private var isOver = false

  /// Starts a program.
  ///
  /// - Parameters:
  ///   - words: The path of the program and its arguments; no shell reads them.
  ///   - variables: Its variables.
  ///   - files: Descriptors that it gets as 3, 4, ….
  ///   - answers: Whether standard output is for answers; otherwise it is for people, too.
  /// - Throws: A fault of kind `manifest` when there is no such program, `io` when the system has no
  ///   room for it.
  init(
    _ words: [String], _ variables: [String], files: [Int32], answers: Bool = true
  ) throws(Fault) {
    let pipes = try Pipes()
    defer { pipes.closeFarEnds() }
    let output = answers ? pipes.output.far : pipes.messages.far
    let far = [pipes.input.far, output, pipes.messages.far] + files
    var high: [Int32] = []
    defer { for descriptor in high { close(descriptor) } }
    for descriptor in far {
      // Above the numbers that they will have in the child, so that none overwrites another.
      let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 64)
      if copy < 0 { throw Fault(.io, words[0], "cannot be started: \(reason(errno))") }
      high.append(copy)
    }
    number = withWords(words) { argv in
      withWords(variables) { environment in
        om_spawn(words[0], argv, environment, high, Int32(high.count))
      }
    }
    if number < 0 {
      let error = errno
      let isAbsent = [ENOENT, ENOTDIR, EACCES, ENOEXEC].contains(error)
      throw Fault(
        isAbsent ? .manifest : .io, words[0], "cannot be started: \(reason(error))",
        hint: error == ENOEXEC || error == EACCES
          ? "is it executable, and does it begin with `#!` and an interpreter?" : nil)
    }
    (input, self.output, messages) = pipes.takeNearEnds()
    for descriptor in [input, self.output, messages] {
      _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    }
  }

  deinit {
    kill()
    closeInput()
    close(output)
    close(messages)
  }

  /// Lets the child read the end of its input.
  func closeInput() {
    if input >= 0 { close(input) }
    input = -1
  }

  /// How it ended; nil when it has not.
  ///
  /// - Parameter seconds: How long to wait for that.
  /// - Returns: Its exit code or signal.
  func ending(within seconds: Double) -> Ending? {
    var status: Int32 = 0
    for _ in 0...Int(seconds * 100) {
      if isOver || om_has_ended(number, &status) != 0 {
        return status >= 0 ? .exit(status) : .signal(-status)
      }
      usleep(10_000)
    }
    return nil
  }

  /// Asks it and all that it started to end.
  func terminate() {
    if !isOver { _ = Glibc.kill(-number, SIGTERM) }
  }

  /// Ends it and all that it started, at once.
  func kill() {
    if isOver { return }
    isOver = true
    // It has not been waited for yet, so its number still means this group and no other.
    _ = Glibc.kill(-number, SIGKILL)
    _ = Glibc.kill(number, SIGKILL)
    var status: Int32 = 0
    while waitpid(number, &status, 0) < 0 && errno == EINTR {}
  }
}

/// The pipes between this process and a child.
private final class Pipes {
  struct Pipe {
    var near: Int32 = -1
    var far: Int32 = -1
  }

  private(set) var input = Pipe()
  private(set) var output = Pipe()
  private(set) var messages = Pipe()

  init() throws(Fault) {
    do throws(Fault) {
      input = try Self.make(readsHere: false)
      output = try Self.make(readsHere: true)
      messages = try Self.make(readsHere: true)
    } catch {
      closeFarEnds()
      throw error
    }
  }

  deinit { for pipe in [input, output, messages] where pipe.near >= 0 { close(pipe.near) } }

  private static func make(readsHere: Bool) throws(Fault) -> Pipe {
    var ends: [Int32] = [-1, -1]
    if om_pipe(&ends) != 0 {
      throw Fault(.io, "", "no pipe to another program can be made: \(reason(errno))")
    }
    return readsHere ? Pipe(near: ends[0], far: ends[1]) : Pipe(near: ends[1], far: ends[0])
  }

  func closeFarEnds() {
    for pipe in [input, output, messages] where pipe.far >= 0 { close(pipe.far) }
    (input.far, output.far, messages.far) = (-1, -1, -1)
  }

  func takeNearEnds() -> (Int32, Int32, Int32) {
    defer { (input.near, output.near, messages.near) = (-1, -1, -1) }
    return (input.near, output.near, messages.near)
  }
}

/// What the system says about an error.
func reason(_ number: Int32) -> String {
  let text = String(cString: strerror(number))
  return text.prefix(1).lowercased() + text.dropFirst()
}

/// Calls a function with texts as the kernel wants them.
package func withWords<Result>(
  _ words: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
  var pointers = words.map { strdup($0) } + [nil]
  defer { for pointer in pointers { free(pointer) } }
  return pointers.withUnsafeMutableBufferPointer { buffer in
    // Never empty: the last one is nil.
    body(UnsafePointer(buffer.baseAddress.unsafelyUnwrapped))
  }
}
