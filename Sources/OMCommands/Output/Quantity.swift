// Numbers as people read them. A percent sign appears in progress lines only: cluster front ends
// take the last percentage in a log for the progress of the job.

/// A number with a fixed count of digits after the point.
func fixed(_ value: Double, _ digits: Int) -> String {
  guard value.isFinite, value.magnitude < 1e15 else { return "\(value)" }
  var scale = 1
  for _ in 0..<digits { scale *= 10 }
  let scaled = Int((value.magnitude * Double(scale)).rounded())
  let sign = value < 0 && scaled > 0 ? "-" : ""
  if digits == 0 { return "\(sign)\(scaled)" }
  let fraction = String(scaled % scale)
  let zeros = String(repeating: "0", count: digits - fraction.count)
  return "\(sign)\(scaled / scale).\(zeros)\(fraction)"
}

/// A whole number with commas between groups of three digits.
func grouped(_ value: Int) -> String {
  let digits = String(value.magnitude)
  var text = ""
  for (index, digit) in digits.enumerated() {
    if index > 0 && (digits.count - index) % 3 == 0 { text.append(",") }
    text.append(digit)
  }
  return value < 0 ? "-" + text : text
}

/// A count with its noun: `1 image`, `3 images`.
func counted(_ count: Int, _ singular: String, _ plural: String? = nil) -> String {
  "\(grouped(count)) \(count == 1 ? singular : plural ?? singular + "s")"
}

/// A number of bytes in the largest unit that leaves at least 1: `512 B`, `1.2 GiB`.
func byteText(_ bytes: Double) -> String {
  let units = ["KiB", "MiB", "GiB", "TiB", "PiB"]
  if bytes < 1024 { return "\(fixed(bytes, 0)) B" }
  var value = bytes / 1024
  var unit = 0
  while value >= 1023.95 && unit < units.count - 1 {
    value /= 1024
    unit += 1
  }
  return "\(fixed(value, value < 99.95 ? 1 : 0)) \(units[unit])"
}

/// A number of bytes in the largest unit that leaves at least 1.
func byteText(_ bytes: Int) -> String { byteText(Double(bytes)) }

/// A time span for a summary: `0.34 s`, `2 min 5 s`, `3 h 12 min`.
func durationText(_ seconds: Double) -> String {
  if seconds < 59.95 { return "\(fixed(seconds, seconds < 9.995 ? 2 : 1)) s" }
  let whole = Int(min(seconds.rounded(), 1e12))
  if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
  return "\(whole / 3600) h \(whole % 3600 / 60) min"
}

/// A time span as on a clock: `00:03:10`.
func clockText(_ seconds: Double) -> String {
  let whole = seconds.isFinite ? Int(min(max(seconds, 0).rounded(), 359_999)) : 359_999
  let parts = [whole / 3600, whole % 3600 / 60, whole % 60]
  return parts.map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
}

/// Sizes of axes as people write them: `3 x 64 x 512 x 512`.
func shapeText(_ shape: [Int]) -> String {
  shape.map(String.init).joined(separator: " x ")
}

/// A number in its shortest form, without `.0` for whole ones.
func numberText(_ value: Double) -> String {
  Int(exactly: value).map(String.init) ?? "\(value)"
}
