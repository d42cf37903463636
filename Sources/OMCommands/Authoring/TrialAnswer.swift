import OMGrid
import OMJSON
import OMManifest
import OMTaskTesting

/// What trying a task in many pieces gave, for a person and for a program.
struct TrialAnswer: Answer {
  let traits: TaskTraits
  let task: String
  let rounds: Int
  let sample: SampleImage
  let summary: TrialSummary
  /// The call that repeats a round.
  let again: (Int) -> String

  /// The most samples that the task did not take and that are told one by one.
  private static let shown = 5

  private var dependsOnRegions: Bool { traits.exactness == .halo }

  /// What the class promises of the cut.
  private var promise: String {
    dependsOnRegions
      ? "the same bit for bit on any number of threads" : "the same bit for bit however it is cut"
  }

  private var title: String { "\(task) (class \(traits.exactness?.rawValue ?? "none"))" }

  /// Why the call fails; nil when the class is confirmed.
  var fault: Fault? {
    if summary.difference != nil {
      return Fault(
        .task, "",
        dependsOnRegions
          ? "the result of \(task) differs between threads"
          : "the result of \(task) depends on how the work is cut",
        hint:
          "is the `halo` as wide as it looks? does it use anything but its voxels, their place in "
          + "the volume and its parameters?")
    }
    if summary.equal == 0 {
      return Fault(
        .task, "", "no round could be compared", hint: "another `--seed` takes other parts")
    }
    return nil
  }

  var lines: [String] {
    if let difference = summary.difference {
      return [
        "\(title): not \(promise), after \(counted(summary.equal, "equal round"))"
      ] + difference.lines + ["  again: \(again(difference.seed))"]
    }
    let types = summary.dataTypes.map(\.rawValue).joined(separator: ", ")
    var lines = [
      "\(title): \(promise), in \(summary.equal) of \(counted(rounds, "round"))",
      "  up to \(counted(summary.mostRegions, "region")) of \(sample.text); types: \(types)",
    ]
    if summary.mostRegions == 1 && summary.equal > 0 {
      lines.append("  no round had a second region; with a larger sample this says more")
    }
    if !summary.refusals.isEmpty {
      let count = summary.refused > 0 ? " (\(counted(summary.refused, "round")) not compared)" : ""
      lines.append("  the task does not take\(count)")
      lines += summary.refusals.prefix(Self.shown).map { "    \($0)" }
      if summary.refusals.count > Self.shown {
        lines.append("    and \(summary.refusals.count - Self.shown) more")
      }
    }
    return lines
  }

  var json: JSON {
    var document: JSONObject = [
      "task": .string(task), "class": .string(traits.exactness?.rawValue ?? "none"),
      "confirmed": .bool(fault == nil), "rounds": JSON(rounds), "equal": JSON(summary.equal),
      "refused": JSON(summary.refused), "refusals": .array(summary.refusals.map { .string($0) }),
      "dtypes": .array(summary.dataTypes.map { .string($0.rawValue) }),
      "regions": JSON(summary.mostRegions), "difference": .null,
    ]
    if let difference = summary.difference {
      var place = JSONObject()
      for side in difference.place { place[side.axis] = JSON(side.index) }
      document["difference"] = [
        "message": .string(difference.message), "place": .object(place),
        "expected": difference.expected.map { .string($0) } ?? .null,
        "found": difference.found.map { .string($0) } ?? .null,
        "sample": .string(difference.sample), "reference": .string(difference.reference),
        "trial": .string(difference.trial), "seed": JSON(difference.seed),
        "again": .string(again(difference.seed)),
      ]
    }
    return .object(document)
  }
}
