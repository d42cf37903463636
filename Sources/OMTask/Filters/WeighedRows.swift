/// Sums of weighted rows, eight voxels at a time.
///
/// All of them add in the order of SciPy, on which the last bit depends: the centre, then pairs of
/// neighbours from the farthest to the nearest. Eight doubles in registers are the fastest on
/// machines with and without AVX2 (sixteen spill without it, plain loops store after every pair).

/// Smooths across rows.
///
/// - Parameters:
///   - rows: One row for every place of the window, the centre in the middle.
///   - offset: Where in the rows to begin.
///   - weights: The weight of the centre, then outwards.
///   - target: Room for the sums, apart from the rows.
///   - count: How many sums.
func weigh<V: Voxel>(
  _ rows: UnsafePointer<UnsafePointer<V>>, offset: Int, _ weights: [Double],
  into target: UnsafeMutablePointer<Double>, count: Int
) {
  let radius = weights.count - 1
  weights.withUnsafeBufferPointer { weights in
    inEights(count) { i in
      let column = offset + i
      var sum = V.numbers(rows[radius] + column) * weights[0]
      var k = radius
      while k > 0 {
        sum += V.sums(rows[radius - k] + column, rows[radius + k] + column) * weights[k]
        k -= 1
      }
      UnsafeMutableRawPointer(target + i).storeBytes(of: sum, as: SIMD8<Double>.self)
    } one: { i in
      let column = offset + i
      var sum = rows[radius][column].number * weights[0]
      for k in stride(from: radius, to: 0, by: -1) {
        sum += (rows[radius - k][column].number + rows[radius + k][column].number) * weights[k]
      }
      target[i] = sum
    }
  }
}

/// Smooths along a line.
///
/// - Parameters:
///   - line: The centre of the first window; the line reaches a radius farther on both sides.
///   - weights: The weight of the centre, then outwards.
///   - target: Room for the sums, apart from the line.
///   - count: How many sums.
func weigh(
  _ line: UnsafePointer<Double>, _ weights: [Double],
  into target: UnsafeMutablePointer<Double>, count: Int
) {
  let radius = weights.count - 1
  weights.withUnsafeBufferPointer { weights in
    inEights(count) { i in
      let centre = line + i
      var sum = Double.numbers(centre) * weights[0]
      var k = radius
      while k > 0 {
        sum += Double.sums(centre - k, centre + k) * weights[k]
        k -= 1
      }
      UnsafeMutableRawPointer(target + i).storeBytes(of: sum, as: SIMD8<Double>.self)
    } one: { i in
      var sum = line[i] * weights[0]
      for k in stride(from: radius, to: 0, by: -1) {
        sum += (line[i - k] + line[i + k]) * weights[k]
      }
      target[i] = sum
    }
  }
}

/// Reads a row of voxels as numbers.
func readNumbers<V: Voxel>(
  _ voxels: UnsafePointer<V>, into numbers: UnsafeMutablePointer<Double>, count: Int
) {
  inEights(count) { i in
    let eight = V.numbers(voxels + i)
    UnsafeMutableRawPointer(numbers + i).storeBytes(of: eight, as: SIMD8<Double>.self)
  } one: { i in
    numbers[i] = voxels[i].number
  }
}

/// Visits the indices below a count in eights, the last of which overlap; short rows one by one.
@inline(__always)
private func inEights(_ count: Int, _ eight: (Int) -> Void, one: (Int) -> Void) {
  guard count >= 8 else {
    for i in 0..<count { one(i) }
    return
  }
  var i = 0
  while i + 8 <= count {
    eight(i)
    i += 8
  }
  if i < count { eight(count - 8) }
}
