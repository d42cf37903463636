import OMJSON
import OMStore
import OMTiff

/// Libraries and programs that only some inputs and tasks need.
struct LibraryCheck {
  /// The variables.
  let environment: Environment

  var findings: [DoctorFinding] {
    [
      library("curl", "libcurl: images on servers (`http(s)://`, `s3://`)") { () throws(Fault) in
        try RemoteStore.loadLibrary()
      },
      library("tiff", "libtiff: TIFF files as input") { () throws(Fault) in try TiffLibrary.load()
      },
      python,
    ]
  }

  private func library(
    _ name: String, _ purpose: String, _ load: () throws(Fault) -> Void
  ) -> DoctorFinding {
    let key = "libraries.\(name)"
    do throws(Fault) {
      try load()
      return .ok(key, true, purpose)
    } catch { return .note(key, false, error.message, do: error.hint) }
  }

  private var python: DoctorFinding {
    let key = "libraries.python"
    guard let program = AskedProgram("python3", environment) else {
      return .note(
        key, .null, "python3 is not on the PATH, which tasks in Python need",
        do: "install it, or name an interpreter by `--python`")
    }
    let answer = program.answer(to: ["--version"], environment, within: 3)
    return answer.isGood
      ? .ok(
        key, .string(answer.firstLine), "\(answer.firstLine) for tasks in Python, \(program.path)")
      : .note(key, .null, "\(program.path) does not tell its version")
  }
}
