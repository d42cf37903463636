import ArgumentParser
import OMGrid
import OMJSON

/// `--part 2/8`: the third of eight parts; `--part auto`: the element of a job array.
enum PartSetting: ExpressibleByArgument, Equatable {
  /// The part that was named.
  case named(WorkPart)
  /// The element of the job array of Slurm that this process is.
  case element

  init?(argument: String) {
    if argument == "auto" {
      self = .element
      return
    }
    let words = argument.split(separator: "/", omittingEmptySubsequences: false)
    guard words.count == 2, let index = Int(words[0]), let count = Int(words[1]),
      PartCount.range ~= count, let part = WorkPart(index, of: count)
    else { return nil }
    self = .named(part)
  }

  /// The part that this process does.
  ///
  /// - Throws: A fault of kind `usage` when there is no job array, or it does not say how many parts
  ///   there are.
  func part(in environment: Environment) throws(Fault) -> WorkPart {
    switch self {
    case .named(let part): part
    case .element: try Self.element(environment)
    }
  }

  /// Elements from 0 or from 1 on, without gaps: only then their count is that of the parts.
  private static func element(_ environment: Environment) throws(Fault) -> WorkPart {
    guard let element = environment.number("SLURM_ARRAY_TASK_ID"),
      let count = environment.number("SLURM_ARRAY_TASK_COUNT"),
      let first = environment.number("SLURM_ARRAY_TASK_MIN")
    else {
      throw Fault(
        .usage, "--part", "`auto` takes the part from a job array, and this is none",
        hint: "submit it with `sbatch --array=0-7`, or name the part: `--part 0/8`")
    }
    let isWhole = first == 0 || (first == 1 && count > 1)
    guard isWhole, PartCount.range ~= count, let part = WorkPart(element - first, of: count) else {
      throw Fault(
        .usage, "--part",
        "`auto` needs a job array from 0 on without gaps; of \(counted(count, "element")) the first is "
          + "\(first), and this is \(element)",
        hint: "to send one part again name it: `--part \(element)/N`, where N counts all parts")
    }
    return part
  }
}

/// Into how many parts images may be cut: Fractal takes no more.
enum PartCount {
  static let range = 1...20_000
}
