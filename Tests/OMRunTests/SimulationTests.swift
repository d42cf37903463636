import OMJSON
import Testing

@testable import OMRun

@Suite struct NodeWalkTests {
  private func walk(
    _ queues: [[Double]], workers: Int, cores: Int, contention: Double = 1
  ) -> Double {
    var machine = SimulatedMachine(cores: cores, ranksPerNode: queues.count)
    machine.contention = contention
    return NodeWalk.seconds(
      queues.map { $0.map { SimulatedJob(cpu: $0) } }, workers: workers, machine)
  }

  @Test func `workers take the next piece when they are free`() {
    #expect(walk([[3, 1, 1, 1]], workers: 2, cores: 2) == 3)
    #expect(walk([[1, 1, 1, 3]], workers: 2, cores: 2) == 4)
    #expect(walk([[]], workers: 2, cores: 2) == 0)
  }

  @Test func `ranks that share cores take as long as their work together`() {
    let four = [[Double]](repeating: [1, 1], count: 4)
    #expect(abs(walk(four, workers: 1, cores: 2) - 4) < 1e-9)
    #expect(abs(walk(four, workers: 1, cores: 4) - 2) < 1e-9)
    // The rank that is left alone has a core to itself.
    #expect(abs(walk([[4], [1]], workers: 1, cores: 1) - 5) < 1e-9)
  }

  @Test func `a busy machine is slower by what was measured`() {
    #expect(abs(walk([[1], [1]], workers: 1, cores: 2, contention: 1.5) - 1.5) < 1e-9)
    #expect(abs(walk([[1]], workers: 1, cores: 2, contention: 1.5) - 1) < 1e-9)
  }

  @Test func `who waits needs no core`() {
    let machine = SimulatedMachine(cores: 1, ranksPerNode: 2)
    let queues = [[SimulatedJob(cpu: 2)], [SimulatedJob(cpu: 1, wait: 1)]]
    #expect(abs(NodeWalk.seconds(queues, workers: 1, machine) - 3) < 1e-9)
  }

  @Test(arguments: [1, 3, 8])
  func `no time is shorter than the work and none longer than one after the other`(workers: Int) {
    let jobs = (0..<200).map { Double(($0 * 7919) % 101) / 10 }
    let sum = jobs.reduce(0, +)
    let seconds = walk([jobs], workers: workers, cores: 4)
    #expect(seconds >= sum / Double(min(workers, 4)) - 1e-6 && seconds <= sum + 1e-6)
  }
}

@Suite struct CostModelTests {
  static var model: CostModel {
    var model = CostModel()
    (model.host, model.processor, model.cores) = ("here", "some CPU", 2)
    model.codecs = [
      CodecCosts(name: "zstd", dataType: "uint16", decode: 1e9, encode: 2e8, ratio: 2)
    ]
    (model.files.create, model.files.sync) = (1e-4, 2e-3)
    (model.launch.process, model.launch.alone) = (0.01, 0.02)
    model.launch.ranks = [
      RankCosts(ranks: 1, start: 0.3, run: 0.03), RankCosts(ranks: 2, start: 0.35, run: 0.05),
      RankCosts(ranks: 4, start: 0.5, run: 0.09),
    ]
    model.tasks = [costs]
    return model
  }

  static var costs: TaskCosts {
    TaskCosts(
      task: "threshold", parameters: ["method": "otsu"], dataType: "uint16", codec: "zstd",
      voxels: 1000, decodings: 2, run: 0.001, image: 0.002, commit: 0.003, sync: 1e-3,
      crowdedSync: 2e-3, between: 1e-10, contention: 1.1, written: 0.1,
      passes: [PassCosts(name: "objects", cpu: 1e-9, wait: 0)])
  }

  @Test func `a model is read as it was written`() throws {
    let text = Self.model.document.text(indent: 2)
    let read = try CostModel(
      JSON(parsing: Array(text.utf8), subject: "m.json"), subject: "m.json")
    #expect(read == Self.model)
  }

  @Test func `a model of another version is refused with a way out`() throws {
    var document = try #require(Self.model.document.objectValue)
    document["version"] = 9
    let fault = try #require(throws: Fault.self) {
      try CostModel(.object(document), subject: "m.json")
    }
    #expect(fault.description == "m.json: has the version 9, this program reads 1")
    #expect(fault.hint == "`omtask bench` measures a new one")
    document["version"] = 1
    document["files"] = nil
    #expect(throws: Fault.self) { try CostModel(.object(document), subject: "m.json") }
    #expect(throws: Fault.self) { try CostModel([:], subject: "m.json") }
  }

  @Test func `a task that is measured again takes the place of its figures`() {
    var model = Self.model
    var again = Self.costs
    again.image = 1
    model.add(again)
    #expect(model.tasks == [again])
    again.parameters = ["method": "li"]
    model.add(again)
    #expect(model.tasks.count == 2)
  }

  @Test func `start and messages grow with the ranks of a machine and the number of machines`() {
    let launch = Self.model.launch
    #expect(launch.start(ranks: 1, ranksPerNode: 4) == 0.01)
    #expect(launch.talk(ranks: 1, ranksPerNode: 4) == 0)
    #expect(abs(launch.start(ranks: 4, ranksPerNode: 4) - 0.5) < 1e-9)
    #expect(abs(launch.start(ranks: 3, ranksPerNode: 4) - 0.425) < 1e-9)
    #expect(abs(launch.talk(ranks: 2, ranksPerNode: 2) - 0.03) < 1e-9)
    #expect(abs(launch.talk(ranks: 16, ranksPerNode: 2) - (0.03 + 3 * 0.03)) < 1e-9)
  }
}
