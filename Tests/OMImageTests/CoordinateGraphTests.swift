import OMImage
import OMJSON
import OMStore
import Testing

@Suite struct CoordinateGraphTests {
  /// The systems of an image whose voxels have the size 2 and 3 along y and x, from 1 and 0 on.
  private func graph(_ transformations: String, _ systems: [String] = ["p", "w"]) throws
    -> CoordinateGraph
  {
    let list = systems.map { name in
      #"""
      {"name": "\#(name)", "axes": [{"name": "y", "type": "space", "unit": "micrometer"},
        {"name": "x", "type": "space"}]}
      """#
    }
    let text = #"""
      {"zarr_format": 3, "node_type": "group", "attributes": {"ome": {"version": "0.6", "multiscales": [
        {"coordinateSystems": [\#(list.joined(separator: ", "))],
         "datasets": [{"path": "0", "coordinateTransformations": [{"type": "sequence",
           "input": {"path": "0"}, "output": {"name": "p"}, "transformations": [
             {"type": "scale", "scale": [2, 3]}, {"type": "translation", "translation": [1, 0]}]}]}],
         "coordinateTransformations": [\#(transformations)]}]}}}
      """#
    let store = MemoryStore(["zarr.json": Array(text.utf8)])
    return try #require(try OMEImage.open(ImageLocation(store: store, path: "")).coordinates)
  }

  private static let ends = #", "input": {"name": "p"}, "output": {"name": "w"}}"#

  @Test(
    arguments: [
      (#"{"type": "identity""#, [[1, 0, 0], [0, 1, 0]]),
      (#"{"type": "scale", "scale": [4, 5]"#, [[4, 0, 0], [0, 5, 0]]),
      (#"{"type": "translation", "translation": [4, 5]"#, [[1, 0, 4], [0, 1, 5]]),
      (#"{"type": "affine", "affine": [[1, 2, 3], [4, 5, 6]]"#, [[1, 2, 3], [4, 5, 6]]),
      (#"{"type": "rotation", "rotation": [[0, -1], [1, 0]]"#, [[0, -1, 0], [1, 0, 0]]),
      (#"{"type": "mapAxis", "mapAxis": [1, 0]"#, [[0, 1, 0], [1, 0, 0]]),
      (
        #"""
        {"type": "sequence", "transformations": [{"type": "translation", "translation": [1, 2]},
          {"type": "mapAxis", "mapAxis": [1, 0]}, {"type": "scale", "scale": [10, 100]}]
        """#, [[0, 10, 20], [100, 0, 100]]
      ),
      (
        #"""
        {"type": "byDimension", "transformations": [
          {"inputAxes": [1], "outputAxes": [0], "transformation": {"type": "scale", "scale": [7]}},
          {"inputAxes": [0], "outputAxes": [1],
           "transformation": {"type": "translation", "translation": [8]}}]
        """#, [[0, 7, 0], [1, 0, 8]]
      ),
      (
        #"{"type": "bijection", "forward": {"type": "scale", "scale": [4, 5]}, "backward": {}"#,
        [[4, 0, 0], [0, 5, 0]]
      ),
      (#"{"type": "displacements", "path": "field""#, nil),
      (#"{"type": "affine", "path": "matrix""#, nil),
      (#"{"type": "scale", "scale": [4, 5, 6]"#, nil),
      (#"{"type": "mapAxis", "mapAxis": [0, 0]"#, nil),
      (#"{"type": "affine", "affine": [[1, 2, 3]]"#, nil),
      (
        #"{"type": "sequence", "transformations": [{"type": "projectAxis", "droppedInputs": [0]}]"#,
        nil
      ),
      (#"{"type": "sequence", "transformations": []"#, nil),
      (
        #"""
        {"type": "byDimension", "transformations": [
          {"inputAxes": [0], "outputAxes": [0], "transformation": {"type": "identity"}}]
        """#, nil
      ),
    ] as [(String, [[Double]]?)])
  func `transformations become one matrix where they are one`(text: String, rows: [[Double]]?)
    throws
  {
    let link = try #require(try graph(text + Self.ends).links.first)
    #expect(link.map?.rows == rows)
    #expect(link.input.name == "p" && link.output.name == "w")
  }

  @Test func `every system that matrices lead to knows where voxels lie`() throws {
    let graph = try graph(
      #"""
      {"type": "affine", "affine": [[0, 1, 5], [1, 0, 6]], "input": {"name": "p"}, "output": {"name": "w"}},
      {"type": "scale", "scale": [10, 1], "input": {"name": "w"}, "output": {"name": "v"}},
      {"type": "displacements", "path": "f", "input": {"name": "p"}, "output": {"name": "u"}},
      {"type": "identity", "input": {"name": "p"}, "output": {"name": "q", "path": "labels/a"}}
      """#, ["w", "p", "v", "u", "q"])
    #expect(graph.intrinsic == "p")
    let maps = graph.systems.map { $0.fromVoxels?.rows }
    #expect(maps[0] == [[0, 3, 5], [2, 0, 7]])
    #expect(maps[1] == [[2, 0, 1], [0, 3, 0]])
    #expect(maps[2] == [[0, 30, 50], [2, 0, 7]])
    #expect(maps[3] == nil && maps[4] == nil)
    #expect(graph.systems[0].axes.map(\.unit) == ["micrometer", nil])
  }

  @Test(
    arguments: [
      (#"{"type": "scale", "scale": [4, 5]"#, [[0.5, 0, 0.25], [0, 0.6, 0]]),
      (#"{"type": "translation", "translation": [4, 5]"#, [[2, 0, -3], [0, 3, -5]]),
      (#"{"type": "rotation", "rotation": [[0, -1], [1, 0]]"#, [[0, 3, 0], [-2, 0, -1]]),
      (#"{"type": "mapAxis", "mapAxis": [1, 0]"#, [[0, 3, 0], [2, 0, 1]]),
      (#"{"type": "affine", "affine": [[0, 2, 3], [4, 0, 6]]"#, [[0, 0.75, -1.5], [1, 0, -1]]),
      (
        #"{"type": "affine", "affine": [[1e-9, 1e-9, 0], [0, 1e9, 0]]"#,
        [[2e9, -3e-9, 1e9], [0, 3e-9, 0]]
      ),
      (
        #"""
        {"type": "sequence", "transformations": [{"type": "translation", "translation": [1, 0]},
          {"type": "mapAxis", "mapAxis": [1, 0]}, {"type": "scale", "scale": [10, 100]}]
        """#, [[0, 0.03, -1], [0.2, 0, 0.1]]
      ),
      (
        #"""
        {"type": "bijection", "forward": {"type": "displacements", "path": "f"},
          "inverse": {"type": "scale", "scale": [4, 5]}
        """#, [[8, 0, 4], [0, 15, 0]]
      ),
    ] as [(String, [[Double]])])
  func `a transformation is followed against its direction`(text: String, rows: [[Double]]) throws {
    let ends = #", "input": {"name": "w"}, "output": {"name": "p"}}"#
    let graph = try graph(text + ends)
    let found = try #require(graph.systems[1].fromVoxels?.rows)
    for (row, expected) in zip(found.joined(), rows.joined()) {
      #expect(abs(row - expected) <= 1e-12 * max(1, abs(expected)), "\(found)")
      #expect(row.sign == .plus || row != 0)
    }
  }

  @Test(
    arguments: [
      (#"{"type": "affine", "affine": [[1, 2, 3], [2, 4, 6]]"#, "the affine to p has no inverse"),
      (
        #"{"type": "affine", "affine": [[0.1, 0.3, 0], [0.2, 0.6, 0]]"#,
        "the affine to p has no inverse"
      ),
      (#"{"type": "scale", "scale": [1, 0]"#, "the scale to p has no inverse"),
      (#"{"type": "displacements", "path": "f""#, "the displacements to p is no matrix"),
    ])
  func `what cannot be followed back says why`(text: String, obstacle: String) throws {
    let ends = #", "input": {"name": "w"}, "output": {"name": "p"}}"#
    let graph = try graph(text + ends)
    #expect(graph.systems[1].fromVoxels == nil && graph.systems[1].obstacle == obstacle)
    #expect(graph.systems[0].obstacle == nil)
  }

  @Test func `a way along transformations counts more than one against them`() throws {
    let graph = try graph(
      #"""
      {"type": "scale", "scale": [2, 2], "input": {"name": "v"}, "output": {"name": "p"}},
      {"type": "scale", "scale": [9, 9], "input": {"name": "p"}, "output": {"name": "w"}},
      {"type": "identity", "input": {"name": "w"}, "output": {"name": "v"}},
      {"type": "identity", "input": {"name": "u"}, "output": {"name": "v"}}
      """#, ["p", "w", "v", "u"])
    #expect(
      graph.systems.map { $0.fromVoxels?.diagonal?.scale } == [
        [2, 3], [18, 27], [18, 27], [18, 27],
      ])
  }

  @Test func `a circle of transformations ends`() throws {
    let graph = try graph(
      #"""
      {"type": "identity", "input": {"name": "p"}, "output": {"name": "w"}},
      {"type": "identity", "input": {"name": "w"}, "output": {"name": "p"}}
      """#)
    #expect(graph.systems.allSatisfy { $0.fromVoxels?.diagonal?.scale == [2, 3] })
  }
}
