import Glibc
import OMCodecs
import OMGrid
import OMJSON
import OMManifest
import OMRun
import OMStore
import OMTask
import OMTasks
import OMZarr
import Testing

/// Long-lived processes, such as a worker that is given one image after the other, must not grow.
@Suite struct RepeatedRunsTests {
  // A process of its own, because the tests beside this one open files too.
  @Test func `many runs in one process keep descriptors and memory flat`() async {
    await #expect(processExitsWith: .success) {
      let runs = getenv("OMTASK_ACCEPTANCE") == nil ? 200 : 1000
      let image = try TinyImage()
      // Buffers and caches grow until everything has happened some times.
      for number in 0..<50 { try image.run(number) }
      let before = ProcessState.now()
      for number in 0..<runs { try image.run(number) }
      let after = ProcessState.now()
      #expect(after.descriptors == before.descriptors)
      // A sanitizer keeps memory of its own for every piece that is freed.
      if dlsym(nil, "__asan_init") != nil || dlsym(nil, "__tsan_init") != nil { return }
      let grown = after.memory - before.memory
      #expect(grown < 2 << 20, "\(runs) runs left \(grown) bytes")
    }
  }
}

/// What a process holds.
private struct ProcessState {
  var descriptors: Int
  /// Resident bytes.
  var memory: Int

  static func now() -> ProcessState {
    ProcessState(descriptors: descriptorCount(), memory: residentBytes())
  }

  private static func descriptorCount() -> Int {
    (0..<4096).count { fcntl(Int32($0), F_GETFD) != -1 }
  }

  private static func residentBytes() -> Int {
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    guard fgets(&line, 256, file) != nil else { return 0 }
    let words = String(decoding: line.map(UInt8.init(bitPattern:)), as: UTF8.self).split(
      separator: " ")
    return (Int(words[1]) ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
  }
}

/// An image of four chunks in a folder of its own, of which labels are made again and again.
private struct TinyImage {
  private let folder = ImageFolder()

  init() throws {
    let root = try folder.output()
    let layout = try ArrayLayout(
      zarrFormat: 3, shape: [32, 32], dataType: .uint8, chunkShape: [16, 16], compression: .none)
    let scale: JSON = ["type": "scale", "scale": [1, 1]]
    let multiscale: JSON = [
      "axes": [["name": "y", "type": "space"], ["name": "x", "type": "space"]],
      "datasets": [["path": "0", "coordinateTransformations": [scale]]],
    ]
    let attributes: JSON = ["ome": ["version": "0.5", "multiscales": [multiscale]]]
    let group: JSON = ["zarr_format": 3, "node_type": "group", "attributes": attributes]
    try root.write("zarr.json", group.bytes())
    for (name, document) in layout.documents(attributes: [:]) {
      try root.write("0/\(name)", document.bytes())
    }
    for chunk in 0..<4 {
      try root.write(
        "0/" + layout.unitKey([chunk / 2, chunk % 2]),
        (0..<256).map { UInt8($0 * (chunk + 3) % 256) })
    }
  }

  /// Makes the label image; odd runs and even runs differ, so that each one replaces the last.
  func run(_ number: Int) throws {
    let entry = try #require(
      TaskCatalog.entries.first { $0.manifestText.contains("\"name\": \"Threshold\"") })
    let manifest = try Manifest(text: entry.manifestText, subject: "threshold.json")
    let parameters = try ParameterBinder(manifest).bind(
      commandLine: [("threshold", "\(100 + number % 2)"), ("label-name", "parts")])
    var options = RunOptions()
    options.overwrite = true
    options.threads = 2
    let report = try execute(
      RunRequest(
        entry: entry, manifest: manifest, parameters: parameters, inputs: [folder.path],
        options: options),
      communicator: SoloCommunicator(), observer: Deaf())
    try #require(report.exitCode == 0)
  }

}

/// An observer whom nothing interests.
private struct Deaf: RunObserver {
  func handle(_ event: RunEvent) {}
}
