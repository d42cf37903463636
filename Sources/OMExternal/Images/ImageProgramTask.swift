import Glibc
import OMJSON
import OMManifest
import OMTask

/// Programs bound to their parameters that do images by themselves.
struct ImageProgramTask: WholeImageTask {
  /// One of the programs.
  struct Part: Sendable {
    let program: ProgramWords
    /// What the caller gave and this part takes, without images.
    let arguments: JSONObject
    let memory: Int?
    let devices: Devices?
  }

  let name: String
  let parts: [TaskPart: Part]
  let traits: ImageProgramTraits
  let children: RunningChildren

  func words(_ part: TaskPart) -> [String] { parts[part]?.program.words ?? [] }
  func memory(_ part: TaskPart) -> Int? { parts[part]?.memory }

  func run(_ call: WholeImageCall) -> WholeImageOutcome {
    guard let part = parts[call.part] else {
      let fault = Fault(.internal, "", "\(name) has no program of the kind \(call.part.rawValue)")
      return WholeImageOutcome(answer: .failure(fault), log: [], attempts: 0)
    }
    var log = ChildLog()
    var attempts = 0
    while true {
      attempts += 1
      var attempt = Attempt(task: self, part: part, call: call, log: log)
      let answer = Result { () throws(Fault) in try attempt.run() }
      log = attempt.log
      var outcome = WholeImageOutcome(answer: answer, log: log.bytes, attempts: attempts)
      outcome.wasStopped = attempt.wasStopped
      guard case .failure(var fault) = answer, !attempt.wasStopped else { return outcome }
      let last = log.lastLines(3)
      if !last.isEmpty { fault.facts.append("it printed: \(last.joined(separator: " | "))") }
      if attempts > 1 { fault.facts.append("it was tried \(attempts) times") }
      outcome.answer = .failure(fault)
      // Another kind of fault is not the program's, and would come again.
      if fault.kind != .program || attempts > traits.retries || call.stop() != nil {
        return outcome
      }
      if let refusal = call.refusal() {
        outcome.answer = .failure(refusal)
        return outcome
      }
      log.add(Array("omtask: \(fault.message); tried again\n".utf8))
    }
  }
}

/// One start of a program.
private struct Attempt {
  let task: ImageProgramTask
  let part: ImageProgramTask.Part
  let call: WholeImageCall
  var log: ChildLog
  /// Whether it was ended because the run is being stopped.
  private(set) var wasStopped = false

  /// The variable that names the folders that apptainer shows to programs.
  private static let bindings = "APPTAINER_BIND"
  /// Seconds that a program gets when it is asked to end.
  private static let grace = 5.0
  /// Milliseconds between two looks at a program.
  private static let interval: Int32 = 100

  init(
    task: ImageProgramTask, part: ImageProgramTask.Part, call: WholeImageCall, log: ChildLog
  ) {
    self.task = task
    self.part = part
    self.call = call
    self.log = log
  }

  mutating func run() throws(Fault) -> WholeImageAnswer {
    let (given, made) = ("\(call.folder)/args.json", "\(call.folder)/out.json")
    var arguments = call.reserved
    for (key, value) in part.arguments.members { arguments[key] = value }
    unlink(made)
    try writeFile(JSON.object(arguments).bytes(indent: 2), to: given)
    var variables = part.program.variables
    if let device = part.devices?.device(of: call.worker) {
      variables.set("CUDA_VISIBLE_DEVICES", device)
    }
    if task.traits.environment?.home == .apptainer {
      // A container sees nothing of this machine but what it is shown.
      let known = variables.values[Self.bindings].map { [$0] } ?? []
      variables.set(Self.bindings, (known + call.rooms).joined(separator: ","))
    }
    let child = try ChildProcess(
      part.program.words + ["--args-json", given, "--out-json", made], variables.words, files: [],
      answers: false)
    child.closeInput()
    try task.children.add(child.number)
    defer {
      task.children.remove(child.number)
      // What it left at work must not write into the image any more.
      child.kill()
    }
    let ending = try wait(for: child)
    drain(child)
    if ending != .exit(0) { throw Fault(.program, "", "`\(task.name)` \(ending.text)") }
    if !call.wantsList { return try ImageAnswerReader.read(made, program: task.name) }
    var answer = WholeImageAnswer()
    answer.items = try WorkListReader.read(made, program: task.name)
    return answer
  }

  /// Waits for the end of the program, and takes what it prints meanwhile.
  private mutating func wait(for child: ChildProcess) throws(Fault) -> ChildProcess.Ending {
    let start = SuspendingClock.now
    var isOpen = true
    while true {
      if isOpen { isOpen = receive(from: child, milliseconds: Self.interval) || !isClosed }
      if let ending = child.ending(within: isOpen ? 0 : 0.1) { return ending }
      call.sign()
      if let stop = call.stop() {
        wasStopped = true
        end(child, inOrder: stop == .inOrder)
        throw Fault(.program, "", "`\(task.name)` was ended with the run")
      }
      let seconds = (SuspendingClock.now - start) / .seconds(1)
      if task.traits.timeLimit > 0, seconds >= Double(task.traits.timeLimit) {
        end(child, inOrder: true)
        throw Fault(
          .program, "",
          "`\(task.name)` was ended after \(Int(seconds)) s, "
            + "`time_limit` in its manifest is \(task.traits.timeLimit)")
      }
    }
  }

  /// Ends the program, which may have some seconds for it.
  private mutating func end(_ child: ChildProcess, inOrder: Bool) {
    if inOrder {
      child.terminate()
      let start = SuspendingClock.now
      while child.ending(within: 0) == nil, call.stop() != .atOnce,
        SuspendingClock.now - start < .seconds(Self.grace)
      {
        _ = receive(from: child, milliseconds: Self.interval)
        if isClosed { usleep(UInt32(Self.interval) * 1000) }
        call.sign()
      }
    }
    drain(child)
  }

  /// Takes what was printed so far; what the program left at work may go on printing for ever.
  private mutating func drain(_ child: ChildProcess) {
    for _ in 0..<256 where !receive(from: child, milliseconds: 0) { return }
  }

  /// Whether the program has closed what it prints to.
  private var isClosed = false

  /// Takes what the program printed.
  ///
  /// - Returns: Whether there was anything.
  private mutating func receive(from child: ChildProcess, milliseconds: Int32) -> Bool {
    var entry = pollfd(fd: isClosed ? -1 : child.messages, events: Int16(POLLIN), revents: 0)
    if poll(&entry, 1, milliseconds) <= 0 { return false }
    var buffer = [UInt8](repeating: 0, count: 65536)
    let count = read(child.messages, &buffer, buffer.count)
    if count > 0 { log.add(buffer[..<count]) }
    if count == 0 || count < 0 && errno != EAGAIN && errno != EINTR { isClosed = true }
    return count > 0
  }
}

/// Writes a file that only its owner may read.
private func writeFile(_ bytes: [UInt8], to path: String) throws(Fault) {
  let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
  if descriptor < 0 { throw Fault(.io, path, "cannot be written: \(reason(errno))") }
  defer { close(descriptor) }
  var rest = bytes[...]
  while !rest.isEmpty {
    let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    if count < 0 { throw Fault(.io, path, "cannot be written: \(reason(errno))") }
    rest = rest.dropFirst(count)
  }
}
