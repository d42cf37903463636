import CSys
import Glibc
import OMExternal

/// Programs of the system that are asked something: found on the `PATH`, and never waited for long.
struct AskedProgram: Sendable {
  /// What a program said.
  struct Answer: Sendable, Equatable {
    /// What it printed.
    var text: String
    /// Whether it ended with 0 in time.
    var isGood: Bool
    /// Whether it did not end in time.
    var isLate = false

    /// The first line with anything in it.
    var firstLine: String {
      text.split(whereSeparator: \.isNewline).map(String.init).first ?? ""
    }
  }

  /// Where it lies.
  let path: String

  /// The most bytes that are read of an answer.
  private static let room = 1 << 16

  /// Finds a program.
  ///
  /// - Parameters:
  ///   - name: Its name.
  ///   - environment: What `PATH` says.
  init?(_ name: String, _ environment: Environment) {
    let folders = environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
    let path = folders.split(separator: ":").lazy.map { "\($0)/\(name)" }.first {
      var status = stat()
      return access($0, X_OK) == 0 && stat($0, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }
    guard let path else { return nil }
    self.path = path
  }

  /// Asks it.
  ///
  /// - Parameters:
  ///   - words: Its arguments; no shell reads them.
  ///   - environment: Its variables.
  ///   - seconds: How long it may take; it is killed then.
  ///   - messages: Whether its messages belong to the answer.
  /// - Returns: Its answer.
  func answer(
    to words: [String], _ environment: Environment, within seconds: Double, messages: Bool = true
  ) -> Answer {
    var ends: [Int32] = [-1, -1]
    guard om_pipe(&ends) == 0 else { return Answer(text: systemMessage(errno), isGood: false) }
    defer { close(ends[0]) }
    let nothing = open("/dev/null", O_RDWR | O_CLOEXEC)
    // Above the numbers that they have in the child.
    let files = [nothing, ends[1], messages ? ends[1] : nothing].map {
      fcntl($0, F_DUPFD_CLOEXEC, 64)
    }
    close(nothing)
    close(ends[1])
    let number = withWords([path] + words) { argv in
      withWords(environment.all.map { "\($0)=\($1)" }) { om_spawn(path, argv, $0, files, 3) }
    }
    let failure = errno
    for file in files { close(file) }
    if number < 0 { return Answer(text: systemMessage(failure), isGood: false) }
    let end = ContinuousClock.now + .seconds(seconds)
    var bytes: [UInt8] = []
    let isLate = !Self.read(ends[0], &bytes, until: end)
    var status: Int32 = -1
    // What it printed has an end, so it is about to end itself.
    while !isLate && om_has_ended(number, &status) == 0 && ContinuousClock.now < end {
      usleep(1_000)
    }
    kill(-number, SIGKILL)
    kill(number, SIGKILL)
    var ignored: Int32 = 0
    while waitpid(number, &ignored, 0) < 0 && errno == EINTR {}
    return Answer(
      text: String(decoding: bytes, as: UTF8.self), isGood: !isLate && status == 0, isLate: isLate)
  }

  /// Reads to the end; false when the time is over.
  private static func read(
    _ descriptor: Int32, _ bytes: inout [UInt8], until end: ContinuousClock.Instant
  ) -> Bool {
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let left = (end - .now) / .milliseconds(1)
      if left <= 0 { return false }
      var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      if poll(&entry, 1, Int32(min(left, 60_000).rounded(.up))) <= 0 { continue }
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      if count == 0 { return true }
      if count < 0 && errno != EINTR { return true }
      if count > 0 && bytes.count < room { bytes += buffer[..<count] }
    }
  }
}
