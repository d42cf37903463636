import OMImage
import OMJSON
import OMManifest
import OMStore
import OMTask

// What all programs have in common that read and write images by themselves.

extension RunRequest {
  /// One start of a program of the task.
  ///
  /// - Parameters:
  ///   - part: Which program.
  ///   - reserved: What it is told besides the parameters.
  ///   - rooms: The folders that it may want to see.
  ///   - folder: A folder for the files of the call.
  ///   - worker: Who waits for it.
  ///   - refusal: Why it cannot be tried again; nil when it can.
  /// - Returns: The call.
  func call(
    _ part: TaskPart, _ reserved: JSONObject, rooms: [String], folder: String, _ worker: Worker,
    refusal: @escaping () -> Fault?
  ) -> WholeImageCall {
    let stop = options.stop
    return WholeImageCall(
      part, reserved, rooms: rooms, folder: folder, worker: worker.number,
      stop: { stop.reason.map { $0.isUrgent ? .atOnce : .inOrder } },
      sign: { worker.scratch.sign() }, refusal: refusal)
  }
}

extension ImageLocation {
  /// The folder that holds the whole hierarchy of the image: results may lie beside it.
  var room: String {
    let root = store.description
    let parent = root.lastIndex(of: "/").map { String(root[..<$0]) } ?? "."
    return parent.isEmpty ? "/" : parent
  }
}

extension OutputFolder {
  /// Keeps what a program printed.
  ///
  /// - Returns: The path; nil when there is nothing.
  func keep(log bytes: [UInt8], _ name: String) throws(Fault) -> String? {
    if bytes.isEmpty { return nil }
    try write(name, bytes)
    return joinedKey(path, name)
  }

  /// The path of a file in this folder; nil when it is not there.
  func file(_ name: String) -> String? {
    (try? kind(of: name)) == .some(.file) ? joinedKey(path, name) : nil
  }
}

extension OutputReport {
  /// What a program has made of an image, and what it told of besides.
  ///
  /// - Parameters:
  ///   - image: The image.
  ///   - made: Its parts that are new or changed.
  ///   - images: Other images that were made.
  /// - Returns: Labels and tables, then images.
  static func all(in image: String, made: [String], images: [String]) -> [OutputReport] {
    var outputs: [OutputReport] = []
    for part in made {
      for (shelf, kind) in [(Shelf.labels, Kind.label), (.tables, .table)]
      where part.hasPrefix(shelf.name + "/") {
        outputs.append(
          OutputReport(
            name: String(part.dropFirst(shelf.name.count + 1)), uri: "\(image)/\(part)",
            kind: kind, dataType: nil))
      }
    }
    for url in images where !outputs.contains(where: { $0.uri == url }) {
      let name = url.split(separator: "/").last.map(String.init) ?? url
      outputs.append(OutputReport(name: name, uri: url, kind: .image, dataType: nil))
    }
    return outputs
  }
}

extension Fault {
  /// Why an image on which a program did not come to its end cannot be given to it again.
  static func halfChanged(_ image: String, by task: String) -> Fault {
    Fault(
      .program, image,
      "the voxels of the image itself have changed since \(task) began, which did not come to its end",
      hint: "look whether the image is whole; `--fresh` runs the task on it as it is now")
  }

  /// Why a task that changes the voxels it reads is not simply done once more.
  static func changedTwice(_ image: String, by task: String) -> Fault {
    Fault(
      .program, image,
      "\(task) has changed the voxels of this image, and they have changed again since: it would be "
        + "done twice",
      hint: "`--fresh` runs the task on the image as it is now")
  }
}
