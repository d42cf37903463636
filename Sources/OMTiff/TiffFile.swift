import CTIFF
import OMGrid
import OMJSON
package import OMStore
import Synchronization

/// A TIFF file: what its pages say, read when it is asked for first.
package final class TiffFile: Sendable {
  /// The folder.
  let store: any Store
  /// Its name below the folder.
  package let key: String
  /// Size and time when it was found.
  package let stamp: ValueStamp
  /// Whether its description is of use once its pages are known; in sets each file may repeat all of it.
  private let keepsText: Bool
  private let content = Mutex<TiffContent?>(nil)

  /// Finds a file.
  ///
  /// - Returns: nil when there is none of this name.
  /// - Throws: What looking at it gives.
  init?(_ store: any Store, _ key: String, keepsText: Bool = true) throws(Fault) {
    guard let stamp = try store.stamp(key) else { return nil }
    self.store = store
    self.key = key
    self.stamp = stamp
    self.keepsText = keepsText
  }

  /// The description of the first page, read now.
  func text() throws(Fault) -> [UInt8] { try TiffHandle(self).description() }

  /// What its pages say; read once, whoever asks first.
  ///
  /// - Throws: Faults whose subject is empty: what is wrong with the file.
  func pages() throws(Fault) -> TiffContent {
    let found = content.withLock { (known) -> Result<TiffContent, Fault> in
      if let known { return .success(known) }
      return Result { () throws(Fault) in
        var read = try TiffContent(try TiffHandle(self), size: stamp.size)
        if !keepsText { read.description = [] }
        known = read
        return read
      }
    }
    return try found.get()
  }
}

/// The pages of a file, and what the first of them says in words.
struct TiffContent: Sendable {
  /// All pages but those that are smaller copies of others.
  private(set) var pages: [TiffPage] = []
  /// The place among `pages` of each page of the file; nil for a smaller copy.
  private(set) var places: [Int?] = []
  /// The number in the file of each of `pages`.
  private(set) var numbers: [Int] = []
  /// The description of the first page.
  fileprivate(set) var description: [UInt8]
  /// The pixels of an inch, a centimetre or another unit along x and y; 0 where it does not say.
  let resolution: (x: Double, y: Double)
  /// The tag that tells of a format of its own; 0 without one.
  let foreign: Int

  private static let mostPages = 10_000_000

  /// Goes over all pages.
  ///
  /// - Throws: `metadata`, `unsupported`, `truncated` or `limit`.
  init(_ handle: TiffHandle, size: Int) throws(Fault) {
    description = handle.description()
    var seen: Set<UInt64> = []
    var first: om_tiff_page?
    while true {
      let number = places.count
      let page = try handle.page(number)
      guard seen.insert(page.directory).inserted else {
        throw Fault(.metadata, "", "page \(number) is an earlier page again: the list never ends")
      }
      try handle.checkDirectory(page.directory, number)
      first = first ?? page
      let isSmallerCopy = page.subfile & 1 != 0 && number > 0
      places.append(isSmallerCopy ? nil : pages.count)
      if !isSmallerCopy {
        pages.append(try TiffPage(page, number: number))
        numbers.append(number)
      }
      if handle.isLast { break }
      if places.count >= Self.mostPages {
        throw Fault(.limit, "", "there are more than \(Self.mostPages) pages")
      }
      try handle.next(number + 1)
    }
    resolution = (first?.x_resolution ?? 0, first?.y_resolution ?? 0)
    foreign = Int(first?.foreign ?? 0)
    if places.count == 1, let told = ImageJText(description)?.planes ?? PlainPages.planes(self),
      told > 1, told <= Self.mostPages
    {
      addPlanes(told, from: handle.firstOffset, size: size)
      guard pages.count == told else {
        throw Fault(
          .truncated, "", "it tells of \(told) planes, and holds one",
          hint: "the file may be cut off; copy or save it anew")
      }
    }
  }

  /// Adds planes that have no pages: they lie behind that of the only page there is.
  ///
  /// - Parameters:
  ///   - count: How many planes there are with the first.
  ///   - start: Where the first lies.
  ///   - size: The bytes of the file; nothing is added when they are too few.
  private mutating func addPlanes(_ count: Int, from start: Int, size: Int) {
    guard let page = pages.first, page.isPlain, let bytes = page.planeBytes, start > 0 else {
      return
    }
    guard start <= size, product(of: [bytes, count], atMost: size - start) != nil else { return }
    pages = (0..<count).map { number in
      var plane = page
      plane.plainStart = start + number * bytes
      return plane
    }
    places = pages.indices.map { $0 }
    numbers = Array(pages.indices)
  }
}
