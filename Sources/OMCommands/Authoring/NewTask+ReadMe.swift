extension NewTask {
  /// The calls that check, test and run the task in its folder, each with what it does.
  var steps: [(text: String, call: String)] {
    let check = ("explains every mistake in the manifest", "omtask manifest check \(manifestFile)")
    let own = "./\(manifestFile)"
    switch language {
    case .python, .shell:
      let test =
        language == .python ? "python3 test_\(module).py" : "sh test_\(module).sh"
      return [
        check, ("tries the program by itself", test),
        (
          "tries whether the result depends on how the work is cut",
          "omtask manifest test \(own) --input IMAGE.zarr"
        ),
        ("runs it", "omtask run \(own) IMAGE.zarr"),
      ]
    case .swift:
      let program = ".build/release/\(identifier)"
      return [
        check, ("tries the task on images in memory", "swift test"),
        ("builds the program", "swift build -c release"),
        (
          "tries whether the result depends on how an image of yours is cut",
          "\(program) manifest test \(identifier) --input IMAGE.zarr"
        ),
        ("runs it", "\(program) run \(identifier) IMAGE.zarr"),
      ]
    }
  }

  /// The page that explains the folder.
  var readMe: String {
    let width = steps.map(\.call.count).max() ?? 0
    let calls = steps.map { step in
      step.call + String(repeating: " ", count: width - step.call.count) + "  # " + step.text
    }
    let place =
      language == .swift
      ? """

      `Package.swift` takes omtask from `../omtask`, or from where `\(SwiftTemplate.sourceVariable)` says.

      """
      : ""
    return """
      # \(name)

      \(summary). `\(programFile)` computes it, `\(manifestFile)` declares it, its parameters and types.
      \(place)
      ```
      \(calls.joined(separator: "\n"))
      ```

      """
  }

  /// The file that an author changes first.
  private var programFile: String {
    switch language {
    case .python: "\(module).py"
    case .shell: "\(module).sh"
    case .swift: SwiftTemplate(identifier: identifier).files[2].name
    }
  }
}
