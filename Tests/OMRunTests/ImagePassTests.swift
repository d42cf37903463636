import OMGrid
import OMTask
import Testing

@testable import OMRun

@Suite struct ImagePassTests {
  /// What a single label image asks for, and the passes that it takes.
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let recipe: LabelRecipe
    var dataType: DataType = .uint16
    var memory = 1 << 30
    var preset = false
    let passes: [ImagePass]
  }

  /// The image has 2 x 4 x 16 x 16 voxels, each volume lies in one region.
  static let cases: [Case] = [
    Case(
      testDescription: "a fixed threshold makes a mask at once",
      recipe: .outline(objects: false), passes: [.mask]),
    Case(
      testDescription: "objects of a fixed threshold", recipe: .outline(),
      passes: [.objects, .labels]),
    Case(
      testDescription: "a mask needs its threshold first",
      recipe: .outline(statistics: .histogram, objects: false), passes: [.statistics, .mask]),
    Case(
      testDescription: "a volume in one region is its own scope",
      recipe: .outline(statistics: .histogram), passes: [.objects, .labels]),
    Case(
      testDescription: "a plane in one region is its own scope",
      recipe: .outline(statistics: .histogram, scope: .plane), passes: [.objects, .labels]),
    Case(
      testDescription: "a volume that does not fit in memory", recipe: .outline(statistics: .sum),
      memory: 16 << 20, passes: [.statistics, .objects, .labels]),
    Case(
      testDescription: "a channel has several regions",
      recipe: .outline(statistics: .histogram, scope: .channel),
      passes: [.statistics, .objects, .labels]),
    Case(
      testDescription: "an image has several regions",
      recipe: .outline(statistics: .histogram, scope: .image),
      passes: [.statistics, .objects, .labels]),
    Case(
      testDescription: "floating-point numbers need their range first",
      recipe: .outline(statistics: .histogram, scope: .channel), dataType: .float32,
      passes: [.statistics, .statisticsInRange, .objects, .labels]),
    Case(
      testDescription: "floating-point numbers in a mask",
      recipe: .outline(statistics: .fineHistogram, objects: false), dataType: .float32,
      passes: [.statistics, .statisticsInRange, .mask]),
    Case(
      testDescription: "a mean needs no range", recipe: .outline(statistics: .sum, objects: false),
      dataType: .float32, passes: [.statistics, .mask]),
    Case(
      testDescription: "thresholds of the plate are known",
      recipe: .outline(statistics: .histogram, scope: .plate), dataType: .float32, preset: true,
      passes: [.objects, .labels]),
  ]

  @Test(arguments: cases)
  func `an image is read as often as needed`(one: Case) throws {
    let image = try PlannedImage(
      "tzyx", [2, 4, 16, 16], chunk: [1, 4, 16, 16], dataType: one.dataType)
    let plan = try image.plan(one.recipe)
    #expect(ImagePass.all([plan], memory: one.memory, preset: one.preset) == one.passes)
  }

  @Test func `a scope of several regions has a pass of its own`() throws {
    let image = try PlannedImage("zyx", [1, 1500, 1000], chunk: [1, 1024, 1024])
    let passes = ImagePass.all(
      [try image.plan(.outline(statistics: .histogram))], memory: 1 << 40, preset: false)
    #expect(passes == [.statistics, .objects, .labels])
  }

  @Test func `label images share the passes that any of them needs`() throws {
    let image = try PlannedImage("cyx", [2, 16, 16], chunk: [1, 16, 16], dataType: .float32)
    let mask = try image.plan(.outline(statistics: .histogram, objects: false))
    let objects = try image.plan(.outline(channels: [1], statistics: .histogram))
    let fixed = try image.plan(.outline(channels: [1], objects: false))
    func passes(_ plans: LabelPlan...) -> [ImagePass] {
      ImagePass.all(plans, memory: 1 << 30, preset: false)
    }
    #expect(passes(mask, objects) == [.statistics, .statisticsInRange, .objects, .labels])
    #expect(passes(fixed, objects) == [.objects, .labels])
    #expect(passes(fixed, mask) == [.statistics, .statisticsInRange, .mask])
  }
}
