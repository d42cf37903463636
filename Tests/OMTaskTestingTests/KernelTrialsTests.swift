import OMGrid
import OMJSON
import OMTask
import OMTaskTesting
import Testing

@Suite struct KernelTrialsTests {
  static let shapes = [[40, 50], [7, 20, 25], [2, 3, 4, 12, 15], [1, 1], [3, 1, 9]]

  @Test(arguments: shapes)
  func `a kernel within its halo is confirmed`(shape: [Int]) throws {
    let sample = try SampleImage.blobs(.uint16, shape: shape)
    let summary = try Trials(rounds: 12, dataTypes: DataType.allCases).check(
      Largest(halo: 2), on: sample)
    #expect(summary.equal == 12)
    #expect(summary.dataTypes.count > 3)
  }

  @Test(arguments: [TileReach.plane, .volume])
  func `a kernel sees as much as it asks for`(reach: TileReach) throws {
    let sample = try SampleImage.blobs(.uint8, shape: [6, 20, 25])
    // It looks everywhere, also beyond its halo, but for planes beside it.
    let looks = Largest(halo: 0, looks: reach == .plane ? 0 : 99, reach: reach)
    #expect(try Trials(rounds: 10).check(looks, on: sample).equal == 10)
  }

  @Test func `a halo that is too small is found, with the first voxel that differs`() throws {
    let sample = try SampleImage.blobs(.uint16, shape: [3, 30, 40])
    let difference = try #require(throws: Difference.self) {
      try Trials().check(Largest(halo: 1, looks: 2), on: sample)
    }
    #expect(difference.place.map(\.axis) == ["z", "y", "x"])
    #expect(difference.message.hasPrefix("the first voxel that differs: the tile, z="))
    #expect(difference.expected != difference.found)
    #expect(difference.description.contains("boxes that end at"))
    let again = try #require(throws: Difference.self) {
      try Trials(rounds: 1, seed: difference.seed).check(Largest(halo: 1, looks: 2), on: sample)
    }
    #expect(again == difference)
  }

  @Test(arguments: [
    (Copy.Error.origin, "the first voxel that differs"), (.beside, "writes beside its tile"),
    (.remembers, "the first voxel that differs"), (.throwsFault, "the trial fails: x is not 0"),
  ])
  func `what else goes wrong is found`(error: Copy.Error, says: String) throws {
    let sample = try SampleImage.blobs(.float32, shape: [5, 30, 40])
    let difference = try #require(throws: Difference.self) {
      try Trials().check(Copy(error: error), on: sample)
    }
    #expect(difference.message.contains(says))
  }

  @Test func `a voxel that is left out is found`() throws {
    let sample = try SampleImage.blobs(.uint8, shape: [5, 6])
    #expect(throws: Difference.self) { try Trials().check(Sparing(), on: sample) }
  }

  @Test func `a mask of rows is that of the whole`() throws {
    let sample = try SampleImage.blobs(.uint16, shape: [5, 30, 40])
    #expect(try Trials(rounds: 5).check(Above(level: 30_000), on: sample).equal == 5)
    let difference = try #require(throws: Difference.self) {
      try Trials().check(Above(level: 30_000, forgetsFirst: true), on: sample)
    }
    #expect(difference.message.hasPrefix("the first voxel that differs: the mask, z="))
  }

  private struct Above: MaskKernel {
    let level: Double
    var forgetsFirst = false

    func mask<V: Voxel>(
      _ voxels: UnsafePointer<V>, _ mask: UnsafeMutablePointer<UInt8>, count: Int
    ) {
      for index in 0..<count { mask[index] = voxels[index].number > level ? 1 : 0 }
      if forgetsFirst { mask[0] = 7 }
    }
  }
}
