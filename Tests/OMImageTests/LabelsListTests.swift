import OMImage
import OMJSON
import OMStore
import Synchronization
import Testing

@Suite struct LabelsListTests {
  private func read(_ documents: [String: String], _ version: OMEVersion) throws(Fault)
    -> LabelsList
  {
    try LabelsList.read(Examples.store(documents), image: "", version: version)
  }

  private func v2(_ attributes: String) -> [String: String] {
    ["labels/.zgroup": #"{"zarr_format": 2}"#, "labels/.zattrs": attributes]
  }

  @Test func `the first label makes the group`() throws {
    let v2 = try read([:], .v0_4).adding("nuclei")
    #expect(v2.map(\.key) == ["labels/.zgroup", "labels/.zattrs"])
    #expect(v2[1].json == ["labels": ["nuclei"]])
    let v3 = try read([:], .v0_5).adding("nuclei")
    #expect(v3.map(\.key) == ["labels/zarr.json"])
    #expect(v3[0].json["attributes"] == ["ome": ["version": "0.5", "labels": ["nuclei"]]])
    #expect(v3[0].json["node_type"] == "group")
  }

  @Test func `a list that another run makes while it is looked for is read`() throws {
    let late = LateStore(
      Examples.store([
        "labels/zarr.json": Examples.group05(#"{"ome": {"version": "0.5", "labels": ["a"]}}"#)
      ]))
    #expect(try LabelsList.read(late, image: "", version: .v0_5).names == ["a"])
    let array = LateStore(Examples.store(["labels/zarr.json": Examples.array05("[1, 4, 4]")]))
    #expect(throws: Fault.self) { try LabelsList.read(array, image: "", version: .v0_5) }
  }

  @Test func `adding keeps order, foreign members and the text of numbers`() throws {
    let list = try read(v2(#"{"b": 1.50, "labels": ["z", "a"], "n": 12345678901234567890}"#), .v0_4)
    #expect(list.names == ["z", "a"])
    let document = try #require(list.adding("m").first)
    let text = #"{"b":1.50,"labels":["z","a","m"],"n":12345678901234567890}"#
    #expect(document.json == (try json(text)))
    #expect(list.adding("m").count == 1)
    #expect(list.adding("a").isEmpty)
  }

  @Test func `a list outside ome stays where it is, a group without version gets one`() throws {
    let outside = try read(
      ["labels/zarr.json": Examples.group05(#"{"labels": ["a"], "x": 1}"#)], .v0_5)
    #expect(
      outside.adding("b").first?.json["attributes"] == ["labels": ["a", "b"], "x": 1])
    let bare = try read(
      ["labels/zarr.json": Examples.group05(#"{"ome": {"labels": ["a"]}}"#)], .v0_5)
    #expect(
      bare.adding("b").first?.json["attributes"]
        == ["ome": ["labels": ["a", "b"], "version": "0.5"]])
  }

  @Test(arguments: [#"{"labels": "nuclei"}"#, #"{"labels": [1]}"#, #"{"labels": {"a": 1}}"#])
  func `a list of another type is refused`(attributes: String) throws {
    let fault = try #require(throws: Fault.self) { try read(v2(attributes), .v0_4) }
    #expect(fault.kind == .metadata && fault.subject == "labels/.zattrs")
  }

  @Test func `a name that leads outside is refused`() throws {
    let fault = try #require(throws: Fault.self) {
      try read(v2(#"{"labels": ["../../secret.zarr"]}"#), .v0_4)
    }
    #expect(fault.kind == .path && fault.subject == "labels/.zattrs")
  }

  @Test func `a label that exists shows its record`() throws {
    let store = Examples.store([
      "labels/a/zarr.json": Examples.group05(#"{"omtask": {"run": "1f"}}"#),
      "labels/b/zarr.json": Examples.group05("{}"),
      "labels/c/zarr.json": "{", "labels/d/0/c/0": "x",
    ])
    #expect(try ExistingLabel.find("a", image: "", in: store)?.record == ["run": "1f"])
    for name in ["b", "c", "d"] {
      let label = try #require(try ExistingLabel.find(name, image: "", in: store))
      #expect(label.record == nil)
    }
    #expect(try ExistingLabel.find("free", image: "", in: store) == nil)
  }
}

/// A store in which a value appears right after it was asked for first.
private final class LateStore: Store {
  private let store: MemoryStore
  private let asked = Mutex(false)

  init(_ store: MemoryStore) { self.store = store }

  var description: String { "late" }
  var folder: String? { nil }

  func get(_ key: String, limit: Int) throws(Fault) -> [UInt8]? {
    let isFirst = asked.withLock { asked in
      defer { asked = true }
      return !asked
    }
    return isFirst ? nil : try store.get(key, limit: limit)
  }

  func open(_ key: String) throws(Fault) -> OpenedValue? { try store.open(key) }
  func list(_ prefix: String) throws(Fault) -> [String] { try store.list(prefix) }
  func isFolder(_ key: String) throws(Fault) -> Bool { try store.isFolder(key) }

  func stamp(_ key: String) throws(Fault) -> ValueStamp? {
    key == "labels" ? ValueStamp(size: 0, modified: 0) : try store.stamp(key)
  }
}
