import OMJSON

/// What the records at the end of an archive say: where its directory is.
struct ZipEnd {
  /// Entries in the directory.
  private(set) var count: Int
  /// The directory in the file.
  private(set) var directory: Range<Int>
  /// Bytes in front of the archive, by which all places are off; 0 but for archives behind something.
  private(set) var shift: Int
  /// Whether there is a record of 64-bit numbers.
  private(set) var isWide = false
  /// The comment of the archive.
  let comment: [UInt8]

  /// Finds the records of an archive.
  ///
  /// - Parameters:
  ///   - file: The whole archive.
  ///   - subject: Its path.
  /// - Throws: `zip` when there are none or they contradict each other or the file, `unsupported` for
  ///   archives of several files.
  init(_ file: OpenedValue, subject: String) throws(Fault) {
    let fixed = ZipFormat.End.byteCount
    let tailStart = max(0, file.size - fixed - ZipFormat.wide16)
    let tail = try file.bytes(at: tailStart, count: file.size - tailStart)
    guard let place = ZipEnd.find(in: tail) else {
      throw Fault(
        .zip, subject, "is no zip archive, or its end is missing: there is no end record",
        hint: "copy the file again, it may have been cut off")
    }
    comment = Array(tail[(place + fixed)...])
    (count, directory, shift) = (0, 0..<0, 0)
    let end = Array(tail[place..<place + fixed])
    let (numbers, stop) = try readNumbers(end, at: tailStart + place, file, subject)
    if numbers.disk != 0 || numbers.firstDisk != 0 || numbers.countHere != numbers.count {
      throw Fault(
        .unsupported, subject, "is a part of an archive of several files",
        hint: "join the parts, for example with `zip -s 0 parts.zip --out whole.zip`")
    }
    count = numbers.count
    let (expected, overflow) = numbers.start.addingReportingOverflow(numbers.size)
    guard !overflow, expected <= stop, numbers.size <= stop else {
      throw Fault(
        .zip, subject,
        "the directory is said to have \(numbers.size) bytes at \(numbers.start), it ends at \(stop)"
      )
    }
    shift = stop - expected
    directory = stop - numbers.size..<stop
  }

  /// What one of the two records says.
  private struct Numbers {
    var disk, firstDisk, countHere, count, size, start: Int
  }

  /// The last place of an end record whose comment reaches just to the end of the file.
  private static func find(in tail: [UInt8]) -> Int? {
    var place = tail.count - ZipFormat.End.byteCount
    while place >= 0 {
      if tail[place] == 0x50, tail.zip32(place) == ZipFormat.End.signature,
        place + ZipFormat.End.byteCount + tail.zip16(place + 20) == tail.count
      {
        return place
      }
      place -= 1
    }
    return nil
  }

  /// The numbers of the end record or of its wide form, and where the directory must end.
  private mutating func readNumbers(
    _ end: [UInt8], at place: Int, _ file: OpenedValue, _ subject: String
  ) throws(Fault) -> (Numbers, stop: Int) {
    let numbers = Numbers(
      disk: end.zip16(4), firstDisk: end.zip16(6), countHere: end.zip16(8), count: end.zip16(10),
      size: end.zip32(12), start: end.zip32(16))
    let locatorPlace = place - ZipFormat.Locator.byteCount
    if locatorPlace >= 0 {
      let locator = try file.bytes(at: locatorPlace, count: ZipFormat.Locator.byteCount)
      if locator.zip32(0) == ZipFormat.Locator.signature {
        isWide = true
        return try wideNumbers(locator, at: locatorPlace, file, subject)
      }
    }
    let isMissing =
      numbers.count == ZipFormat.wide16 || numbers.size == ZipFormat.wide32
      || numbers.start == ZipFormat.wide32
    if isMissing {
      throw Fault(
        .zip, subject, "the end record refers to a ZIP64 record, which is not there",
        hint: "copy the file again, it may be damaged")
    }
    return (numbers, place)
  }

  private func wideNumbers(
    _ locator: [UInt8], at place: Int, _ file: OpenedValue, _ subject: String
  ) throws(Fault) -> (Numbers, stop: Int) {
    let fixed = ZipFormat.End64.byteCount
    // Behind something else the record lies further on than the locator says.
    let told = locator.zip64(8)
    for start in [told, place - fixed].compactMap(\.self) {
      guard start >= 0, start <= place - fixed else { continue }
      let record = try file.bytes(at: start, count: fixed)
      guard record.zip32(0) == ZipFormat.End64.signature, let size = record.zip64(4),
        size >= fixed - 12, size <= place - start, start + 12 + size == place
      else { continue }
      guard let countHere = record.zip64(24), let count = record.zip64(32),
        let bytes = record.zip64(40), let first = record.zip64(48)
      else { break }
      let numbers = Numbers(
        disk: record.zip32(16), firstDisk: record.zip32(20), countHere: countHere, count: count,
        size: bytes, start: first)
      return (numbers, start)
    }
    throw Fault(
      .zip, subject,
      "the ZIP64 end record is said to be at \(told.map(String.init) ?? "a place beyond 2^63"), "
        + "it is not in front of its locator at \(place)",
      hint: "copy the file again, it may be damaged")
  }
}
