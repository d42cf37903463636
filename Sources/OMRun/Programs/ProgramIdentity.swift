import OMJSON
import OMManifest
import OMTask

/// What makes two runs of a program on an image the same: task, result version, program, parameters.
///
/// The image is no part of it, since the program changes the image: its state is compared with that in
/// the record (``ProgramRecord``).
struct ProgramIdentity: Sendable {
  /// The first 16 hexadecimal digits of the SHA-256 of all that counts.
  let runID: String
  /// What counts.
  let document: JSONObject

  init(_ request: RunRequest) {
    let document: JSONObject = [
      "task": .string(request.manifest.identifier),
      "result_version": JSON(request.manifest.traits.resultVersion),
      "program": .string(request.entry.program.fingerprint ?? ""),
      "parameters": .object(request.parameters.resultValues),
    ]
    self.document = document
    runID = String(hexadecimal(sha256(JSON.object(document).bytes())).prefix(16))
  }
}
