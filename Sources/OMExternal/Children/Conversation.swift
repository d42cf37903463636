import Glibc
import OMJSON

/// A child that is told something in lines of JSON, and answers in such lines.
final class Conversation {
  /// The child.
  let child: ChildProcess
  /// What it printed for people.
  private(set) var log = ChildLog()
  private let name: String
  private let patience: Double
  /// Bytes of a line that answers, where nothing else is said.
  static let usualLine = 1 << 20

  /// A longer answer is no answer.
  private let longestLine: Int
  private var unread: [UInt8] = []
  /// The bytes of `unread` that hold no end of a line.
  private var searched = 0
  private var outputIsOpen = true
  private var messagesAreOpen = true

  /// Begins to talk with a child.
  ///
  /// - Parameters:
  ///   - child: The child.
  ///   - name: What it is called in messages.
  ///   - patience: Seconds of silence after which it is given up; 0 waits for ever.
  ///   - longestLine: Bytes of a line that it may answer with.
  init(_ child: ChildProcess, name: String, patience: Double, longestLine: Int = usualLine) {
    self.longestLine = longestLine
    self.child = child
    self.name = name
    self.patience = patience
  }

  /// Tells the child something.
  ///
  /// - Parameters:
  ///   - messages: What is told, a line each.
  ///   - sign: Called when the child says that it moves on.
  ///   - isAnswer: Whether a line is the answer that is waited for.
  /// - Returns: The answer.
  /// - Throws: A fault of kind `program` when the child ends, answers something else or reports an
  ///   error; `stalled` when it is silent for too long.
  func ask(
    _ messages: [JSON], sign: () -> Void, _ isAnswer: (JSON) -> Bool
  ) throws(Fault) -> JSON {
    var unsent = messages.flatMap { $0.bytes() + [UInt8(ascii: "\n")] }[...]
    var lastMove = SuspendingClock.now
    var isQuiet = false
    while true {
      while let line = nextLine() {
        let answer = try read(line)
        if answer["alive"] == true {
          sign()
          lastMove = .now
        } else if let text = answer["error"]?.stringValue {
          throw Fault(.program, "", "`\(name)` says: \(text)")
        } else if unsent.isEmpty, isAnswer(answer) {
          return answer
        } else {
          throw Fault(
            .program, "", "`\(name)` answered `\(excerpt(line))`, which is not what was asked for",
            hint: "the answers are described in docs/external-tasks.md")
        }
      }
      if !outputIsOpen || isQuiet && child.ending(within: 0) != nil { throw ended() }
      if unread.count > longestLine { throw tooLong() }
      let silence = (SuspendingClock.now - lastMove) / .seconds(1)
      if patience > 0, silence >= patience {
        throw Fault(
          .stalled, "", "`\(name)` gave no sign of life for \(Int(silence)) s",
          hint: "a region that takes longer says `{\"alive\": true}` now and then")
      }
      // What it started may hold its pipes open when it is gone itself.
      isQuiet = !exchange(&unsent, milliseconds: 250)
    }
  }

  /// Lets the child end by itself, for which it gets some seconds, and ends it.
  func finish() {
    child.closeInput()
    var nothing: ArraySlice<UInt8> = []
    let start = SuspendingClock.now
    while SuspendingClock.now - start < .seconds(5), child.ending(within: 0) == nil {
      _ = exchange(&nothing, milliseconds: 10)
    }
    child.kill()
  }

  // MARK: - Bytes

  /// Sends and receives what can be sent and received now.
  ///
  /// - Returns: Whether there was anything.
  private func exchange(_ unsent: inout ArraySlice<UInt8>, milliseconds: Int32) -> Bool {
    var entries = [
      pollfd(fd: outputIsOpen ? child.output : -1, events: Int16(POLLIN), revents: 0),
      pollfd(fd: messagesAreOpen ? child.messages : -1, events: Int16(POLLIN), revents: 0),
      pollfd(fd: unsent.isEmpty ? -1 : child.input, events: Int16(POLLOUT), revents: 0),
    ]
    if poll(&entries, 3, milliseconds) <= 0 { return false }
    // What it prints before it dies should be in the log when its end is seen.
    if entries[1].revents != 0 {
      messagesAreOpen = receive(child.messages) { log.add($0) }
    }
    if entries[0].revents != 0 {
      outputIsOpen = receive(child.output) { unread += $0 }
    }
    if entries[2].revents != 0 { send(&unsent) }
    return true
  }

  private func receive(_ descriptor: Int32, _ take: (ArraySlice<UInt8>) -> Void) -> Bool {
    var buffer = [UInt8](repeating: 0, count: 65536)
    let count = Glibc.read(descriptor, &buffer, buffer.count)
    if count > 0 { take(buffer[..<count]) }
    return count > 0 || count < 0 && (errno == EAGAIN || errno == EINTR)
  }

  private func send(_ unsent: inout ArraySlice<UInt8>) {
    let count = unsent.withUnsafeBytes { write(child.input, $0.baseAddress, $0.count) }
    if count > 0 {
      unsent = unsent.dropFirst(count)
    } else if errno == EPIPE {
      // It does not read any more; its end of the other pipe tells why.
      unsent = []
    }
  }

  // MARK: - Lines

  private func nextLine() -> ArraySlice<UInt8>? {
    guard let end = unread[searched...].firstIndex(of: UInt8(ascii: "\n")) else {
      searched = unread.count
      return nil
    }
    let line = unread[..<end]
    unread.removeFirst(end + 1)
    searched = 0
    return line
  }

  private func read(_ line: ArraySlice<UInt8>) throws(Fault) -> JSON {
    // Python writes NaN and Infinity as they are: whoever reads the answer says what is wrong with them.
    guard let answer = try? JSON(parsing: Array(line), subject: "", lenient: true),
      answer.objectValue != nil
    else { throw garbage(line) }
    return answer
  }

  private func garbage(_ line: ArraySlice<UInt8>) -> Fault {
    Fault(
      .program, "", "`\(name)` printed `\(excerpt(line))` where an answer was due",
      hint: "standard output is for answers only: print other things to standard error")
  }

  private func tooLong() -> Fault {
    if unread.first != UInt8(ascii: "{") { return garbage(unread[...]) }
    return Fault(
      .program, "",
      "`\(name)` answered with a line of more than \(longestLine >> 20) MiB, `\(excerpt(unread[...]))`",
      hint: "let it answer with fewer rows, or give it smaller regions")
  }

  private func excerpt(_ line: ArraySlice<UInt8>) -> String {
    let text = String(decoding: line.prefix(80), as: UTF8.self)
    let scalars = text.unicodeScalars.map { scalar in
      scalar.properties.generalCategory == .control ? Unicode.Scalar(UInt8(ascii: " ")) : scalar
    }
    return String(String.UnicodeScalarView(scalars)) + (line.count > 80 ? "…" : "")
  }

  private func ended() -> Fault {
    var nothing: ArraySlice<UInt8> = []
    for _ in 0..<20 where messagesAreOpen { _ = exchange(&nothing, milliseconds: 10) }
    let how = child.ending(within: 2)?.text ?? "closed its standard output"
    return Fault(.program, "", "`\(name)` \(how) before it answered")
  }
}
