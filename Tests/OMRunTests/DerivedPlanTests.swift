import OMGrid
import OMJSON
import OMTask
import OMZarr
import Testing

@testable import OMRun

@Suite struct DerivedPlanTests {
  private func projection(_ axis: String) -> ImageRecipe {
    ImageRecipe(
      suffix: "max", making: .projection(Projection(axis: axis, method: .max)),
      dataType: .uint16, downsampling: .stride)
  }

  private func filter(_ halo: Vector3) -> ImageRecipe {
    ImageRecipe(
      suffix: "same", making: .tiles { _ in Copying(halo: halo) }, dataType: .uint16,
      downsampling: .stride)
  }

  @Test func `a projection has planes large enough to be chunks and shards`() throws {
    let image = try PlannedImage(
      "zyx", [256, 1024, 1024], chunk: [64, 64, 64], shard: [256, 256, 256], levels: 3)
    let layouts = try image.plan(projection("z")).layouts(.uint16)
    #expect(layouts.map(\.shape) == [[1, 1024, 1024], [1, 512, 512], [1, 256, 256]])
    #expect(layouts[0].chunkShape == [1, 256, 256])
    #expect(layouts[0].shardShape == [1, 512, 512])
  }

  @Test func `a small projection is one chunk`() throws {
    let image = try PlannedImage("czyx", [2, 10, 30, 50], chunk: [1, 5, 16, 16])
    let layout = try image.plan(projection("z")).layouts(.uint16)[0]
    #expect(layout.shape == [2, 1, 30, 50])
    #expect(zip(layout.chunkShape, [1, 1, 30, 50]).allSatisfy { $0 >= $1 })
    #expect(layout.shardShape == nil)
  }

  @Test func `an axis that the image lacks cannot be projected`() throws {
    let image = try PlannedImage("zyx", [4, 8, 8], chunk: [4, 8, 8])
    let fault = #expect(throws: Fault.self) { try image.plan(projection("t")) }
    #expect(fault?.message == "`axis` is `t`, the image has z, y, x")
  }

  @Test func `what is read has the halo on all sides but beyond the image`() throws {
    let image = try PlannedImage("tzyx", [3, 8, 30, 40], chunk: [1, 8, 10, 10])
    let plan = try image.plan(filter(Vector3(2, 3, 4)))
    let box = Region(origin: [1, 0, 10, 30], shape: [1, 8, 10, 10])
    let read = plan.axes.grown(box, by: Vector3(2, 3, 4), within: plan.source.metadata.shape)
    #expect(read == Region(origin: [1, 0, 7, 26], shape: [1, 8, 16, 14]))
  }

  @Test func `the halo counts in memory and in what is decoded`() throws {
    let image = try PlannedImage(
      "zyx", [256, 1024, 1024], chunk: [64, 64, 64], shard: [256, 256, 256])
    let flat = try image.plan(filter(Vector3(0, 0, 0)))
    let deep = try image.plan(filter(Vector3(0, 32, 32)))
    let more = 256 * (320 * 320 - 256 * 256) * 2
    #expect(deep.workerBytes(share: 0) - flat.workerBytes(share: 0) >= more)
    #expect(flat.decodings(memory: 0) == 1)
    #expect(deep.decodings(memory: 0) == 320.0 * 320 / 256 / 256)
  }

  @Test func `only the selected voxels are read`() throws {
    let image = try PlannedImage("tzyx", [3, 8, 30, 40], chunk: [1, 8, 10, 10])
    let plan = try image.plan(projection("z"), selection: ["z": 2..<5, "t": 1..<2])
    let region = Region(origin: [1, 0, 0, 0], shape: [1, 1, 10, 10])
    #expect(plan.sourceBox(of: region) == Region(origin: [1, 2, 0, 0], shape: [1, 3, 10, 10]))
    let other = Region(origin: [0, 0, 0, 0], shape: [1, 1, 10, 10])
    #expect(plan.sourceBox(of: other) == nil)
    #expect(plan.processedVoxels == 3 * 30 * 40)
  }
}

/// Takes every voxel as it is.
private struct Copying: TileKernel {
  let halo: Vector3

  func apply<V: Voxel>(
    _ input: Tile<V>, _ output: OutputTile, scratch: TileScratch
  ) throws(Fault) {
    for z in output.origin.z..<output.origin.z + output.shape.z {
      for y in output.origin.y..<output.origin.y + output.shape.y {
        let row = output.row(z: z, y: y, V.self)
        row.update(
          from: input.row(z: z, y: y) + output.origin.x - input.origin.x,
          count: output.shape.x)
      }
    }
  }
}
