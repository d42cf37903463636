import ArgumentParser
import OMGrid

/// `--part 2/8`: the third of eight parts.
struct PartSetting: ExpressibleByArgument, Equatable {
  let part: WorkPart

  init?(argument: String) {
    let words = argument.split(separator: "/", omittingEmptySubsequences: false)
    guard words.count == 2, let index = Int(words[0]), let count = Int(words[1]),
      PartCount.range ~= count, let part = WorkPart(index, of: count)
    else { return nil }
    self.part = part
  }
}

/// Into how many parts images may be cut: Fractal takes no more.
enum PartCount {
  static let range = 1...20_000
}
