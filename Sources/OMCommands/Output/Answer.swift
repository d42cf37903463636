import OMJSON

/// What a command has to say, for a person and for a program.
protocol Answer {
  /// The lines for a person.
  var lines: [String] { get }
  /// The document for a program.
  var json: JSON { get }
}

/// The form of an answer.
enum AnswerForm: Sendable {
  case human
  case json
  /// Nothing, for callers that read files.
  case quiet
}

/// Writes answers in one form.
struct Output: Sendable {
  let sink: any ByteSink
  let form: AnswerForm

  /// Makes an output.
  init(_ sink: any ByteSink, _ form: AnswerForm) {
    self.sink = sink
    self.form = form
  }

  /// Writes an answer.
  ///
  /// - Throws: `ReaderGone`, or a fault of kind `io`.
  func write(_ answer: some Answer) throws {
    switch form {
    case .human: try sink.write(answer.lines.map { printable($0) + "\n" }.joined())
    case .json: try sink.write(answer.json.text(indent: 2) + "\n")
    case .quiet: break
    }
  }
}
