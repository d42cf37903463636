import CSys
import Glibc
import OMCodecs
import OMGrid
import OMJSON
package import OMRun
import OMStore

/// Measures what codecs and files cost on this machine.
package struct MachineBench {
  /// Where files go.
  package let folder: String
  /// Ends it before its time.
  package let stop: StopSwitch

  /// Makes a measurement.
  package init(folder: String, stop: StopSwitch) {
    self.folder = folder
    self.stop = stop
  }

  // MARK: - Codecs

  /// Seconds for each codec and direction.
  private static let codecPatience = 0.15

  /// Measures all codecs on one thread, with voxels of an image and with labels.
  ///
  /// - Parameter volume: Voxels, at least a chunk of 64 cubed.
  /// - Returns: The costs of each.
  /// - Throws: The fault of a stop.
  package func codecs(of volume: BenchVolume) throws -> [CodecCosts] {
    var costs: [CodecCosts] = []
    let chunk = volume.shape.map { min(64, $0) }
    let grid = ChunkGrid(arrayShape: volume.shape, cellShape: chunk)
    for type in [volume.dataType, .uint32, .uint8] {
      let chunks = (0..<min(8, grid.count)).map { number in
        voxels(of: volume, grid.region(at: grid.position(of: number)), as: type)
      }
      for codec in BenchCodec.allCases {
        try stop.check()
        costs.append(try rate(codec, chunks, type, chunk))
      }
    }
    return costs
  }

  /// The voxels of a chunk; of another type than that of the volume those of a label image.
  private func voxels(of volume: BenchVolume, _ box: Region, as type: DataType) -> ByteBuffer {
    let size = volume.dataType.byteCount
    let raw = ByteBuffer()
    let room = raw.replace(byteCount: box.count * size)
    guard let start = room.baseAddress else { return raw }
    volume.bytes.withUnsafeBytes { bytes in
      guard let voxels = bytes.baseAddress else { return }
      VoxelBox(region: box, start: start, elementByteCount: size).copy(from: voxels, volume.box)
    }
    if type == volume.dataType || volume.dataType != .uint16 { return raw }
    let labels = ByteBuffer()
    let target = labels.replace(byteCount: box.count * type.byteCount)
    target.initializeMemory(as: UInt8.self, repeating: 0)
    let values = UnsafeRawBufferPointer(room).bindMemory(to: UInt16.self)
    for (index, value) in values.enumerated() where value > 400 {
      target[index * type.byteCount] = type.byteCount == 1 ? 1 : UInt8(index >> 15 & 7) + 1
    }
    return labels
  }

  private func rate(
    _ codec: BenchCodec, _ chunks: [ByteBuffer], _ type: DataType, _ chunk: [Int]
  ) throws -> CodecCosts {
    let context = CodecContext()
    let encoder = ChunkEncoder(codec.compression, chunkShape: chunk, dataType: type)
    let chain = try CodecChain(v3: codec.compression.v3Codecs(type), key: "codecs", subject: "")
    let pipeline = try CodecPipeline(
      v3: chain, chunkShape: chunk, dataType: type,
      fillValue: [UInt8](repeating: 0, count: type.byteCount))
    let raw = chunk.reduce(type.byteCount, *)
    let encoded = ByteBuffer()
    var sizes: [Int] = []
    let encode = try repeated(raw) { number in
      guard let start = chunks[number % chunks.count].bytes.baseAddress else { return }
      encoded.removeAll()
      sizes.append(try encoder.encode(start, onto: encoded, using: context))
    }
    let decoded = ByteBuffer()
    let decode = try repeated(raw) { _ in
      guard let start = decoded.replace(byteCount: raw).baseAddress else { return }
      try pipeline.decode(encoded.bytes, into: start, using: context)
    }
    let mean = Double(sizes.reduce(0, +)) / Double(max(1, sizes.count))
    return CodecCosts(
      name: codec.rawValue, dataType: type.rawValue, decode: decode, encode: encode,
      ratio: Double(raw) / max(1, mean))
  }

  /// Bytes in a second of a processor.
  private func repeated(_ bytes: Int, _ body: (Int) throws -> Void) throws -> Double {
    try body(0)
    let start = threadSeconds()
    var count = 0
    while count == 0 || threadSeconds() - start < Self.codecPatience {
      try body(count)
      count += 1
    }
    return Double(bytes * count) / max(1e-9, threadSeconds() - start)
  }

  // MARK: - Files

  private static let fileCount = 64

  /// Measures files in the folder, which is made empty again.
  package func files() throws -> FileCosts {
    let outer = try OutputFolder(path: folder)
    defer { try? outer.removeTree("files") }
    let place = try outer.makeFolder("files")
    let store = try FileStore(root: place.path)
    let small = [UInt8](repeating: 7, count: 4096)
    var costs = FileCosts()
    costs.create = try each { try place.write("small\($0)", small) }
    costs.stat = try each { _ = try store.stamp("small\($0)") }
    costs.sync = try each { try place.sync("small\($0)") }
    return costs
  }

  /// The median of the seconds that something takes.
  private func each(_ body: (Int) throws -> Void) throws -> Double {
    var seconds: [Double] = []
    for number in 0..<Self.fileCount {
      try stop.check()
      let start = clockSeconds()
      try body(number)
      seconds.append(clockSeconds() - start)
    }
    return median(seconds)
  }
}

extension CostModel {
  /// What this machine is called, and what its processor calls itself.
  package mutating func nameMachine() {
    var names = utsname()
    if uname(&names) == 0 {
      host = withUnsafeBytes(of: &names.nodename) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
    }
    processor = Self.processorName()
    cores = Int(om_affinity_count())
  }

  private static func processorName() -> String {
    guard let file = fopen("/proc/cpuinfo", "re") else { return "" }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 1024)
    while fgets(&line, Int32(line.count), file) != nil {
      let text = String(
        decoding: line.prefix { $0 != 0 && $0 != 10 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
      guard text.hasPrefix("model name"), let colon = text.firstIndex(of: ":") else { continue }
      return String(text[text.index(after: colon)...].drop { $0 == " " })
    }
    return ""
  }
}
