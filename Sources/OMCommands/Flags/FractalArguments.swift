import OMGrid
import OMJSON

/// What a Fractal server puts into the args JSON by itself, besides `zarr_url`.
///
///     {"zarr_urls": ["/data/p.zarr/B/03/0"], "zarr_dir": "/data", …}          all images in one process
///     {"zarr_url": …, "init_args": {"part": 0, "parts": 8, "parameters": {…}}}    a part of one image
struct FractalArguments {
  /// The images of a task that is not parallel.
  private(set) var images: [String] = []
  /// The folder that new images go into, for tasks that are told one.
  private(set) var folder: String?
  /// The part of an image that a compound task works on; nil for all of it.
  private(set) var part: WorkPart?
  /// Into how many parts images are to be cut; nil lets the program choose.
  private(set) var parts: Int?

  /// Takes them out of the arguments; what `init_args` holds for the task comes in.
  ///
  /// - Parameters:
  ///   - arguments: The args JSON.
  ///   - plans: Whether parts are only planned, so that their number is an argument.
  ///   - isWhole: Whether the task is told a folder for new images; elsewhere results lie beside the
  ///     images, which must be in it.
  /// - Throws: A fault of kind `usage` that names the argument.
  init(from arguments: inout JSONObject, plans: Bool, isWhole: Bool = false) throws(Fault) {
    var folder = arguments["zarr_dir"] ?? .null
    if isWhole {
      arguments["zarr_dir"] = nil
      self.folder = try Self.path(folder)
      folder = .null
    }
    if let url = arguments["zarr_url"], url != .null, url.stringValue == nil {
      throw Fault(.usage, "", "`zarr_url` is \(url.text()), it must be the address of an image")
    }
    if let urls = arguments["zarr_urls"], urls != .null {
      try readImages(urls, folder)
      if let url = arguments["zarr_url"], url != .null {
        throw Fault(.usage, "", "both `zarr_url` and `zarr_urls` are given")
      }
      for name in ["zarr_urls", "zarr_dir"] { arguments[name] = nil }
    }
    if let given = arguments["init_args"], given != .null {
      arguments["init_args"] = nil
      try readPart(given, &arguments)
    }
    if plans, let given = arguments["parts"] {
      arguments["parts"] = nil
      if given != .null { try readCount(given) }
    }
  }

  private mutating func readImages(_ urls: JSON, _ folder: JSON) throws(Fault) {
    let texts = urls.arrayValue?.compactMap(\.stringValue) ?? []
    guard let count = urls.arrayValue?.count, texts.count == count, count > 0 else {
      throw Fault(.usage, "", "`zarr_urls` is \(urls.text()), it must be a list of images")
    }
    guard let path = try Self.path(folder) else { return images = texts }
    // Fractal refuses results outside, after they have been made.
    let prefix = path.hasSuffix("/") ? path : path + "/"
    if let stray = texts.first(where: { !$0.hasPrefix(prefix) }) {
      throw Fault(.usage, stray, "is not below the `zarr_dir` \(path)")
    }
    images = texts
  }

  private static func path(_ folder: JSON) throws(Fault) -> String? {
    if folder == .null { return nil }
    if let path = folder.stringValue { return path }
    throw Fault(.usage, "", "`zarr_dir` is \(folder.text()), it must be a folder")
  }

  private mutating func readPart(
    _ given: JSON, _ arguments: inout JSONObject
  ) throws(Fault) {
    guard let index = given["part"]?.intValue, let count = given["parts"]?.intValue,
      let part = WorkPart(index, of: count), let parameters = given["parameters"]?.objectValue,
      given.objectValue?.keys.count == 3
    else {
      throw Fault(
        .usage, "", "`init_args` is \(given.text()), it must name `part`, `parts`, `parameters`",
        hint: "`omtask plan TASK --args-json A --out-json O` writes them")
    }
    self.part = part
    for (name, value) in parameters.members where arguments[name] == nil {
      arguments[name] = value
    }
  }

  private mutating func readCount(_ given: JSON) throws(Fault) {
    guard let count = given.intValue, PartCount.range ~= count else {
      throw Fault(
        .usage, "",
        "`parts` is \(given.text()), it must be \(PartCount.range.lowerBound) to "
          + "\(PartCount.range.upperBound)")
    }
    parts = count
  }
}
