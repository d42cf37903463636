import OMBench

/// A drawing of what was measured of layouts, in plain SVG, which every browser shows.
///
/// There is a panel for each access, a bar for each layout, and a colour for each codec.
struct LayoutChart {
  let answer: LayoutAnswer

  private struct Panel {
    let title: String
    let unit: String
    let values: [Double]
  }

  private static let (bar, gap, labels, plot, head) = (14, 4, 210, 260, 34)
  private static let columns = 2
  private static let colours: [BenchCodec: String] = [
    .bloscZstd: "#1b6ca8", .bloscLZ4: "#4fa3d1", .zstd: "#2e8b57", .gzip: "#d98c21",
    .none: "#8a8a8a",
  ]

  /// The whole drawing.
  var svg: String {
    let panels = self.panels
    let rows = (panels.count + Self.columns - 1) / Self.columns
    let height = panelHeight
    let width = Self.columns * (Self.labels + Self.plot + 60) + 20
    var parts = [
      """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(width)" height="\(90 + rows * height)" \
      font-family="sans-serif" font-size="11">
      <rect width="100%" height="100%" fill="white"/>
      \(text(20, 26, "Layouts: \(answer.lines.first ?? "")", size: 15))
      """, legend,
    ]
    for (place, panel) in panels.enumerated() {
      let x = 20 + place % Self.columns * (Self.labels + Self.plot + 60)
      parts.append(draw(panel, x: x, y: 80 + place / Self.columns * height))
    }
    return (parts + ["</svg>"]).joined(separator: "\n") + "\n"
  }

  private var panelHeight: Int { answer.results.count * (Self.bar + Self.gap) + Self.head + 50 }

  private var panels: [Panel] {
    let titles: [BenchAccess: String] = [
      .write: "writing", .whole: "reading the whole volume", .boxes: "reading random boxes",
      .planesZ: "reading planes of y and x", .planesY: "reading planes of z and x",
      .planesX: "reading planes of z and y",
    ]
    return BenchAccess.allCases.map { access in
      Panel(
        title: titles[access] ?? access.rawValue, unit: "MB/s",
        values: answer.results.map { $0.rate(access) / 1e6 })
    } + [
      Panel(
        title: "bytes of voxels over bytes on the disk", unit: "times",
        values: answer.results.map(\.ratio)),
      Panel(
        title: "files", unit: "files", values: answer.results.map { Double($0.files) }),
    ]
  }

  private var legend: String {
    var parts: [String] = []
    var x = 20
    let used = Set(answer.results.map(\.choice.codec))
    for codec in BenchCodec.allCases where used.contains(codec) {
      parts.append(rectangle(x, 44, 12, 12, Self.colours[codec] ?? "black"))
      parts.append(text(x + 17, 54, codec.rawValue))
      x += 40 + 7 * codec.rawValue.count
    }
    return parts.joined(separator: "\n")
  }

  private func draw(_ panel: Panel, x: Int, y: Int) -> String {
    let left = x + Self.labels
    let most = panel.values.max() ?? 0
    let step = Self.step(most)
    let end = max(step, (most / step).rounded(.up) * step)
    let bottom = y + Self.head + answer.results.count * (Self.bar + Self.gap)
    var parts = [text(left, y + 18, panel.title, size: 13)]
    var tick = 0.0
    while tick <= end * 1.001 {
      let place = left + Int(tick / end * Double(Self.plot))
      parts.append(
        "<line x1=\"\(place)\" y1=\"\(y + Self.head - 4)\" x2=\"\(place)\" y2=\"\(bottom)\" "
          + "stroke=\"#dddddd\"/>")
      parts.append(text(place, bottom + 14, numberText(tick), anchor: "middle"))
      tick += step
    }
    parts.append(text(left + Self.plot / 2, bottom + 30, panel.unit, anchor: "middle"))
    for (number, result) in answer.results.enumerated() {
      let top = y + Self.head + number * (Self.bar + Self.gap)
      let value = panel.values[number]
      parts.append(text(left - 6, top + 11, name(result.choice), anchor: "end"))
      parts.append(
        rectangle(
          left, top, max(1, Int(value / end * Double(Self.plot))), Self.bar,
          Self.colours[result.choice.codec] ?? "black"))
    }
    return parts.joined(separator: "\n")
  }

  private func name(_ choice: LayoutChoice) -> String {
    let shape = answer.volume.shape
    let shard = choice.shard(in: shape).map { " in \(LayoutAnswer.text($0))" } ?? ""
    return LayoutAnswer.text(choice.chunk(in: shape)) + shard
  }

  /// A round distance of ticks: at most five of them.
  private static func step(_ most: Double) -> Double {
    guard most > 0, most.isFinite else { return 1 }
    var step = 1e-3
    while most / step > 5 {
      // 1, 2, 5, 10, …
      let digit = Int((step / Self.power(step)).rounded())
      step *= digit == 2 ? 2.5 : 2
    }
    return step
  }

  private static func power(_ value: Double) -> Double {
    var power = 1e-3
    while power * 9.99 < value { power *= 10 }
    return power
  }

  private func rectangle(_ x: Int, _ y: Int, _ width: Int, _ height: Int, _ fill: String) -> String
  {
    "<rect x=\"\(x)\" y=\"\(y)\" width=\"\(width)\" height=\"\(height)\" fill=\"\(fill)\"/>"
  }

  private func text(
    _ x: Int, _ y: Int, _ text: String, size: Int? = nil, anchor: String? = nil
  ) -> String {
    let clean = text.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
    let style =
      (size.map { " font-size=\"\($0)\"" } ?? "") + (anchor.map { " text-anchor=\"\($0)\"" } ?? "")
    return "<text x=\"\(x)\" y=\"\(y)\"\(style)>\(clean)</text>"
  }
}
