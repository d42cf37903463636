import OMManifest

/// The bin of a histogram.
enum BinKey: Hashable, Comparable {
  case number(Int64)
  /// The bits of a number, so that they sort as numbers do.
  case fraction(Int64)
  /// The bytes of a text: two texts are the same only when these are.
  case text([UInt8])

  init(_ values: TableColumn.Values, _ row: Int) {
    switch values {
    case .int64(let numbers): self = .number(numbers[row])
    case .uint64(let numbers): self = .number(Int64(bitPattern: numbers[row]))
    case .bool(let truths): self = .number(truths[row] ? 1 : 0)
    case .float64(let numbers):
      // -0 is the same bin as 0.
      let bits = Int64(bitPattern: (numbers[row] == 0 ? 0 : numbers[row]).bitPattern)
      self = .fraction(bits < 0 ? bits ^ .max : bits)
    case .string(let texts): self = .text(Array(texts[row].utf8))
    }
  }

  static func < (one: BinKey, other: BinKey) -> Bool {
    switch (one, other) {
    case (.number(let one), .number(let other)), (.fraction(let one), .fraction(let other)):
      one < other
    case (.text(let one), .text(let other)): one.lexicographicallyPrecedes(other)
    default: false
    }
  }

  /// Bytes of memory of a bin with its count.
  var byteCount: Int { if case .text(let bytes) = self { 96 + bytes.count } else { 48 } }

  var fraction: Double {
    guard case .fraction(let bits) = self else { return 0 }
    return Double(bitPattern: UInt64(bitPattern: bits < 0 ? bits ^ .max : bits))
  }

  var text: String {
    switch self {
    case .number(let number): "\(number)"
    case .fraction: "\(fraction)"
    case .text(let bytes): "`\(String(decoding: bytes, as: UTF8.self))`"
    }
  }

  static func values(
    _ keys: [BinKey], _ type: PartialTraits.ColumnType
  ) -> TableColumn.Values {
    switch type {
    case .float64: .float64(keys.map(\.fraction))
    case .string:
      .string(keys.map(\.plainText))
    case .int64, .bool: .int64(keys.map { if case .number(let number) = $0 { number } else { 0 } })
    }
  }

  private var plainText: String {
    guard case .text(let bytes) = self else { return "" }
    return String(decoding: bytes, as: UTF8.self)
  }
}
