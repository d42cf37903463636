package import OMGrid
package import OMJSON
import OMManifest
package import OMRun

/// Runs a task on a sample in many ways and compares what comes out with a run in one region.
package struct TaskTrials {
  /// The task with its parameters.
  package var request: RunRequest
  /// What it is tried on.
  package var sample: SampleImage
  /// The types that the sample is given besides its own.
  package var dataTypes: [DataType]
  /// How many rounds, and the seed of the first; the next has the next one.
  package var rounds: Int
  /// The seed of the first round.
  package var seed: Int
  /// Where temporary files go.
  package var folder: String

  /// Makes trials.
  ///
  /// A sample of a type that is none of `dataTypes` is given as one of the first of these.
  ///
  /// - Throws: A fault of kind `internal` for a sample that cannot be converted.
  package init(
    request: RunRequest, sample: SampleImage, dataTypes: [DataType], rounds: Int, seed: Int,
    folder: String
  ) throws(Fault) {
    self.request = request
    let isTaken = dataTypes.isEmpty || dataTypes.contains(sample.dataType)
    self.sample = try isTaken ? sample : sample.converted(to: dataTypes[0])
    self.dataTypes = dataTypes
    self.rounds = rounds
    self.seed = seed
    self.folder = folder
  }

  /// Whether the task may depend on the regions: then only threads are compared.
  private var dependsOnRegions: Bool { request.manifest.traits.exactness == .halo }

  /// Does all rounds, or those up to the first that differs.
  ///
  /// - Parameter progress: Called with the number of rounds that are done.
  /// - Returns: What was found.
  /// - Throws: What the task says to the whole sample, and what the disk says.
  package func run(progress: (Int) -> Void = { _ in }) throws -> TrialSummary {
    let trial = ImageTrial(request: request, folder: folder)
    var summary = TrialSummary()
    var known = Reference(
      number: 0, sample: sample,
      result: try trial.run(on: sample, TrialLayout(wholeOf: sample.shape)))
    for round in 0..<rounds {
      let seed = self.seed + round
      if known.number != seed / TrialCase.rounds {
        known = try reference(seed / TrialCase.rounds, trial, &summary)
      }
      var random = TrialRandom(seed: UInt64(bitPattern: Int64(seed)) ^ 0x6f6d_7461_736b)
      let layout = TrialLayout(of: known.sample, &random)
      if var difference = try compare(known, layout, trial, &summary) {
        difference.seed = seed
        summary.difference = difference
        return summary
      }
      progress(round + 1)
    }
    return summary
  }

  /// The sample of a case, and what one region makes of it.
  private struct Reference {
    let number: Int
    let sample: SampleImage
    /// Nil when the task does not take the sample.
    let result: TrialResult?
  }

  /// The reference of a case; where the task does not take a part of the sample, that of the whole.
  private func reference(
    _ number: Int, _ trial: ImageTrial, _ summary: inout TrialSummary
  ) throws -> Reference {
    let part = TrialCase(number, of: sample, dataTypes)
    var whole = part
    whole.box = Region(wholeOf: sample.shape)
    var last = sample
    for choice in part == whole ? [part] : [part, whole] {
      last = try choice.sample(of: sample)
      do {
        let result = try trial.run(on: last, TrialLayout(wholeOf: last.shape))
        return Reference(number: number, sample: last, result: result)
      } catch let fault as Fault where Self.isOfTask(fault) {
        summary.refuse(last, fault)
      }
    }
    return Reference(number: number, sample: last, result: nil)
  }

  private func compare(
    _ known: Reference, _ layout: TrialLayout, _ trial: ImageTrial, _ summary: inout TrialSummary
  ) throws -> Difference? {
    guard var reference = known.result else {
      summary.refused += 1
      return nil
    }
    var referenceLayout = TrialLayout(wholeOf: known.sample.shape)
    var difference: Difference?
    do {
      if dependsOnRegions {
        referenceLayout = layout.inOneThread
        reference = try trial.run(on: known.sample, referenceLayout)
      }
      difference = reference.difference(to: try trial.run(on: known.sample, layout))
    } catch let fault as Fault where Self.isOfTask(fault) {
      difference = Difference("one region gives a result, the trial fails: \(fault)")
    }
    guard difference != nil else {
      summary.add(known.sample, regions: layout.regionCount(of: known.sample))
      return nil
    }
    difference?.sample = known.sample.text
    difference?.reference = referenceLayout.text(of: known.sample)
    difference?.trial = layout.text(of: known.sample)
    return difference
  }

  /// Whether a fault is about what the task was given, and not about this machine or a stop.
  private static func isOfTask(_ fault: Fault) -> Bool {
    switch fault.kind {
    case .task, .program, .usage, .unsupported, .metadata: true
    default: false
    }
  }
}

/// The part of a sample that some rounds have in common, and its type.
struct TrialCase: Equatable {
  var box: Region
  var dataType: DataType

  /// So many rounds in a row are compared with the same reference.
  static let rounds = 2

  /// Chooses a part: case 0 is the whole sample as it is.
  init(_ number: Int, of sample: SampleImage, _ dataTypes: [DataType]) {
    var random = TrialRandom(seed: UInt64(bitPattern: Int64(number)))
    box = Region(wholeOf: sample.shape)
    dataType = sample.dataType
    if number == 0 { return }
    // Every other case has a type of its own, so that a few dozen rounds see all of them.
    let others = dataTypes.filter { $0 != sample.dataType }
    if !others.isEmpty && number % 2 == 1 { dataType = others[number / 2 % others.count] }
    if random.below(4) == 0 { return }
    for (axis, letter) in sample.axes.enumerated() where letter != "c" {
      let size = sample.shape[axis]
      // Mostly large parts of any size, and now and then a thin one.
      let isThin = random.below(6) == 0
      let length = isThin ? random.within(1...min(2, size)) : random.within((size + 1) / 2...size)
      (box.origin[axis], box.shape[axis]) = (random.below(size - length + 1), length)
    }
  }

  /// The voxels.
  func sample(of whole: SampleImage) throws(Fault) -> SampleImage {
    try whole.cropped(box).converted(to: dataType)
  }
}

extension SampleImage {
  /// Type, size and place for people.
  package var text: String {
    let size =
      "\(shape.map(String.init).joined(separator: " x ")) (\(axes.joined(separator: ", ")))"
    if origin.allSatisfy({ $0 == 0 }) { return "\(dataType), \(size)" }
    let start = zip(axes, origin).map { "\($0)=\($1)" }.joined(separator: " ")
    return "\(dataType), \(size) from \(start) on"
  }
}
