import Testing

@testable import OMRun

@Suite struct WindowsTests {
  @Test(
    arguments: [
      // fine, coarse, ratio, factor
      (10, 5, 2.0, 2), (11, 6, 2, 2), (11, 5, 2, 2), (9, 3, 3, 3), (10, 4, 3, 3), (10, 3, 3, 3),
      (1, 1, 2, 2), (1, 1, 1, 1), (7, 7, 1, 1), (3, 1, 4, 4), (16, 1, 16, 16), (5, 2, 2.0001, 2),
      // A wrong or missing ratio leaves the sizes.
      (10, 5, 1, 2), (11, 6, .nan, 2), (12, 3, -1, 4), (11, 4, 0, 3),
      // No whole number fits.
      (10, 7, 1.43, nil), (7, 4, 1.75, 2), (9, 7, 1.3, nil),
    ] as [(Int, Int, Double, Int?)])
  func `the factor fits both sizes, rounded up or down`(
    fine: Int, coarse: Int, ratio: Double, factor: Int?
  ) {
    #expect(Windows(fine: fine, coarse: coarse, ratio: ratio).factor == factor)
  }

  @Test(arguments: 1...24)
  func `windows are in order, do not overlap and are never empty`(fine: Int) {
    for coarse in 1...fine {
      for ratio in [1, 2, 3, 4, Double(fine) / Double(coarse)] {
        let windows = Windows(fine: fine, coarse: coarse, ratio: ratio)
        var end = 0
        for index in 0..<coarse {
          let window = windows.window(index)
          #expect(window.lowerBound == end && !window.isEmpty, "\(windows) \(index)")
          end = window.upperBound
        }
        #expect(end <= fine)
        // Rounding the size down leaves out less than one window.
        if let factor = windows.factor { #expect(fine - end < factor, "\(windows)") }
        if windows.factor == nil { #expect(end == fine, "\(windows)") }
      }
    }
  }

  @Test(arguments: 1...24)
  func `a range makes just the windows that lie in it`(fine: Int) {
    for coarse in 1...fine {
      let windows = Windows(fine: fine, coarse: coarse, ratio: Double(fine) / Double(coarse))
      for low in 0..<fine {
        for high in low + 1...fine {
          guard let made = windows.coarser(of: low..<high) else { continue }
          let inside = (0..<coarse).filter {
            low <= windows.window($0).lowerBound && windows.window($0).upperBound <= high
          }
          #expect(Array(made) == inside, "\(windows) of \(low)..<\(high)")
          // Nothing of the range is left for a window that it cuts.
          let cut = (0..<coarse).contains { index in
            let window = windows.window(index)
            return window.overlaps(low..<high) && !made.contains(index)
          }
          #expect(!cut, "\(windows) of \(low)..<\(high)")
        }
      }
      #expect(windows.coarser(of: 0..<fine) == 0..<coarse)
    }
  }

  @Test func `a range that cuts a window makes nothing`() {
    let windows = Windows(fine: 11, coarse: 6, ratio: 2)
    #expect(windows.coarser(of: 1..<4) == nil)
    #expect(windows.coarser(of: 2..<5) == nil)
    #expect(windows.coarser(of: 10..<11) == 5..<6)
    #expect(Windows(fine: 11, coarse: 5, ratio: 2).coarser(of: 10..<11)?.isEmpty == true)
    let unequal = Windows(fine: 10, coarse: 7, ratio: 1.43)
    #expect(unequal.coarser(of: 0..<5) == nil)
  }

  @Test(arguments: 1...16)
  func `the coarser voxels that touch a range hold every window that does`(fine: Int) {
    for coarse in 1...fine {
      for ratio in [2, 3, Double(fine) / Double(coarse)] {
        let windows = Windows(fine: fine, coarse: coarse, ratio: ratio)
        for start in 0..<fine {
          for end in start + 1...fine {
            let touching = windows.coarser(touching: start..<end)
            #expect(touching.lowerBound >= 0 && touching.upperBound <= coarse)
            for index in 0..<coarse where windows.window(index).overlaps(start..<end) {
              #expect(touching.contains(index), "\(windows) \(start)..<\(end) \(index)")
            }
          }
        }
      }
    }
  }
}
