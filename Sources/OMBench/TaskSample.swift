import OMCodecs
import OMGrid
package import OMImage
import OMJSON
package import OMRun
import OMTask
import OMTaskTesting
import OMZarr

/// A part of an image, stored as the image is, on which a task shows what it costs.
///
/// It has some whole regions of the run, so that halos, write units and passes are those of the run.
package struct TaskSample {
  /// Its voxels.
  let sample: SampleImage
  /// How it is stored and cut.
  let layout: TrialLayout
  /// What its folder is called.
  let name: String
  /// What was left out, for people.
  package let notes: [String]

  /// About as many voxels make figures that hold, and still fit in memory.
  private static let budget = 1 << 25

  /// Cuts a sample out of an image.
  ///
  /// - Parameters:
  ///   - image: The image; it is only read.
  ///   - request: The task with its parameters.
  /// - Throws: What the task says to the image, and what reading throws.
  package init(_ image: OMEImage, _ request: RunRequest) throws {
    let setup = try ImageSetup(image.location, request)
    guard let plan = setup.plans.first else {
      throw Fault(.usage, image.location.displayName, "the task makes nothing of this image")
    }
    let array = try image.array(0)
    let metadata = array.metadata
    let letters = image.axes.map(\.letter)
    let cut = SampleCut(
      shape: metadata.shape, chunk: metadata.innerChunkShape, unit: metadata.storedChunkShape,
      letters: letters, plan: plan, budget: Self.budget)
    let reader = try SampleReader(image, box: cut.box)
    sample = reader.sample
    name = "sample"
    notes = reader.notes
    layout = TrialLayout(
      version: image.version.zarrFormat == 2 ? .v0_4 : .v0_5, chunk: metadata.innerChunkShape,
      shard: metadata.isSharded && image.version.zarrFormat == 3
        ? zip(cut.unit, metadata.innerChunkShape).map { $0 / $1 } : nil,
      compression: metadata.compression, growth: .units(cut.growth))
  }

  /// A sample of generated voxels, in regions of four by four chunks.
  package init(generated volume: BenchVolume) throws {
    sample = try SampleImage(bytes: volume.bytes, volume.dataType, shape: volume.shape)
    notes = []
    name = "sample"
    layout = TrialLayout(
      version: .v0_5, chunk: [64, 64, 64], shard: [1, 4, 4],
      compression: BenchCodec.bloscZstd.compression, growth: .units(Vector3(1, 1, 1)))
  }

  private init(sample: SampleImage, layout: TrialLayout) {
    (self.sample, self.layout, name, notes) = (sample, layout, "tiny", [])
  }

  /// The first chunk of it, for what a run costs without any voxels to speak of.
  func tiny() throws -> TaskSample {
    let shape = zip(sample.shape, layout.chunk).map { min($0, $1, 64) }
    return TaskSample(
      sample: try sample.cropped(Region(wholeOf: shape)), layout: layout)
  }

  /// Its size in words.
  package var text: String { sample.text }

  /// Stores it.
  func write(to path: String) throws { try SampleWriter(layout).write(sample, to: path) }
}

/// Which box of an image makes a good sample.
private struct SampleCut {
  var box: Region
  /// The write unit: that of the image, or a part of one that is too large.
  var unit: [Int]
  /// Write units of a region along z, y and x.
  var growth: Vector3

  init(
    shape: [Int], chunk: [Int], unit: [Int], letters: [String], plan: any ArrayPlan, budget: Int
  ) {
    let isSpace = letters.map { ["z", "y", "x"].contains($0) }
    // Regions of labels lack the channel; those of projections have one voxel along an axis.
    let drawn = plan.grid.cells.cellShape.count == letters.count
    let kept = letters.indices.filter { drawn || letters[$0] != "c" }
    var cell = shape
    for (place, axis) in kept.enumerated() where place < plan.grid.cells.cellShape.count {
      let made = plan.grid.cells.arrayShape[place]
      if made > 1 || shape[axis] == 1 {
        cell[axis] = min(shape[axis], plan.grid.cells.cellShape[place])
      }
    }
    var small = unit
    for (axis, letter) in letters.enumerated() where !isSpace[axis] {
      cell[axis] = letter == "t" ? min(shape[axis], max(1, unit[axis])) : shape[axis]
    }
    var box = cell
    while box.reduce(1, *) > budget {
      let axes = box.indices.filter { isSpace[$0] && box[$0] > chunk[$0] }
      guard let axis = axes.max(by: { box[$0] / chunk[$0] < box[$1] / chunk[$1] }) else { break }
      box[axis] = max(1, (box[axis] / chunk[axis]) / 2) * chunk[axis]
      cell[axis] = min(cell[axis], box[axis])
      small[axis] = min(small[axis], box[axis] / chunk[axis] * chunk[axis])
    }
    // Where the image has several regions the sample has, too: tasks look twice at such images.
    var grown = true
    while grown {
      grown = false
      for axis in box.indices.reversed() where isSpace[axis] && box[axis] < shape[axis] {
        let wider = min(shape[axis], box[axis] + cell[axis])
        let size = box.reduce(1, *) / box[axis] * wider
        // Two regions at least, even large ones.
        if size <= budget || (box == cell && size <= 2 * budget) {
          box[axis] = wider
          grown = true
        }
      }
    }
    var origin = shape.map { _ in 0 }
    for axis in shape.indices where isSpace[axis] {
      // The middle, where there is something to see, on the border of a region.
      origin[axis] = (shape[axis] - box[axis]) / 2 / cell[axis] * cell[axis]
    }
    self.box = Region(origin: origin, shape: box)
    self.unit = small
    let counts = ["z", "y", "x"].map { letter -> Int in
      guard let axis = letters.firstIndex(of: letter) else { return 1 }
      return max(1, (cell[axis] + small[axis] - 1) / max(1, small[axis]))
    }
    growth = Vector3(counts[0], counts[1], counts[2])
  }
}
