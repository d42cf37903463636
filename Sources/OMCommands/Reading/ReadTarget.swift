import OMImage
import OMJSON
import OMStore
import OMZarr

/// What a URI of `info`, `cat` or `preview` names.
enum ReadTarget {
  /// An image or a label image.
  case image(OMEImage)
  /// A plate or a well with its images.
  case collection(ImageSource)
  /// Transformations between images.
  case scene(SceneGroup)
  /// A single array: a level of an image, or one that belongs to none.
  case array(ZarrArray)

  /// Finds out what a URI names.
  ///
  /// - Parameters:
  ///   - uri: The URI.
  ///   - axes: What is wanted of the axes of an image.
  /// - Returns: What it names.
  /// - Throws: What reading its metadata gives; `missing` or `metadata` when there is nothing of
  ///   these kinds.
  static func open(_ uri: String, axes: AxisUse = .inOrder) throws(Fault) -> ReadTarget {
    if let array = try openArray(uri) { return .array(array) }
    let source = try ImageSource.open(uri, filter: WellFilter(), mayBeEmpty: true)
    if let scene = source.scene { return .scene(scene) }
    guard source.kind == .image, let item = source.items.first else { return .collection(source) }
    return .image(try OMEImage.open(item.location, axes: axes))
  }

  /// Opens the image that a URI names.
  ///
  /// - Throws: A fault of kind `usage` when it names something else.
  static func openImage(
    _ uri: String, for command: String, axes: AxisUse = .inOrder
  ) throws(Fault) -> OMEImage {
    switch try open(uri, axes: axes) {
    case .image(let image): return image
    case .array:
      throw Fault(.usage, shownURI(uri), "is a single array, `omtask \(command)` needs an image")
    case .collection(let source): throw needsOneImage(source, uri, for: command)
    case .scene(let scene): throw scene.refusal
    }
  }

  /// The fault of a command that takes one image and is given a plate or a well.
  static func needsOneImage(_ source: ImageSource, _ uri: String, for command: String) -> Fault {
    Fault(
      .usage, shownURI(uri),
      "is a \(source.kind.noun), `omtask \(command)` needs one of its images",
      hint: source.items.first.map { "for example `\($0.location.displayName)`" })
  }

  /// The array that a URI names; nil when it is a group or is not there.
  ///
  /// - Throws: What reading its metadata gives, and all that a server gives.
  static func openArray(_ uri: String, followLinks: Bool = false) throws(Fault) -> ZarrArray? {
    let isArray = { (place: SourcePlace) throws(Fault) -> Bool in
      // Where documents of both formats lie, those of v3 count.
      if try place.store.stamp(joinedKey(place.key, "zarr.json")) != nil {
        return try ZarrGroup.open(place.store, path: place.key) == nil
      }
      return try place.store.stamp(joinedKey(place.key, ".zarray")) != nil
    }
    let place: SourcePlace
    do throws(Fault) {
      place = try SourcePlace(uri, followLinks: followLinks)
      if try !isArray(place) { return nil }
    } catch {
      // Whoever opens it as an image says what is wrong; a server is not asked for that twice.
      guard RemoteStore.takes(uri), error.kind == .remote || error.kind == .permission else {
        return nil
      }
      throw RemoteStore.takes(error.subject) ? error : error.below(shownURI(uri))
    }
    do throws(Fault) {
      return try ZarrArray.open(place.store, path: place.key)
    } catch {
      let root = place.store.description
      throw error.subject == root ? error : error.below(root)
    }
  }
}

/// An array with the names by which `--select` knows its axes.
struct NamedArray {
  /// The array.
  let array: ZarrArray
  /// One name per axis: letters for images, else the array's own names or numbers from 0.
  let axes: [String]

  /// The finest level of an image.
  init(finestOf image: OMEImage) throws(Fault) {
    array = try image.array(0)
    axes = image.axes.map(\.letter)
  }

  /// An array with its own names.
  init(_ array: ZarrArray) {
    self.array = array
    axes = array.metadata.shape.indices.map { axis in
      array.metadata.dimensionNames?[axis] ?? "\(axis)"
    }
  }
}
