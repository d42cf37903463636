import Glibc
import OMGrid
import OMJSON
import OMZarr
import Testing

@testable import OMCommands

/// A 0.4 image of shape (2, 4, 6) in axes z, y, x: voxel (z, y, x) is 24 z + 6 y + x; with a label.
private func makeImage(in folder: TemporaryFolder) -> String {
  let axes: JSON = [
    ["name": "z", "type": "space", "unit": "micrometer"], ["name": "y", "type": "space"],
    ["name": "x", "type": "space"],
  ]
  let scale: JSON = ["type": "scale", "scale": [2.5, 1, 1]]
  let multiscales: JSON = [
    [
      "version": "0.4", "name": "cells", "axes": axes,
      "datasets": [["path": "0", "coordinateTransformations": [scale]]],
    ]
  ]
  let group: JSON = ["zarr_format": 2]
  for path in ["img", "img/labels", "img/labels/nuclei"] {
    folder.write("\(path)/.zgroup", group.bytes())
  }
  let omero: JSON = ["channels": [["label": "DAPI"]]]
  folder.write("img/.zattrs", (["multiscales": multiscales, "omero": omero] as JSON).bytes())
  folder.write("img/labels/.zattrs", (["labels": ["nuclei"]] as JSON).bytes())
  folder.write(
    "img/labels/nuclei/.zattrs",
    (["multiscales": multiscales, "image-label": ["version": "0.4"]] as JSON).bytes())
  for (path, value) in [("img/0", 1), ("img/labels/nuclei/0", 0)] {
    let array: JSON = [
      "zarr_format": 2, "shape": [2, 4, 6], "chunks": [1, 4, 3], "dtype": ">u2", "fill_value": 0,
      "order": "C", "compressor": .null, "filters": .null, "dimension_separator": "/",
    ]
    folder.write("\(path)/.zarray", array.bytes())
    for z in 0..<2 {
      for column in 0..<2 {
        let chunk = (0..<4).flatMap { y in
          (0..<3).flatMap { x -> [UInt8] in [0, UInt8(value * (24 * z + 6 * y + column * 3 + x))] }
        }
        folder.write("\(path)/\(z)/0/\(column)", chunk)
      }
    }
  }
  return folder.path + "/img"
}

/// The bytes of 16-bit voxels.
private func voxels(_ values: some Sequence<Int>) -> [UInt8] {
  values.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
}

@Suite struct ReadingTests {
  private let folder = TemporaryFolder()
  private let image: String

  init() { image = makeImage(in: folder) }

  @Test(arguments: ["", "/0"])
  func `cat writes the voxels in C order, little-endian`(path: String) throws {
    #expect(try call("cat", image + path).output == voxels(0..<48))
  }

  @Test func `cat writes the selected box`() throws {
    let expected = voxels([24 + 6 + 2, 24 + 6 + 3, 24 + 12 + 2, 24 + 12 + 3])
    #expect(try call("cat", image, "--select", "z=1,y=1:3,x=2:4").output == expected)
    #expect(try call("cat", image + "/0", "--select", "0=1,1=1:3,2=2:4").output == expected)
  }

  @Test func `cat begins with a header that NumPy reads`() throws {
    let output = try call("cat", image, "--npy", "--select", "z=0").output
    #expect(output.count == 128 + 48)
    let header = String(decoding: output[10..<128], as: UTF8.self)
    #expect(output.prefix(10) == [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 1, 0, 118, 0])
    #expect(header.hasPrefix("{'descr': '<u2', 'fortran_order': False, 'shape': (1, 4, 6,), }"))
    #expect(header.hasSuffix(" \n"))
  }

  @Test func `a header of any length ends at a multiple of 64`() {
    for rank in 1...20 {
      let header = npyHeader(shape: Array(repeating: 1000, count: rank), dataType: .float64)
      #expect(header.count % 64 == 0 && header.last == 10)
      #expect(Int(header[8]) + 256 * Int(header[9]) == header.count - 10)
    }
  }

  @Test func `cat of a damaged chunk names it and ends with 65`() throws {
    folder.write("img/0/1/0/1", [1, 2, 3])
    let result = try call("cat", image)
    #expect(result.code == 65)
    #expect(result.messages.last?.contains("0/1/0/1") == true)
  }

  @Test func `cat does not write voxels to a terminal`() throws {
    let output = MemorySink(isTerminal: true)
    let messages = MemorySink()
    let context = CommandContext(
      catalogue: try realCatalogue(), environment: Environment([:]), output: output,
      console: Console(messages, style: LogStyle()))
    #expect(OMTaskProgram.run(["cat", image], context) == 64)
    #expect(output.bytes.isEmpty)
  }

  @Test func `info tells what an image is and how it is stored`() throws {
    let lines = try call("info", image).text.split(separator: "\n").map(String.init)
    #expect(
      lines == [
        "\(image): OME-Zarr 0.4 image \"cells\"", "  axes      z, y, x",
        "  size      2 x 4 x 6 voxels, uint16", "  voxel     z 2.5 micrometer, y 1, x 1",
        "  channels  0 DAPI", "  level 0   2 x 4 x 6 at `0`",
        "            chunks 1 x 4 x 3, none, 96 B in 4 of 4 chunks", "  labels    nuclei",
      ])
    let json = try JSON(parsing: call("info", image, "--json").output, subject: "info")
    #expect(json["levels"]?.arrayValue?.first?["stored_bytes"] == 96)
    #expect(json["labels"] == ["nuclei"])
  }

  @Test func `info tells about a single array`() throws {
    let text = try call("info", image + "/0").text
    #expect(text.contains("Zarr v2 array"))
    #expect(text.contains("96 B in 4 of 4 chunks"))
  }

  @Test(arguments: [["cat"], ["preview", "--png", "-"]])
  func `a plate is refused where one image is needed`(command: [String]) throws {
    let wells: JSON = [["path": "A/1", "rowIndex": 0, "columnIndex": 0]]
    let plate: JSON = [
      "version": "0.4", "rows": [["name": "A"]], "columns": [["name": "1"]], "wells": wells,
    ]
    folder.write("plate/.zgroup", (["zarr_format": 2] as JSON).bytes())
    folder.write("plate/.zattrs", (["plate": plate] as JSON).bytes())
    folder.write("plate/A/1/.zgroup", (["zarr_format": 2] as JSON).bytes())
    let well: JSON = ["version": "0.4", "images": [["path": "0"], ["path": "1"]]]
    folder.write("plate/A/1/.zattrs", (["well": well] as JSON).bytes())
    let uri = folder.path + "/plate"
    let result = try call(command + [uri])
    #expect(result.code == 64)
    #expect(
      result.messages == [
        "omtask: hint: for example `\(uri)/A/1/0`",
        "omtask: error[usage]: \(uri): is a plate, `omtask \(command[0])` needs one of its images",
      ])
    #expect(
      try call(["info", uri]).text == """
        \(uri): plate with 1 well, 2 images
          images per well:
            1
          A 2

        """)
    #expect(
      try call(["info", uri + "/A/1"]).text == """
        \(uri)/A/1: well with 2 images
          \(uri)/A/1/0
          \(uri)/A/1/1

        """)
  }

  @Test func `preview makes a PNG and says what it shows`() throws {
    let file = folder.path + "/a.png"
    let result = try call("preview", image, "--png", file, "--label", "nuclei")
    #expect(result.code == 0)
    #expect(result.messages == ["omtask: \(file): 6 x 4 pixels, level 0, z=1, t=0"])
    #expect(try readFile(file)[16..<24] == [0, 0, 0, 6, 0, 0, 0, 4])
    #expect(try call("preview", image, "--png", "-", "--label", "nuclei").output == readFile(file))
  }

  @Test(arguments: [
    (["--z", "2"], "`--z` is 2, the image has 0 to 1"),
    (["--level", "1"], "`--level` is 1, the image has 0 to 0"),
    (["--channel", "GFP"], "there is no channel `GFP`"),
    (["--channel", "0,0,0,0"], "`--channel` names 4 channels, 1 to 3 can be shown"),
    (["--label", "cells"], "has no label image `cells`"),
  ])
  func `preview refuses what the image does not have`(flags: [String], message: String) throws {
    let output = MemorySink()
    let messages = MemorySink()
    let context = CommandContext(
      catalogue: try realCatalogue(), environment: Environment([:]), output: output,
      console: Console(messages, style: LogStyle()))
    #expect(OMTaskProgram.run(["preview", image, "--png", "-"] + flags, context) == 64)
    #expect(messages.text.contains(message))
    #expect(output.bytes.isEmpty)
  }

  @Test(arguments: [
    ("{\"compressor\":{\"id\":\"blosc\",\"cname\":\"zstd\",\"clevel\":3}}", "blosc(zstd 3)"),
    ("{\"compressor\":{\"id\":\"zlib\",\"level\":1},\"order\":\"F\"}", "order F, zlib(1)"),
    ("{\"compressor\":null}", "none"),
  ])
  func `codecs of Zarr v2 are shown as they are written`(members: String, text: String) throws {
    var document: JSONObject = [
      "zarr_format": 2, "shape": [2], "chunks": [2], "dtype": "|u1", "fill_value": 0, "order": "C",
      "compressor": .null, "filters": .null,
    ]
    let given = try JSON(parsing: Array(members.utf8), subject: "test").objectValue ?? [:]
    for (key, value) in given.members { document[key] = value }
    folder.write("codecs/.zarray", JSON.object(document).bytes())
    let shown = try call("info", folder.path + "/codecs").text
    #expect(shown.contains("chunks 2, \(text), 0 B in 0 of 1 chunk"))
  }

  @Test(arguments: [
    ("SHARDS", "chunks 2, shards 8, bytes, gzip(3)"),
    (
      "SHARDS,{\"name\":\"gzip\",\"configuration\":{\"level\":5}},{\"name\":\"crc32c\"}",
      "chunks 2, shards 8, sharding_indexed(bytes, gzip(3)), gzip(5), crc32c"
    ),
    (
      "{\"name\":\"transpose\",\"configuration\":{\"order\":[0]}},SHARDS",
      "chunks 2, shards 8, transpose, sharding_indexed(bytes, gzip(3))"
    ),
    ("\"bytes\"", "chunks 8, bytes"),
  ])
  func `codecs before and behind shards are shown`(codecs: String, text: String) throws {
    let shards = """
      {"name":"sharding_indexed","configuration":{"chunk_shape":[2],"codecs":[{"name":"bytes"},\
      {"name":"gzip","configuration":{"level":3}}],"index_codecs":[{"name":"bytes",\
      "configuration":{"endian":"little"}},{"name":"crc32c"}]}}
      """
    let document = """
      {"zarr_format":3,"node_type":"array","shape":[8],"data_type":"uint8","fill_value":0,\
      "chunk_grid":{"name":"regular","configuration":{"chunk_shape":[8]}},\
      "chunk_key_encoding":{"name":"default"},"codecs":[\(codecs)]}
      """
    let parts = document.split(separator: "SHARDS", omittingEmptySubsequences: false)
    folder.write("shards/zarr.json", Array(parts.joined(separator: shards).utf8))
    let unit = text.contains("shards") ? "shard" : "chunk"
    let shown = try call("info", folder.path + "/shards").text
    #expect(shown.contains("\(text), 0 B in 0 of 1 \(unit)"))
    let json = try JSON(
      parsing: call("info", folder.path + "/shards", "--json").output, subject: "info")
    #expect(text.contains("chunks 2") == (json["shards"] == [8]))
    #expect(text.contains(json["codecs"]?.stringValue ?? "?"))
  }
}

@Suite struct ResultFileTests {
  private let folder = TemporaryFolder()

  @Test func `a file of an earlier run is replaced whole`() throws {
    folder.write("out.json", Array("old and much longer than the new one".utf8))
    try ResultFile(path: folder.path + "/out.json", flag: "out-json").write(["a": 1] as JSON)
    #expect(try readFile(folder.path + "/out.json") == Array("{\n  \"a\": 1\n}\n".utf8))
  }

  @Test func `a folder that is not there is found before any work`() {
    let fault = #expect(throws: Fault.self) {
      try ResultFile(path: folder.path + "/no/out.json", flag: "out-json")
    }
    #expect(fault?.kind == .missing)
  }

  @Test func `events can be read while they are written`() throws {
    folder.write("events", Array("of an earlier run".utf8))
    let file = try LineFile(path: folder.path + "/events")
    try file.write("{}\n")
    #expect(try readFile(folder.path + "/events") == Array("{}\n".utf8))
  }
}

@Suite struct ByteSinkTests {
  @Test func `a reader that goes away is no mistake`() throws {
    signal(SIGPIPE, SIG_IGN)
    var ends: [Int32] = [0, 0]
    #expect(pipe(&ends) == 0)
    close(ends[0])
    defer { close(ends[1]) }
    let sink = DescriptorSink(descriptor: ends[1], name: "a pipe")
    #expect(throws: ReaderGone.self) { try sink.write("x") }
  }

  @Test func `a full disk is a fault that names the place`() throws {
    let descriptor = open("/dev/full", O_WRONLY)
    try #require(descriptor >= 0)
    defer { close(descriptor) }
    let sink = DescriptorSink(descriptor: descriptor, name: "the events")
    let fault = #expect(throws: Fault.self) { try sink.write("x") }
    #expect(fault?.kind == .io && fault?.subject == "the events")
  }
}
