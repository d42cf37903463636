import OMCodecs
import OMGrid
import OMImage
import OMJSON
import OMStore
import OMTables
import OMTask
import OMZarr

/// The profiles of an illumination, read and checked against an image.
struct ProfileSet: Sendable {
  /// Digests of all profiles, in the order in which they were given.
  private(set) var digests: [String] = []
  private var flat: [Profile] = []
  private var dark: [Profile] = []
  private let illumination: Illumination
  /// The boxes of the ROI table that are fields of view; nil when fields lie side by side.
  private var fields: [FieldOfView]?

  /// Reads the profiles.
  ///
  /// - Throws: What reading gives; `usage` for profiles that do not fit the image, `metadata` for a flat
  ///   field that nothing can be divided by.
  init(_ illumination: Illumination, _ source: SourceImage, _ table: RegionTable?) throws(Fault) {
    self.illumination = illumination
    fields = table.map { Self.fields($0, source) }
    let type = source.arrays[0].metadata.dataType
    for path in illumination.flatFields {
      let profile = try read(path, source)
      flat.append(try Self.normalised(profile, path))
    }
    for path in illumination.darkFields {
      let profile = try read(path, source)
      // As NumPy casts to whole numbers.
      let values = type.isFloat ? profile.values : profile.values.map { $0.rounded(.towardZero) }
      dark.append(Profile(height: profile.height, width: profile.width, values: values))
    }
    let sizes = Set((flat + dark).map { [$0.height, $0.width] })
    if sizes.count > 1 {
      throw Fault(
        .usage, "",
        "profiles are of several sizes: \(sizes.sorted { $0.description < $1.description })",
        hint: "give profiles of the same field of view")
    }
    if let table { try checkFields(table) }
  }

  /// The fields of view of an image as a table says, in its order.
  private static func fields(_ table: RegionTable, _ source: SourceImage) -> [FieldOfView] {
    let boxes = table.boxes(
      shape: source.arrays[0].metadata.shape, letters: source.image.axes.map(\.letter),
      scales: source.info.levelScales[0])
    return boxes.map {
      FieldOfView(origin: source.axes.position($0.origin), shape: source.axes.vector($0.shape))
    }
  }

  /// Refuses fields that the profiles do not fit, and makes their places part of what the run is.
  private mutating func checkFields(_ table: RegionTable) throws(Fault) {
    guard let profile = flat.first, let fields else { return }
    if table.rows.contains(where: { $0["t"] != nil }) {
      throw Fault(
        .usage, "", "the boxes of table `\(table.name)` are of some time points only",
        hint: "fields of view are boxes in space, for all time points")
    }
    for (number, field) in fields.enumerated()
    where field.shape.y != profile.height || field.shape.x != profile.width {
      throw Fault(
        .usage, "",
        "box \(number) of table `\(table.name)` is \(field.shape.y) x \(field.shape.x) voxels, "
          + "the profiles are \(profile.height) x \(profile.width)",
        hint: "give profiles as large as the fields of view")
    }
    let places = fields.map { "\($0.origin) \($0.shape)" }.joined(separator: ";")
    digests.append(hexadecimal(sha256(Array("fields \(places)".utf8))))
  }

  /// The kernel of a channel.
  func kernel(_ channel: Int) -> IlluminationKernel {
    IlluminationKernel(
      flat: flat.count == 1 ? flat[0] : flat[channel],
      dark: dark.isEmpty ? nil : dark.count == 1 ? dark[0] : dark[channel], fields: fields,
      constant: illumination.constant, truncates: illumination.truncates)
  }

  private mutating func read(_ path: String, _ source: SourceImage) throws(Fault) -> Profile {
    let profile = try ProfileFile(path).profile()
    var bytes = Array("\(profile.height)x\(profile.width)".utf8)
    profile.values.withUnsafeBytes { bytes += $0 }
    digests.append(hexadecimal(sha256(bytes)))
    let plane = Array(source.arrays[0].metadata.shape.suffix(2))
    guard
      fields != nil || plane[0] % profile.height == 0 && plane[1] % profile.width == 0
    else {
      throw Fault(
        .usage, path,
        "the profile is \(profile.height) x \(profile.width), planes of the image are "
          + "\(plane[0]) x \(plane[1]), no whole number of fields of view",
        hint:
          "give a profile as large as the image or as one of its fields of view; `--field-table` "
          + "says where these are")
    }
    return profile
  }

  /// A flat field over its largest value.
  private static func normalised(_ profile: Profile, _ path: String) throws(Fault) -> Profile {
    if let place = profile.values.firstIndex(where: { !($0 > 0) }) {
      throw Fault(
        .metadata, path,
        "voxel \(place / profile.width), \(place % profile.width) of the flat field is "
          + "\(profile.values[place]), expected numbers above 0",
        hint: "nothing can be divided by it; mend the profile")
    }
    let largest = profile.values.max() ?? 1
    return Profile(
      height: profile.height, width: profile.width, values: profile.values.map { $0 / largest })
  }
}

/// A file or array that holds a profile.
struct ProfileFile {
  private let path: String
  /// Larger profiles are of no camera.
  private static let largest = 1 << 28

  init(_ path: String) {
    self.path = fileURLPath(path) ?? path
  }

  /// Reads it.
  ///
  /// - Throws: `missing` when it is not there, `usage` for another shape than that of a plane, `unsupported`
  ///   for other kinds of files, `metadata` for numbers that are not finite.
  func profile() throws(Fault) -> Profile {
    let name = path.lowercased()
    if [".tif", ".tiff", ".png"].contains(where: name.hasSuffix) {
      throw Fault(
        .unsupported, path, "pictures cannot be read as profiles",
        hint: "save it as .npy, for example numpy.save('flat.npy', tifffile.imread('flat.tif'))")
    }
    let (shape, values) = name.hasSuffix(".npy") ? try npy() : try zarr()
    let plane = shape.drop { $0 == 1 }
    guard shape.count >= 2, plane.count <= 2, values.count > 0 else {
      throw Fault(.usage, path, "the profile has the shape \(shape), expected one plane (y, x)")
    }
    if let place = values.firstIndex(where: { !$0.isFinite }) {
      throw Fault(.metadata, path, "number \(place) of the profile is \(values[place])")
    }
    let width = shape[shape.count - 1]
    return Profile(height: values.count / width, width: width, values: values)
  }

  private func zarr() throws(Fault) -> (shape: [Int], values: [Double]) {
    let place = try LocalPlace(path)
    let array: ZarrArray
    do throws(Fault) {
      array = try ZarrArray.open(place.store, path: place.key)
    } catch {
      if error.kind != .missing && error.kind != .metadata { throw error }
      let source = try ImageSource.open(path, filter: WellFilter())
      guard source.kind == .image, let location = source.items.first?.location else {
        throw Fault(.usage, path, "holds several images, expected one profile")
      }
      array = try OMEImage.open(location).array(0)
    }
    let metadata = array.metadata
    let count = try checked(metadata.shape)
    let type = metadata.dataType
    var bytes = [UInt8](repeating: 0, count: count * type.byteCount)
    let reader = ChunkReader(array, context: CodecContext())
    do {
      try bytes.withUnsafeMutableBytes { room in
        if let start = room.baseAddress {
          try reader.read(Region(wholeOf: metadata.shape), into: start)
        }
      }
    } catch { throw Fault(wrapping: error) }
    return (metadata.shape, Self.numbers(bytes, at: 0, count, type))
  }

  private func npy() throws(Fault) -> (shape: [Int], values: [Double]) {
    let slash = path.lastIndex(of: "/")
    let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
    let bytes = try OutputFolder(path: folder).read(name, limit: Self.largest * 8 + 4096)
    guard let bytes else { throw Fault(.missing, path, "there is no such file") }
    if let start = NPYForm.missingStart(of: bytes) {
      throw Fault(
        .truncated, path,
        "ends in the middle of its header: it holds \(bytes.count) bytes, expected \(start) before the numbers",
        hint: Self.saveAgain)
    }
    guard let header = NPYForm(bytes) else {
      throw Fault(
        .unsupported, path, "is no .npy file that can be read here",
        hint: "numpy.save('flat.npy', numpy.ascontiguousarray(profile, '<f4')) makes one")
    }
    let count = try checked(header.shape)
    guard bytes.count - header.start == count * header.dataType.byteCount else {
      throw Fault(
        .truncated, path,
        "holds \(bytes.count) bytes, expected \(header.start + count * header.dataType.byteCount) for "
          + "\(header.shape.map(String.init).joined(separator: " x ")) numbers of type "
          + "\(header.dataType.rawValue)", hint: Self.saveAgain)
    }
    return (header.shape, Self.numbers(bytes, at: header.start, count, header.dataType))
  }

  private static let saveAgain = "save the profile again, for example with numpy.save"

  private func checked(_ shape: [Int]) throws(Fault) -> Int {
    guard let count = product(of: shape, atMost: Self.largest) else {
      throw Fault(
        .limit, path, "the profile has the shape \(shape), the limit is \(Self.largest)")
    }
    return count
  }

  /// Numbers of a type in the byte order of this machine.
  private static func numbers(
    _ bytes: [UInt8], at start: Int, _ count: Int, _ type: DataType
  ) -> [Double] {
    func all<Value: BitwiseCopyable>(_: Value.Type, _ number: (Value) -> Double) -> [Double] {
      bytes.withUnsafeBytes { raw in
        (0..<count).map {
          number(
            raw.loadUnaligned(
              fromByteOffset: start + $0 * MemoryLayout<Value>.stride, as: Value.self))
        }
      }
    }
    switch type {
    case .bool, .uint8: return all(UInt8.self) { Double($0) }
    case .uint16: return all(UInt16.self) { Double($0) }
    case .uint32: return all(UInt32.self) { Double($0) }
    case .uint64: return all(UInt64.self) { Double($0) }
    case .int8: return all(Int8.self) { Double($0) }
    case .int16: return all(Int16.self) { Double($0) }
    case .int32: return all(Int32.self) { Double($0) }
    case .int64: return all(Int64.self) { Double($0) }
    case .float16: return all(Float16.self) { Double($0) }
    case .float32: return all(Float.self) { Double($0) }
    case .float64: return all(Double.self) { $0 }
    }
  }
}
