import CTIFF
import Glibc
import OMJSON
import OMStore

/// A TIFF file that is open; one thread uses it at a time.
final class TiffHandle {
  /// What libtiff reads from, and the last fault of doing so.
  private final class Bytes {
    let value: OpenedValue
    var fault: Fault?

    init(_ value: OpenedValue) { self.value = value }
  }

  private let file: TiffFile
  private let bytes: Bytes
  private let pointer: UnsafeMutableRawPointer
  private var directory: UInt64?

  /// Opens a file at its first page.
  ///
  /// - Throws: `unsupported` without libtiff or for what is no TIFF, `locked` when it is not the file that
  ///   was found, and what reading gives; the subject is empty.
  init(_ file: TiffFile) throws(Fault) {
    try TiffLibrary.load()
    self.file = file
    do throws(Fault) {
      guard let value = try file.store.open(file.key), try file.store.stamp(file.key) == file.stamp
      else { throw Fault(.locked, "", "the file was changed while it is read") }
      bytes = Bytes(value)
    } catch {
      throw Fault(error.kind, "", error.message, hint: error.hint)
    }
    var text = [CChar](repeating: 0, count: 400)
    let opened = om_tiff_open(
      file.key, Unmanaged.passUnretained(bytes).toOpaque(), UInt64(bytes.value.size),
      { context, place, buffer, count in
        guard let context, let buffer else { return -1 }
        let bytes = Unmanaged<Bytes>.fromOpaque(context).takeUnretainedValue()
        do throws(Fault) {
          try bytes.value.read(
            at: Int(place), into: UnsafeMutableRawBufferPointer(start: buffer, count: count))
          return 0
        } catch {
          bytes.fault = error
          return -1
        }
      }, Int64(2 * Limits.current.chunk), &text, text.count)
    guard let opened else {
      if let fault = bytes.fault, fault.kind != .truncated {
        throw Fault(fault.kind, "", fault.message, hint: fault.hint)
      }
      let said = printable(text)
      throw Fault(
        .metadata, "", "this is no TIFF that can be read" + (said.isEmpty ? "" : ": \(said)"))
    }
    pointer = opened
  }

  deinit { om_tiff_close(pointer) }

  /// What the tags of the current page say.
  func page(_ number: Int) throws(Fault) -> om_tiff_page {
    var page = om_tiff_page()
    if om_tiff_page(pointer, &page) == 0 {
      throw problem(.metadata, "page \(number) has no width and height")
    }
    return page
  }

  /// Refuses a page whose directory, or whose description, does not lie in the file: libtiff takes what
  /// it cannot read for absent.
  ///
  /// - Throws: `truncated`, and what reading gives.
  func checkDirectory(_ directory: UInt64, _ number: Int) throws(Fault) {
    var start = [UInt8](repeating: 0, count: 4)
    try read(at: 0, &start, of: number)
    let isBigEndian = start[0] == UInt8(ascii: "M")
    let isBig = start[isBigEndian ? 3 : 2] == 43
    func whole(_ bytes: ArraySlice<UInt8>) -> UInt64 {
      let ordered = isBigEndian ? Array(bytes) : bytes.reversed()
      return ordered.reduce(0) { $0 << 8 | UInt64($1) }
    }
    let place = Int(clamping: directory)
    var count = [UInt8](repeating: 0, count: isBig ? 8 : 2)
    try read(at: place, &count, of: number)
    let (entryBytes, offsetBytes) = isBig ? (20, 8) : (12, 4)
    let entries = Int(clamping: whole(count[...]))
    // libtiff reads no more of them.
    guard entries <= 1 << 16 else {
      throw Fault(.metadata, "", "page \(number) has \(entries) entries in its directory")
    }
    var table = [UInt8](repeating: 0, count: entries * entryBytes + offsetBytes)
    try read(at: place + count.count, &table, of: number)
    for entry in 0..<entries {
      let start = entry * entryBytes
      // The description, of one byte each.
      guard whole(table[start..<start + 2]) == 270 else { continue }
      let length = Int(clamping: whole(table[start + 4..<start + 4 + offsetBytes]))
      if length <= offsetBytes { continue }
      let text = Int(clamping: whole(table[start + 4 + offsetBytes..<start + entryBytes]))
      guard text <= bytes.value.size, length <= bytes.value.size - text else {
        throw Fault(
          .truncated, "",
          "the description of page \(number) does not lie in the file, which has \(bytes.value.size) bytes",
          hint: "the file may be cut off; copy or save it anew")
      }
    }
  }

  private func read(at place: Int, _ room: inout [UInt8], of number: Int) throws(Fault) {
    let fault = room.withUnsafeMutableBytes { (room) -> Fault? in
      do throws(Fault) {
        try readPlain(at: place, of: number, into: room)
        return nil
      } catch { return error }
    }
    if let fault { throw fault }
  }

  var isLast: Bool { om_tiff_is_last(pointer) != 0 }

  func next(_ number: Int) throws(Fault) {
    if om_tiff_next(pointer) == 0 {
      let fault = problem(.metadata, "page \(number) cannot be read")
      let isSilent = String(cString: om_tiff_problem(pointer)).isEmpty && bytes.fault == nil
      throw isSilent
        ? Fault(.metadata, "", "\(fault.message): the list of pages leads back to an earlier one")
        : fault
    }
  }

  /// The description of the current page.
  func description() -> [UInt8] {
    guard let text = om_tiff_description(pointer) else { return [] }
    return UnsafeBufferPointer(start: text, count: strlen(text)).map(UInt8.init(bitPattern:))
  }

  /// Goes to a page.
  func go(to page: TiffPage, _ number: Int) throws(Fault) {
    if directory == page.directory { return }
    directory = nil
    if om_tiff_go(pointer, page.directory) == 0 {
      throw problem(.metadata, "page \(number) cannot be read")
    }
    directory = page.directory
  }

  /// Decodes a tile or strip of the current page.
  ///
  /// - Throws: `codec` for what cannot be decoded, and what reading gives.
  func read(
    part: Int, of number: Int, into buffer: UnsafeMutableRawBufferPointer
  ) throws(Fault) {
    bytes.fault = nil
    let size = om_tiff_part_size(pointer, UInt32(clamping: part))
    guard size == UInt64(buffer.count) else {
      throw problem(
        .codec, "part \(part) of page \(number) has \(size) bytes, expected \(buffer.count)")
    }
    if om_tiff_read_part(pointer, UInt32(clamping: part), buffer.baseAddress, size) != 0 {
      throw problem(.codec, "part \(part) of page \(number) cannot be decoded")
    }
  }

  /// Reads bytes of a strip of the current page as they are stored.
  func readPlain(
    strip: Int, from start: Int, of number: Int, into buffer: UnsafeMutableRawBufferPointer
  ) throws(Fault) {
    let offset = Int(clamping: om_tiff_offset(pointer, UInt32(clamping: strip)))
    // Behind the header; libtiff gives 0 where it cannot read the list.
    guard offset >= 8, offset <= bytes.value.size else {
      throw Fault(
        .truncated, "",
        "strip \(strip) of page \(number) begins at byte \(offset), the file has \(bytes.value.size)"
      )
    }
    let count = Int(clamping: om_tiff_byte_count(pointer, UInt32(clamping: strip)))
    guard start + buffer.count <= count else {
      throw Fault(
        .truncated, "",
        "strip \(strip) of page \(number) has \(count) bytes, expected \(start + buffer.count)")
    }
    try readPlain(at: offset + start, of: number, into: buffer)
  }

  /// Where the first strip of the current page lies.
  var firstOffset: Int { Int(clamping: om_tiff_offset(pointer, 0)) }

  /// Reads bytes of the file as they are stored.
  func readPlain(
    at start: Int, of number: Int, into buffer: UnsafeMutableRawBufferPointer
  ) throws(Fault) {
    do throws(Fault) {
      try bytes.value.read(at: start, into: buffer)
    } catch {
      throw Fault(error.kind, "", "page \(number): the file \(error.message)", hint: error.hint)
    }
  }

  /// A fault with what libtiff says, or with the disk's.
  private func problem(_ kind: FaultKind, _ text: String) -> Fault {
    if let fault = bytes.fault, fault.kind != .truncated {
      return Fault(fault.kind, "", fault.message, hint: fault.hint)
    }
    let said = String(cString: om_tiff_problem(pointer)).filter { !$0.isNewline }
    return Fault(kind, "", said.isEmpty ? text : "\(text): \(escaped(said))")
  }
}

private func printable(_ text: [CChar]) -> String {
  let end = text.firstIndex(of: 0) ?? text.endIndex
  return escaped(String(decoding: text[..<end].map(UInt8.init(bitPattern:)), as: UTF8.self))
}
