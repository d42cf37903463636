import OMCodecs
import OMGrid
import OMJSON
import OMStore
import OMZarr
import Testing

/// Arrays that other libraries wrote, as `Fixtures/make_fixtures.py` dumped them.
struct StoredArray {
  /// A store that holds the array at its root.
  let store = MemoryStore()

  /// Loads the fixture of this name.
  init(_ name: String) throws {
    let path = #filePath.split(separator: "/").dropLast().joined(separator: "/")
    let folder = try FileStore(root: "/\(path)/Fixtures")
    let text = try #require(try folder.get("\(name).txt", limit: 1 << 20))
    for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
      let parts = line.split(separator: " ", maxSplits: 1)
      let content = parts.count == 2 ? parts[1] : ""
      store[String(parts[0])] = content.hasPrefix("{") ? Array(content.utf8) : bytes(content)
    }
  }

  private func bytes(_ hexadecimal: Substring) -> [UInt8] {
    let digits = hexadecimal.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }
}

/// The voxels that every fixture holds: (7 i + 1) mod 120, and the fill value in the first chunk.
func expectedVoxels(
  _ shape: [Int], _ dataType: DataType, firstChunk: [Int], fill: [UInt8]
) -> [UInt8] {
  var voxels: [UInt8] = []
  var number = 0
  forEachPosition(in: Region(wholeOf: shape)) { position in
    let isFirst = zip(position, firstChunk).allSatisfy { $0 < $1 }
    voxels += isFirst ? fill : voxel((7 * number + 1) % 120, dataType)
    number += 1
  }
  return voxels
}

/// A number as a voxel in memory.
func voxel(_ number: Int, _ dataType: DataType) -> [UInt8] {
  switch dataType {
  case .bool: [UInt8(number % 2)]
  case .int8, .uint8: [UInt8(number)]
  case .int16, .uint16: rawBytes(UInt16(number))
  case .int32, .uint32: rawBytes(UInt32(number))
  case .int64, .uint64: rawBytes(UInt64(number))
  case .float16: rawBytes(Float16(number))
  case .float32: rawBytes(Float(number))
  case .float64: rawBytes(Double(number))
  }
}

/// The bytes of a value as it lies in memory.
func rawBytes<Value: BitwiseCopyable>(_ value: Value) -> [UInt8] {
  withUnsafeBytes(of: value) { Array($0) }
}

extension ChunkReader {
  /// The voxels of a region in C order.
  func voxels(_ region: Region) throws -> [UInt8] {
    let target = UnsafeMutableRawBufferPointer.allocate(
      byteCount: region.count * array.metadata.dataType.byteCount, alignment: 16)
    defer { target.deallocate() }
    target.initializeMemory(as: UInt8.self, repeating: 0xA5)
    if let start = target.baseAddress { try read(region, into: start) }
    return Array(target)
  }
}

extension ZarrArray {
  /// All voxels in C order.
  func voxels() throws -> [UInt8] {
    try ChunkReader(self, context: CodecContext()).voxels(Region(wholeOf: metadata.shape))
  }
}

/// Expects a fault of this kind about this subject whose message holds these words.
func expectFault<Value>(
  _ kind: FaultKind, _ subject: String, _ words: String,
  at place: SourceLocation = #_sourceLocation, _ body: () throws -> Value
) {
  do {
    let value = try body()
    Issue.record("no fault, but \(value)", sourceLocation: place)
  } catch let fault as Fault {
    #expect(fault.kind == kind, "\(fault)", sourceLocation: place)
    #expect(fault.subject == subject, "\(fault)", sourceLocation: place)
    #expect(fault.message.contains(words), "\(fault)", sourceLocation: place)
  } catch {
    Issue.record(error, sourceLocation: place)
  }
}
