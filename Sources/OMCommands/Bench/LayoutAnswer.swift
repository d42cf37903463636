import OMBench
import OMGrid
import OMJSON

/// What `omtask bench layouts` measured.
struct LayoutAnswer: Answer {
  let results: [LayoutResult]
  let volume: BenchVolume
  let threads: Int

  /// MB/s are millions of bytes in a second, as disks and networks count.
  private static let unit = 1e6

  var lines: [String] {
    let repeats = results.map(\.repeats)
    let most = repeats.max() ?? 0
    let times =
      repeats.min() == most
      ? counted(most, "repeat") : "\(repeats.min() ?? 0) to \(counted(most, "repeat"))"
    return [
      "\(volume.origin) volume, \(shapeText(volume.shape)) \(volume.dataType.rawValue), "
        + "\(byteText(volume.bytes.count)), \(counted(threads, "thread"))",
      "MB/s of voxels, medians of \(times); reading from a warm cache; cpu is seconds for each GB",
      "",
      Self.row(
        ["chunk", "shard", "codec", "ratio", "files", "write", "whole", "boxes"]
          + ["plane z", "plane y", "plane x", "cpu w", "cpu r"]),
    ] + results.map(line)
  }

  private func line(_ result: LayoutResult) -> String {
    let choice = result.choice
    return Self.row(
      [
        Self.text(choice.chunk(in: volume.shape)),
        choice.shard(in: volume.shape).map(Self.text) ?? "-", choice.codec.rawValue,
        fixed(result.ratio, 2), "\(result.files)",
      ] + BenchAccess.allCases.map { fixed(result.rate($0) / Self.unit, 0) }
        + [BenchAccess.write, .whole].map { fixed(result.cpu($0) * 1e9, 2) })
  }

  private static let widths = [11, 11, 10, 5, 5, 5, 5, 5, 7, 7, 7, 5, 5]

  private static func row(_ cells: [String]) -> String {
    zip(cells, widths).enumerated().map { place, cell in
      let spaces = String(repeating: " ", count: max(0, cell.1 - cell.0.count))
      return place < 3 ? cell.0 + spaces : spaces + cell.0
    }.joined(separator: " ")
  }

  /// Sizes as flags take them: `64x64x64`.
  static func text(_ sizes: [Int]) -> String { sizes.map(String.init).joined(separator: "x") }

  /// The table with all figures, a line for each layout and access.
  var csv: String {
    var lines = [
      "chunk,shard,codec,access,bytes_per_s,cpu_s_per_byte,stored_bytes,ratio,files,repeats"
    ]
    for result in results {
      for access in BenchAccess.allCases {
        lines.append(
          [
            Self.text(result.choice.chunk(in: volume.shape)),
            result.choice.shard(in: volume.shape).map(Self.text) ?? "",
            result.choice.codec.rawValue, access.rawValue, "\(result.rate(access))",
            "\(result.cpu(access))", "\(result.storedBytes)", "\(result.ratio)",
            "\(result.files)", "\(result.repeats)",
          ].joined(separator: ","))
      }
    }
    return lines.map { $0 + "\n" }.joined()
  }

  var json: JSON {
    [
      "volume": [
        "origin": .string(volume.origin), "shape": sizes(volume.shape),
        "data_type": .string(volume.dataType.rawValue), "bytes": JSON(volume.bytes.count),
      ],
      "threads": JSON(threads), "cache": "warm",
      "layouts": .array(results.map(document)),
    ]
  }

  private func document(_ result: LayoutResult) -> JSON {
    var accesses = JSONObject()
    for access in BenchAccess.allCases {
      accesses[access.rawValue] = [
        "bytes_per_s": JSON(result.rate(access)), "cpu_s_per_byte": JSON(result.cpu(access)),
      ]
    }
    return [
      "chunk": sizes(result.choice.chunk(in: volume.shape)),
      "shard": result.choice.shard(in: volume.shape).map(sizes) ?? .null,
      "codec": .string(result.choice.codec.rawValue), "stored_bytes": JSON(result.storedBytes),
      "ratio": JSON(result.ratio), "files": JSON(result.files), "repeats": JSON(result.repeats),
      "accesses": .object(accesses),
    ]
  }
}
