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
  /// What counts, without the list of images where there are many.
  let document: JSONObject

  /// The identity of a run.
  ///
  /// - Parameters:
  ///   - request: The run.
  ///   - reserved: What its program is told besides the parameters, when that is the same for the
  ///     whole run: the images, and the folder for new ones.
  init(_ request: RunRequest, reserved: JSONObject = [:]) {
    var document: JSONObject = [
      "task": .string(request.manifest.identifier),
      "result_version": JSON(request.manifest.traits.resultVersion),
      "program": .string(request.entry.program.fingerprint ?? ""),
      "parameters": .object(request.parameters.resultValues),
    ]
    document["zarr_dir"] = reserved["zarr_dir"]
    self.document = document
    for (key, value) in reserved.members { document[key] = value }
    runID = String(hexadecimal(sha256(JSON.object(document).bytes())).prefix(16))
  }
}
