import CSys

/// The bytes of a journal: records one after the other, each with a checksum.
///
/// A record is the mark `OMJ1`, the size of the payload (4 bytes), the kind (1 byte), the payload and
/// the CRC-32C of all from the size on; numbers are little-endian. What a crash or a disk left broken
/// is skipped up to the next mark that begins a whole record: the work behind it is done again.
enum JournalForm {
  private static let mark: [UInt8] = Array("OMJ1".utf8)
  private static let headBytes = 9
  private static let checksumBytes = 4

  /// The bytes of some records.
  static func bytes(of records: [JournalRecord]) -> [UInt8] {
    var bytes: [UInt8] = []
    for record in records {
      let payload = record.payload
      let start = bytes.count + mark.count
      bytes += mark
      bytes.append(contentsOf: littleEndian(UInt32(payload.count)))
      bytes.append(record.kind)
      bytes += payload
      bytes.append(contentsOf: littleEndian(checksum(bytes[start...])))
    }
    return bytes
  }

  /// The whole records of a journal in their order.
  static func records(in bytes: [UInt8]) -> [JournalRecord] {
    var records: [JournalRecord] = []
    var offset = 0
    while offset + headBytes + checksumBytes <= bytes.count {
      if let (record, end) = record(in: bytes, at: offset) {
        records.append(record)
        offset = end
      } else {
        offset += 1
        while offset < bytes.count && bytes[offset] != mark[0] { offset += 1 }
      }
    }
    return records
  }

  /// The record that begins at a place, and where it ends.
  private static func record(in bytes: [UInt8], at offset: Int) -> (JournalRecord, Int)? {
    guard bytes[offset..<offset + mark.count].elementsEqual(mark) else { return nil }
    let payload = offset + headBytes
    let size = Int(number(bytes, at: offset + mark.count))
    guard size <= bytes.count - payload - checksumBytes else { return nil }
    let end = payload + size
    guard number(bytes, at: end) == checksum(bytes[offset + mark.count..<end]) else { return nil }
    let known = JournalRecord(kind: bytes[payload - 1], payload: Array(bytes[payload..<end]))
    return known.map { ($0, end + checksumBytes) }
  }

  private static func littleEndian(_ value: UInt32) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }

  private static func number(_ bytes: [UInt8], at offset: Int) -> UInt32 {
    bytes.withUnsafeBytes {
      UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
  }

  private static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    bytes.withUnsafeBytes { om_crc32c(0, $0.baseAddress, $0.count) }
  }
}
