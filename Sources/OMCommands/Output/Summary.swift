import OMGrid
import OMJSON
import OMRun

/// The end of a run for a person: what was made, how fast, and where it is.
enum Summary {
  /// The most outputs that are listed one by one.
  private static let listed = 8

  /// The lines of a finished run; failures are told by ``failures(of:)``.
  static func lines(_ report: RunReport) -> [String] {
    let made = report.images.flatMap(\.outputs)
    var lines = counts(report)
    for output in made.prefix(listed) { lines += self.output(output) }
    if made.count > listed {
      let objects = made.compactMap(\.objects)
      let total = objects.isEmpty ? "" : ", \(counted(objects.reduce(0, +), "object")) in all"
      lines.append("and \(made.count - listed) more results\(total)")
    }
    if report.images.contains(where: { $0.status == .done }) {
      lines += [report.images.contains { $0.answer != nil } ? time(report) : work(report)]
    }
    if report.absentChunks > 0 {
      lines.append(
        "\(counted(report.absentChunks, "chunk")) of the input not stored, taken as fill value")
    }
    if report.damagedChunks > 0 {
      lines.append(
        "\(counted(report.damagedChunks, "damaged chunk")) of the input taken as fill value; "
          + "`--report` lists them")
    }
    if let first = made.first, first.kind == .table {
      let image = report.images.first { !$0.outputs.isEmpty }?.uri ?? ""
      // A table of its own (`--output`) is read by other programs.
      if first.uri.hasPrefix(image + "/") {
        lines.append("to look at it: omtask table \(shellWord(image)) \(shellWord(first.name))")
      }
    } else if let first = made.first,
      let image = report.images.first(where: { !$0.outputs.isEmpty })
    {
      // A derived image or a label image of its own (`--output`) is looked at by itself.
      let isInside = first.kind == .label && first.uri.hasPrefix(image.uri + "/")
      let what =
        isInside
        ? "\(shellWord(image.uri)) --label \(shellWord(first.name))" : shellWord(first.uri)
      lines.append(
        "to look at it: omtask preview \(what) --png \(shellWord(first.name + ".png"))")
    }
    return lines
  }

  /// One fault per failed image, with the image in front, and one for an image whose results are not
  /// what the task declares.
  static func failures(of report: RunReport) -> [Fault] {
    report.images.compactMap { image in
      if let first = image.mismatches.first {
        return Fault(
          .internal, image.uri, first, facts: Array(image.mismatches.dropFirst()),
          hint: "the task or its manifest (`outputs`, `output_types`) is wrong; results stay")
      }
      guard var fault = image.fault else { return nil }
      if !fault.description.contains(image.uri) {
        fault.subject = fault.subject.isEmpty ? image.uri : "\(image.uri): \(fault.subject)"
      }
      return fault
    }
  }

  /// `381 images done, 0 skipped, 3 failed`, or a word for a single image; nothing where its failure
  /// says it all.
  private static func counts(_ report: RunReport) -> [String] {
    if let only = report.images.first, report.images.count == 1 {
      switch only.status {
      case .done: return ["done: \(only.uri)"]
      case .skipped:
        return ["nothing to do: \(only.uri)\(only.note.map { " (\($0))" } ?? "")"]
      case .part: return ["\(only.note ?? "a part is done"): \(only.uri)"]
      case .failed: return []
      }
    }
    let number = { (status: ImageReport.Status) in report.images.count { $0.status == status } }
    let parts = number(.part) > 0 ? "\(number(.part)) in part, " : ""
    return [
      "\(counted(number(.done), report.unit)) done, \(parts)\(number(.skipped)) skipped, "
        + "\(number(.failed)) failed"
    ]
  }

  /// Where a result is, and what is in it.
  private static func output(_ output: OutputReport) -> [String] {
    var facts: [String] = []
    if let objects = output.objects { facts.append(counted(objects, "object")) }
    if let thresholds = thresholds(output.thresholds) { facts.append(thresholds) }
    if let rows = output.rows { facts.append(counted(rows, "row")) }
    if let dataType = output.dataType { facts.append(dataType.rawValue) }
    return ["  \(output.uri)" + (facts.isEmpty ? "" : ": \(facts.joined(separator: ", "))")]
      + output.notes.map { "    note: \($0)" }
  }

  /// The thresholds in words: `threshold 412`, or `40 thresholds from 390.5 to 421`.
  static func thresholds(_ thresholds: [ScopeThreshold]) -> String? {
    let values = thresholds.map(\.value)
    guard let low = values.min(), let high = values.max() else { return nil }
    if values.count == 1 { return "threshold \(numberText(low))" }
    if low == high { return "\(values.count) thresholds of \(numberText(low))" }
    return "\(values.count) thresholds from \(numberText(low)) to \(numberText(high))"
  }

  /// How long programs took that do images by themselves.
  private static func time(_ report: RunReport) -> String {
    let ranks = report.ranks > 1 ? "\(report.ranks) ranks x " : ""
    return "\(durationText(report.seconds)) on \(ranks)\(counted(report.threads, "thread"))"
  }

  /// What the run cost.
  private static func work(_ report: RunReport) -> String {
    let rate = report.seconds > 0 ? Double(report.voxels) / report.seconds / 1e6 : 0
    let ranks = report.ranks > 1 ? "\(report.ranks) ranks x " : ""
    return "\(grouped(report.voxels)) voxels in \(durationText(report.seconds)) "
      + "(\(fixed(rate, rate < 10 ? 1 : 0)) million per second) on \(ranks)"
      + "\(counted(report.threads, "thread")), "
      + "read \(byteText(report.bytesRead)), wrote \(byteText(report.bytesWritten)), "
      + "peak memory \(byteText(report.peakMemory))"
  }
}
