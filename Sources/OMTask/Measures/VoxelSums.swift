package import OMGrid

extension ObjectSums {
  /// Adds the voxels of runs to the sums of a channel.
  ///
  /// - Parameters:
  ///   - runs: Runs of one box.
  ///   - channel: The number of the channel among those that are measured.
  ///   - voxels: The first voxel of the box.
  ///   - box: The box; what lies outside of it is left out.
  /// - Returns: The place of a voxel that is no finite number; sums are of no use then.
  package mutating func add(
    _ runs: [ObjectRun], channel: Int, _ voxels: UnsafeRawPointer, _ box: RowBox
  ) -> Vector3? {
    switch layout.dataType {
    case .bool, .uint8: return addNarrow(runs, channel, voxels, box, UInt8.self)
    case .int8: return addNarrow(runs, channel, voxels, box, Int8.self)
    case .uint16: return addNarrow(runs, channel, voxels, box, UInt16.self)
    case .int16: return addNarrow(runs, channel, voxels, box, Int16.self)
    case .uint32: return addWide(runs, channel, voxels, box, UInt32.self)
    case .int32: return addWide(runs, channel, voxels, box, Int32.self)
    case .uint64: return addWide(runs, channel, voxels, box, UInt64.self)
    case .int64: return addWide(runs, channel, voxels, box, Int64.self)
    case .float16: return addFloats(runs, channel, voxels, box, Float16.self)
    case .float32: return addFloats(runs, channel, voxels, box, Float.self)
    case .float64: return addFloats(runs, channel, voxels, box, Double.self)
    }
  }

  /// Hands every run within a box to a kernel, with its voxels and the words of its object's channel.
  @inline(__always)
  private mutating func forEach<V>(
    _ runs: [ObjectRun], _ channel: Int, _ voxels: UnsafeRawPointer, _ box: RowBox, _: V.Type,
    _ body: (ObjectRun, UnsafePointer<V>, UnsafeMutablePointer<UInt64>) -> Void
  ) {
    let start = voxels.assumingMemoryBound(to: V.self)
    let (stride, offset) = (layout.stride, layout.channelStart + channel * layout.channelStride)
    withWords { words in
      for var run in runs {
        let (z, y) = (Int(run.z) - box.origin.z, Int(run.y) - box.origin.y)
        guard z >= 0, z < box.shape.z, y >= 0, y < box.shape.y else { continue }
        let low = max(Int(run.x), box.origin.x)
        let high = min(Int(run.x) + Int(run.length), box.origin.x + box.shape.x)
        if low >= high { continue }
        run.x = Int32(truncatingIfNeeded: low)
        run.length = Int32(truncatingIfNeeded: high - low)
        let row = start + z * box.strides.plane + y * box.strides.row
        body(run, row + (low - box.origin.x), words + Int(run.slot) * stride + offset)
      }
    }
  }

  private mutating func addNarrow<V: FixedWidthInteger>(
    _ runs: [ObjectRun], _ channel: Int, _ voxels: UnsafeRawPointer, _ box: RowBox, _ type: V.Type
  ) -> Vector3? {
    let layout = layout
    var found = ValueCounts()
    swap(&found, &counts)
    forEach(runs, channel, voxels, box, type) { run, voxels, words in
      let count = Int(run.length)
      var (least, largest, sum) = (V.max, V.min, 0)
      for index in 0..<count {
        let voxel = voxels[index]
        least = voxel < least ? voxel : least
        largest = voxel > largest ? voxel : largest
        sum &+= Int(truncatingIfNeeded: voxel)
      }
      words[0] = min(words[0], orderedBits(Int64(least)))
      words[1] = max(words[1], orderedBits(Int64(largest)))
      WordSum.add(Int128(sum), to: words + layout.value.place, count: 2)
      if layout.need.squares {
        var squares = 0
        for index in 0..<count {
          let voxel = Int(truncatingIfNeeded: voxels[index])
          squares &+= voxel &* voxel
        }
        WordSum.add(Int128(squares), to: words + layout.square.place, count: 2)
      }
      if layout.need.powers {
        var (cubes, fourths): (Int128, Int128) = (0, 0)
        for index in 0..<count {
          let voxel = Int(truncatingIfNeeded: voxels[index])
          let square = voxel &* voxel
          cubes &+= Int128(square &* voxel)
          // Up to 2^64: beyond Int, within UInt.
          fourths &+= Int128(UInt(bitPattern: square) &* UInt(bitPattern: square))
        }
        WordSum.add(cubes, to: words + layout.cube.place, count: 2)
        WordSum.add(fourths, to: words + layout.fourth.place, count: 2)
      }
      if layout.need.weighted {
        var along = 0
        for index in 0..<count { along &+= Int(truncatingIfNeeded: voxels[index]) &* index }
        Self.addWeighted(Int128(sum), Int128(along), run, 0, words, layout)
      }
      if layout.need.counts {
        let row = UInt64(Int(run.slot) * layout.channels + channel)
        found.add(voxels, count, base: row << 16)
      }
    }
    swap(&found, &counts)
    return nil
  }

  private mutating func addWide<V: FixedWidthInteger>(
    _ runs: [ObjectRun], _ channel: Int, _ voxels: UnsafeRawPointer, _ box: RowBox, _ type: V.Type
  ) -> Vector3? {
    let layout = layout
    forEach(runs, channel, voxels, box, type) { run, voxels, words in
      let count = Int(run.length)
      var (least, largest) = (V.max, V.min)
      var (sum, along): (Int128, Int128) = (0, 0)
      for index in 0..<count {
        let voxel = voxels[index]
        least = min(least, voxel)
        largest = max(largest, voxel)
        sum &+= Int128(voxel)
        along &+= Int128(voxel) &* Int128(index)
        if layout.need.squares {
          let square = voxel.magnitude.multipliedFullWidth(by: voxel.magnitude)
          let high = Int128(square.high) << Int128(V.bitWidth) | Int128(square.low)
          // The square of the largest 64-bit number fills 128 bits: it is added in two parts.
          if V.bitWidth < 64 {
            WordSum.add(high, to: words + layout.square.place, count: layout.square.count)
          } else {
            let square = words + layout.square.place
            WordSum.add(high & Int128(UInt64.max), to: square, count: layout.square.count)
            WordSum.add(
              (high >> 64) & Int128(UInt64.max), shift: 64, to: square, count: layout.square.count)
          }
        }
      }
      words[0] = min(words[0], orderedBits(least))
      words[1] = max(words[1], orderedBits(largest))
      WordSum.add(sum, to: words + layout.value.place, count: 2)
      if layout.need.weighted { Self.addWeighted(sum, along, run, 0, words, layout) }
    }
    return nil
  }

  private mutating func addFloats<V: BinaryFloatingPoint>(
    _ runs: [ObjectRun], _ channel: Int, _ voxels: UnsafeRawPointer, _ box: RowBox, _ type: V.Type
  ) -> Vector3? {
    let layout = layout
    let base = -layout.exponent
    var bad: Vector3?
    forEach(runs, channel, voxels, box, type) { run, voxels, words in
      for index in 0..<Int(run.length) {
        let voxel = Double(voxels[index])
        let bits = voxel.bitPattern
        let field = Int(truncatingIfNeeded: bits &>> 52) & 0x7ff
        if field == 0x7ff {
          if bad == nil { bad = Vector3(Int(run.z), Int(run.y), Int(run.x) + index) }
          return
        }
        words[0] = min(words[0], orderedBits(voxel))
        words[1] = max(words[1], orderedBits(voxel))
        if voxel == 0 { continue }
        let fraction = bits & 0xf_ffff_ffff_ffff
        var magnitude = field == 0 ? fraction : fraction | 1 << 52
        // Zero bits at the end would lie below the smallest number of a narrow type.
        let zeros = magnitude.trailingZeroBitCount
        magnitude >>= UInt64(zeros)
        let shift = max(field, 1) - 1075 + zeros + base
        let value = voxel < 0 ? -Int128(magnitude) : Int128(magnitude)
        WordSum.add(
          value, shift: shift, to: words + layout.value.place, count: layout.value.count)
        if layout.need.squares {
          WordSum.add(
            value * value, shift: 2 * shift, to: words + layout.square.place,
            count: layout.square.count)
        }
        if layout.need.weighted {
          var one = run
          one.x += Int32(index)
          Self.addWeighted(value, 0, one, shift, words, layout)
        }
      }
    }
    return bad
  }

  /// Adds voxels times z, y and x: of their sum, and of the sum of each times its place in the run.
  @inline(__always)
  private static func addWeighted(
    _ sum: Int128, _ along: Int128, _ run: ObjectRun, _ shift: Int,
    _ words: UnsafeMutablePointer<UInt64>, _ layout: SumsLayout
  ) {
    let (place, count) = (words + layout.weighted.place, layout.weighted.count)
    WordSum.add(sum &* Int128(run.z), shift: shift, to: place, count: count)
    WordSum.add(sum &* Int128(run.y), shift: shift, to: place + count, count: count)
    WordSum.add(sum &* Int128(run.x) &+ along, shift: shift, to: place + 2 * count, count: count)
  }
}

/// An integer as bits that compare like it.
@inline(__always)
func orderedBits<V: FixedWidthInteger>(_ value: V) -> UInt64 {
  V.isSigned
    ? UInt64(bitPattern: Int64(truncatingIfNeeded: value)) ^ 1 << 63
    : V.bitWidth == 64
      ? UInt64(truncatingIfNeeded: value)
      : UInt64(bitPattern: Int64(truncatingIfNeeded: value)) ^ 1 << 63
}

/// A finite number as bits that compare like it; both zeros are one.
@inline(__always)
func orderedBits(_ value: Double) -> UInt64 {
  let bits = (value == 0 ? 0 : value).bitPattern
  return bits >> 63 == 1 ? ~bits : bits | 1 << 63
}

/// The integer behind its ordered bits, except of unsigned 64-bit ones.
func integer(ordered bits: UInt64) -> Int64 { Int64(bitPattern: bits ^ 1 << 63) }

/// The number behind its ordered bits.
func number(ordered bits: UInt64) -> Double {
  Double(bitPattern: bits >> 63 == 1 ? bits & ~(1 << 63) : ~bits)
}
