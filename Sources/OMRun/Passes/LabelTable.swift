import OMGrid
import OMJSON
import OMTask
import OMZarr

/// A label of one (t, c) volume.
struct LabelKey: Hashable, BitwiseCopyable, Comparable {
  var label: UInt64
  var volume: UInt64

  static func < (one: LabelKey, other: LabelKey) -> Bool {
    (one.label, one.volume) < (other.label, other.volume)
  }
}

/// What is known of a label; pieces of it combine in any order.
struct LabelFactsPart: BitwiseCopyable {
  /// Its voxels.
  var count: UInt64 = 0
  /// Whether one of them lies at the border.
  var touchesBorder = false

  mutating func join(_ other: LabelFactsPart) {
    count += other.count
    touchesBorder = touchesBorder || other.touchesBorder
  }
}

/// What is known of the labels of some regions.
struct LabelTable: Sendable {
  var labels: [LabelKey: LabelFactsPart] = [:]
  /// Voxels that are not 0.
  var foreground = 0

  /// Bytes of memory for each label, twice over while ranks exchange them.
  static let bytesPerLabel = 128

  mutating func add(_ other: LabelTable) {
    foreground += other.foreground
    labels.merge(other.labels) { one, other in
      var both = one
      both.join(other)
      return both
    }
  }

  /// The table as bytes.
  func packed() -> [UInt8] {
    var packet = Packet()
    packet.write(Int64(foreground))
    let keys = labels.keys.sorted()
    packet.write(keys.map(\.label))
    packet.write(keys.map(\.volume))
    packet.write(keys.map { labels[$0]?.count ?? 0 })
    packet.write(keys.map { UInt8(labels[$0]?.touchesBorder == true ? 1 : 0) })
    return packet.bytes
  }

  init() {}

  /// Reads what `packed` wrote.
  init(unpacking bytes: [UInt8]) throws(Fault) {
    var reader = PacketReader(bytes)
    foreground = Int(try reader.read(Int64.self))
    let names = try reader.readArray(UInt64.self)
    let volumes = try reader.readArray(UInt64.self)
    let counts = try reader.readArray(UInt64.self)
    let touches = try reader.readArray(UInt8.self)
    guard volumes.count == names.count, counts.count == names.count, touches.count == names.count
    else { throw Fault(.internal, "", "a table of labels does not fit together") }
    for index in names.indices {
      labels[LabelKey(label: names[index], volume: volumes[index])] = LabelFactsPart(
        count: counts[index], touchesBorder: touches[index] != 0)
    }
  }
}

/// Counts the labels of a region.
struct LabelTablePass: Sendable {
  let plan: LabelPlan
  let border: LabelFilter.Axes?
  /// How far around its voxels a region must know the labels, without counting them.
  let halo: Vector3

  /// Reads a region.
  func run(_ region: Region, _ worker: Worker) throws -> LabelTable {
    var table = LabelTable()
    for part in plan.parts(of: region) {
      var found: [UInt64: LabelFactsPart] = [:]
      // Labels come in runs of rows: the one before is nearly always the one again.
      var last: UInt64 = 0
      var facts = LabelFactsPart()
      let rows = plan.rows(of: part.source)
      try plan.forEachRun(plan.grown(part, by: halo), worker) { lines, run in
        if run.label != last {
          if last != 0 { found[last, default: LabelFactsPart()].join(facts) }
          (last, facts) = (run.label, LabelFactsPart())
        }
        facts.count += UInt64(rows.count(lines, run))
        if border != nil && touches(lines, run) { facts.touchesBorder = true }
      }
      if last != 0 { found[last, default: LabelFactsPart()].join(facts) }
      for (label, facts) in found {
        table.foreground += Int(facts.count)
        let key = LabelKey(label: label, volume: UInt64(part.volume))
        table.labels[key, default: LabelFactsPart()].join(facts)
      }
    }
    return table
  }

  /// Whether a run lies at the border of the selected voxels.
  private func touches(_ lines: PlaneLines, _ run: LabelRun) -> Bool {
    let space = plan.axes.space
    let (y, x) = (space[space.count - 2], space[space.count - 1])
    let box = plan.selection.bounds
    let row = lines.y + run.row
    if row == box.origin[y] || row == box.end(y) - 1 { return true }
    if lines.x + run.columns.lowerBound == box.origin[x] { return true }
    if lines.x + run.columns.upperBound == box.end(x) { return true }
    // A single plane is no border: all labels would touch it.
    guard border == .zyx, space.count == 3, box.shape[space[0]] > 1 else { return false }
    return lines.z == box.origin[space[0]] || lines.z == box.end(space[0]) - 1
  }
}

/// The rows of voxels of a box.
struct BoxRows {
  private let planes: Range<Int>
  private let rows: Range<Int>
  private let columns: Range<Int>

  fileprivate init(_ box: Region, _ axes: ImageAxes) {
    let (origin, shape) = (axes.position(box.origin), axes.vector(box.shape))
    planes = origin.z..<origin.z + shape.z
    rows = origin.y..<origin.y + shape.y
    columns = origin.x..<origin.x + shape.x
  }

  /// How many voxels of a run lie in the box.
  func count(_ lines: PlaneLines, _ run: LabelRun) -> Int {
    guard planes.contains(lines.z), rows.contains(lines.y + run.row) else { return 0 }
    let low = max(columns.lowerBound, lines.x + run.columns.lowerBound)
    return max(0, min(columns.upperBound, lines.x + run.columns.upperBound) - low)
  }
}

extension LabelPlan {
  /// The rows of a box of the image.
  func rows(of box: Region) -> BoxRows { BoxRows(box, axes) }

  /// A part with a halo on all sides in space, cut to the selection.
  func grown(_ part: VolumePart, by halo: Vector3) -> VolumePart {
    if halo == Vector3(0, 0, 0) { return part }
    let source = axes.grown(part.source, by: halo, within: selection.bounds)
    let kept = source.origin.indices.filter { $0 != droppedAxis }
    return VolumePart(
      time: part.time, channel: part.channel, volume: part.volume, source: source,
      label: Region(
        origin: kept.map { source.origin[$0] }, shape: kept.map { source.shape[$0] }))
  }
}
