import OMGrid
package import OMJSON

extension TiffSet {
  /// Fills a buffer with a box of an image.
  ///
  /// What lies beyond the edge of the page becomes 0.
  ///
  /// - Parameters:
  ///   - image: The number of the image.
  ///   - t: The time.
  ///   - channel: The first channel, colours counted.
  ///   - z: The layer.
  ///   - origin: The first row and column.
  ///   - shape: The channels, rows and columns of the buffer.
  ///   - buffer: Takes the numbers in that order, in the byte order of this machine.
  /// - Throws: `codec` and `truncated` for damage (a missing file is damage, too); `metadata` for a page of
  ///   another form; what reading gives. The subject is the description of the set.
  package func read(
    _ image: Int, t: Int, channel: Int, z: Int, origin: (y: Int, x: Int),
    shape: (c: Int, y: Int, x: Int), into buffer: UnsafeMutableRawBufferPointer
  ) throws(Fault) {
    let source = images[image]
    let samples = source.page.samples
    let place = source.place(t: t, c: channel / samples, z: z)
    let number = Int(place.file)
    do throws(Fault) {
      guard number >= 0 else {
        throw Fault(
          .truncated, "", "there is no file with t \(t), c \(channel / samples), z \(z)",
          hint: "`--on-damage fill` takes 0 for what is missing")
      }
      let page = try files.page(place)
      let pages = try files.content(number).places.count
      let file = files.file(number)
      do throws(Fault) {
        if let pagesEach, pages != pagesEach {
          throw Fault(.metadata, "", "has \(pages) pages, the first file has \(pagesEach)")
        }
        guard page.fits(source.page) else {
          throw Fault(
            .metadata, "", "page \(place.page) is \(page.form), others are \(source.page.form)")
        }
        try pool.with(file) { (handle) throws(Fault) in
          let reading = PageReading(
            page: page, number: Int(place.page), handle: handle, pool: pool,
            rows: origin.y..<min(origin.y + shape.y, page.height),
            columns: origin.x..<min(origin.x + shape.x, page.width),
            samples: page.isInterleaved
              ? 0..<samples : channel % samples..<channel % samples + 1,
            stride: (shape.y * shape.x, shape.x), target: buffer)
          try reading.run(isWhole: shape)
        }
      } catch { throw files.naming(error, file) }
    } catch { throw TiffSet.naming(error, description) }
  }
}

/// Reads a box of one page.
private struct PageReading {
  let page: TiffPage
  let number: Int
  let handle: TiffHandle
  let pool: TiffPool
  let rows: Range<Int>
  let columns: Range<Int>
  /// The samples of a pixel that are wanted; those that lie side by side all at once.
  let samples: Range<Int>
  /// Numbers between one sample, one row of the target and the next.
  let stride: (sample: Int, row: Int)
  let target: UnsafeMutableRawBufferPointer

  private var itemBytes: Int { page.dataType.byteCount }
  /// Samples that lie side by side.
  private var lanes: Int { page.isInterleaved ? page.samples : 1 }

  func run(isWhole shape: (c: Int, y: Int, x: Int)) throws(Fault) {
    if rows.count < shape.y || columns.count < shape.x {
      target.initializeMemory(as: UInt8.self, repeating: 0)
    }
    if page.plainStart == nil { try handle.go(to: page, number) }
    if page.isPlain { return try readRows() }
    try readParts()
  }

  /// The memory of a sample at a row and a column.
  private func place(_ sample: Int, _ row: Int, _ column: Int) -> UnsafeMutableRawBufferPointer {
    let start =
      (sample - samples.lowerBound) * stride.sample + (row - rows.lowerBound) * stride.row
      + column - columns.lowerBound
    return UnsafeMutableRawBufferPointer(rebasing: target[(start * itemBytes)...])
  }

  // MARK: Rows as they are stored

  /// Reads rows that are not encoded; those of a page are read whole.
  private func readRows() throws(Fault) {
    let rowBytes = page.width * lanes * itemBytes
    var row = rows.lowerBound
    let perPlane = (page.height - 1) / page.part.height + 1
    while row < rows.upperBound {
      let strip = row / page.part.height
      let end = min(rows.upperBound, (strip + 1) * page.part.height)
      let count = page.plainStart == nil ? end - row : rows.upperBound - row
      let inStrip = (row - strip * page.part.height) * rowBytes
      let index = strip + (page.isInterleaved ? 0 : samples.lowerBound * perPlane)
      let read = { (bytes: UnsafeMutableRawBufferPointer) throws(Fault) in
        if let start = page.plainStart {
          let plane = page.isInterleaved ? 0 : samples.lowerBound * page.height * rowBytes
          try handle.readPlain(at: start + plane + row * rowBytes, of: number, into: bytes)
        } else {
          try handle.readPlain(strip: index, from: inStrip, of: number, into: bytes)
        }
        if page.isSwapped { swapBytes(bytes, itemBytes) }
      }
      if lanes == 1 && columns.count == page.width && stride.row == page.width {
        let room = place(samples.lowerBound, row, 0)
        try read(UnsafeMutableRawBufferPointer(rebasing: room[..<(count * rowBytes)]))
      } else {
        try pool.withRoom(count * rowBytes) { (room) throws(Fault) in
          try read(room)
          spread(room, rows: row..<row + count, columns: 0..<page.width, width: page.width)
        }
      }
      row += count
    }
  }

  // MARK: Tiles and strips

  private func readParts() throws(Fault) {
    let (height, width) = page.part
    let across = (page.width - 1) / width + 1
    let perPlane = ((page.height - 1) / height + 1) * across
    let plane = page.isInterleaved ? 0 : samples.lowerBound * perPlane
    for y in rows.lowerBound / height...(rows.upperBound - 1) / height {
      for x in columns.lowerBound / width...(columns.upperBound - 1) / width {
        let index = plane + y * across + x
        let top = y * height
        // The last strip is shorter, the last tile is not.
        let partRows = page.isTiled ? height : min(height, page.height - top)
        let box = (top..<top + partRows, x * width..<x * width + width)
        if let room = direct(box.0, box.1) {
          try handle.read(part: index, of: number, into: room)
          continue
        }
        let bytes = partBytes(partRows, width)
        // Pages may have other tiles than the first, which the plan was made for.
        guard bytes <= Limits.current.chunk else {
          throw Fault(
            .limit, "", "a tile or strip of page \(number) has \(bytes) bytes",
            facts: ["the limit is \(Limits.current.chunk)"], hint: Limits.hint(.chunk))
        }
        try pool.withRoom(bytes) { (room) throws(Fault) in
          try handle.read(part: index, of: number, into: room)
          if page.isPacked {
            unpack(room, rows: box.0, columns: box.1, rowBytes: (width + 7) / 8)
          } else {
            spread(room, rows: box.0, columns: box.1, width: width)
          }
        }
      }
    }
  }

  /// The bytes of a tile or strip; more than any limit where they cannot be counted.
  private func partBytes(_ rows: Int, _ width: Int) -> Int {
    let row = page.isPacked ? (width + 7) / 8 : width
    let sizes = page.isPacked ? [rows] : [rows, lanes, itemBytes]
    return product(of: sizes + [row]) ?? .max
  }

  /// The memory of a tile or strip that can be decoded where it belongs; nil for all others.
  private func direct(
    _ partRows: Range<Int>, _ partColumns: Range<Int>
  ) -> UnsafeMutableRawBufferPointer? {
    guard lanes == 1, !page.isPacked, stride.row == partColumns.count,
      partColumns.lowerBound == columns.lowerBound, partRows.lowerBound >= rows.lowerBound
    else { return nil }
    let room = place(samples.lowerBound, partRows.lowerBound, partColumns.lowerBound)
    let bytes = partRows.count * partColumns.count * itemBytes
    // A tile that hangs over the edge brings along what is no part of the image.
    guard bytes <= room.count, partRows.upperBound <= rows.upperBound,
      partColumns.upperBound <= columns.upperBound
    else { return nil }
    return UnsafeMutableRawBufferPointer(rebasing: room[..<bytes])
  }

  /// Copies what is wanted of a box of rows.
  private func spread(
    _ bytes: UnsafeMutableRawBufferPointer, rows partRows: Range<Int>,
    columns partColumns: Range<Int>, width: Int
  ) {
    let wanted = partColumns.clamped(to: columns)
    for row in partRows.clamped(to: rows) {
      let first = (row - partRows.lowerBound) * width + wanted.lowerBound - partColumns.lowerBound
      for lane in 0..<lanes {
        let sample = page.isInterleaved ? lane : samples.lowerBound
        let to = place(sample, row, wanted.lowerBound)
        let from = UnsafeRawBufferPointer(bytes)[((first * lanes + lane) * itemBytes)...]
        copyLane(
          UnsafeRawBufferPointer(rebasing: from), every: lanes, to: to, count: wanted.count,
          itemBytes)
      }
    }
  }

  /// Makes a byte of each bit, the highest first.
  private func unpack(
    _ bytes: UnsafeMutableRawBufferPointer, rows partRows: Range<Int>,
    columns partColumns: Range<Int>, rowBytes: Int
  ) {
    let wanted = partColumns.clamped(to: columns)
    for row in partRows.clamped(to: rows) {
      let start = (row - partRows.lowerBound) * rowBytes
      let to = place(samples.lowerBound, row, wanted.lowerBound)
      for (place, column) in wanted.enumerated() {
        let bit = column - partColumns.lowerBound
        to[place] = bytes[start + bit / 8] >> UInt8(7 - bit % 8) & 1
      }
    }
  }
}

/// Copies every n-th number.
private func copyLane(
  _ from: UnsafeRawBufferPointer, every lanes: Int, to: UnsafeMutableRawBufferPointer, count: Int,
  _ itemBytes: Int
) {
  guard count > 0, let source = from.baseAddress, let target = to.baseAddress else { return }
  if lanes == 1 {
    target.copyMemory(from: source, byteCount: count * itemBytes)
    return
  }
  func copy<Number: BitwiseCopyable>(_ type: Number.Type) {
    for index in 0..<count {
      let number = source.loadUnaligned(fromByteOffset: index * lanes * itemBytes, as: type)
      target.storeBytes(of: number, toByteOffset: index * itemBytes, as: type)
    }
  }
  switch itemBytes {
  case 1: copy(UInt8.self)
  case 2: copy(UInt16.self)
  case 4: copy(UInt32.self)
  default: copy(UInt64.self)
  }
}

/// Turns the bytes of all numbers around.
private func swapBytes(_ bytes: UnsafeMutableRawBufferPointer, _ itemBytes: Int) {
  guard let start = bytes.baseAddress else { return }
  func turn<Number: FixedWidthInteger & BitwiseCopyable>(_ type: Number.Type) {
    for offset in stride(from: 0, to: bytes.count - itemBytes + 1, by: itemBytes) {
      let number = start.loadUnaligned(fromByteOffset: offset, as: type)
      start.storeBytes(of: number.byteSwapped, toByteOffset: offset, as: type)
    }
  }
  switch itemBytes {
  case 2: turn(UInt16.self)
  case 4: turn(UInt32.self)
  case 8: turn(UInt64.self)
  default: break
  }
}
