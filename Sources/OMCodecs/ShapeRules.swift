import OMGrid
package import OMJSON

/// The rules for lists of sizes in metadata; everything that multiplies them comes after these checks.
package struct ShapeRules: Sendable {
  /// The largest array: 1 EiB, so that no sum of its edge and the edge of a chunk leaves 64 bits.
  package static let maximumArrayByteCount = 1 << 60

  /// The document, for messages.
  package let subject: String
  /// The limits that hold.
  private let limits: Limits

  /// Rules whose faults are about this document.
  package init(subject: String, limits: Limits = .current) {
    self.subject = subject
    self.limits = limits
  }

  /// A list of sizes.
  ///
  /// - Parameters:
  ///   - json: The member.
  ///   - name: The member's name for messages.
  ///   - minimum: The smallest size allowed.
  ///   - rank: The number of axes of the array when it is known.
  /// - Returns: The sizes.
  /// - Throws: `metadata` for wrong sizes, `limit` for too many or too large ones.
  package func sizes(
    _ json: JSON?, _ name: String, atLeast minimum: Int, rank: Int? = nil
  ) throws(Fault) -> [Int] {
    guard let json else {
      throw Fault(.metadata, subject, "`\(name)` is missing, expected a list of whole numbers")
    }
    guard let elements = json.arrayValue else { throw wrong(name, json, minimum) }
    if elements.count > limits.axes {
      throw Fault(
        .limit, subject,
        "`\(name)` has \(elements.count) numbers, the limit is \(limits.axes) axes",
        hint: Limits.hint(.axes))
    }
    if let rank, rank != elements.count {
      throw Fault(
        .metadata, subject,
        "`\(name)` is \(json.excerpt) with \(elements.count) numbers, the array has \(rank) axes")
    }
    var sizes: [Int] = []
    for element in elements {
      if let size = element.intValue, size >= minimum {
        sizes.append(size)
      } else if case .number(let text) = element, text.utf8.allSatisfy(Self.isDigit),
        element.intValue == nil
      {
        throw Fault(.limit, subject, "`\(name)` is \(json.excerpt), \(text) is too large")
      } else {
        throw wrong(name, json, minimum)
      }
    }
    return sizes
  }

  /// The product of sizes and an element's bytes.
  ///
  /// - Throws: `limit` when it is more than `maximum`, also where it would not fit 64 bits.
  @discardableResult
  package func byteCount(
    _ sizes: [Int], elementByteCount: Int, maximum: Int = maximumArrayByteCount, _ what: String
  ) throws(Fault) -> Int {
    // The other sizes of an empty shape have their limit, too.
    let filled = sizes.filter { $0 != 0 } + [elementByteCount]
    guard let count = product(of: filled, atMost: maximum) else {
      throw Fault(
        .limit, subject,
        "\(what) \(sizes) with \(elementByteCount) bytes each is more than \(maximum) bytes")
    }
    return sizes.contains(0) ? 0 : count
  }

  /// Checks the bytes of a decoded chunk.
  ///
  /// - Throws: `limit` when they are too many.
  package func chunk(_ shape: [Int], elementByteCount: Int) throws(Fault) {
    try limited(.chunk) { () throws(Fault) in
      try byteCount(
        shape, elementByteCount: elementByteCount, maximum: limits.chunk, "a chunk of")
    }
  }

  /// Checks the bytes of the index of a shard, or of all indexes in a chunk.
  ///
  /// - Throws: `limit` when they are too many.
  package func index(_ count: Int, elementByteCount: Int, _ what: String) throws(Fault) {
    try limited(.shardIndex) { () throws(Fault) in
      try byteCount(
        [count], elementByteCount: elementByteCount, maximum: limits.shardIndex, what)
    }
  }

  /// Lets a fault say which limit it is about.
  private func limited(_ name: Limits.Name, _ check: () throws(Fault) -> Int) throws(Fault) {
    do throws(Fault) {
      _ = try check()
    } catch {
      var fault = error
      fault.hint = Limits.hint(name)
      throw fault
    }
  }

  private func wrong(_ name: String, _ json: JSON, _ minimum: Int) -> Fault {
    Fault(
      .metadata, subject,
      "`\(name)` is \(json.excerpt), expected a list of whole numbers of at least \(minimum)")
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
  }
}
