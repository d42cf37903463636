import Foundation
import OMJSON
import Testing

@testable import OMManifest

/// The schema for editors, against the keys that the reader and the checker know.
@Suite struct ManifestSchemaTests {
  @Test func `the schema knows the keys of a manifest that we know`() throws {
    let schema = try schema()
    #expect(keys(schema["properties"]) == Set(FractalTask.ownKeys))
    let definitions = schema["$defs"]
    #expect(keys(definitions?["omtask"]?["properties"]) == Set(TaskTraits.keys))
    #expect(keys(definitions?["argsSchema"]?["properties"]) == Set(ArgsSchema.topKeywords))
    let parameter = keys(definitions?["parameter"]?["properties"])
    let value = keys(definitions?["value"]?["properties"])
    #expect(parameter.union(value) == Set(ParameterDeclaration.keywords))
  }

  @Test func `the schema knows the keys in the lists of our block`() throws {
    let block = try #require(try schema()["$defs"]?["omtask"]?["properties"])
    for (list, known) in BlockRules.itemKeys {
      let item = try #require(block[list]?["items"])
      #expect(keys(item["properties"]) == Set(known), "\(list)")
      #expect(item["additionalProperties"] == false)
    }
    #expect(keys(block["axes"]?["properties"]) == Set(BlockRules.axesKeys))
  }

  @Test func `everything that can be written has a title and a description`() throws {
    let schema = try schema()
    var places: [(String, JSON?)] = [("", schema["properties"])]
    for (name, definition) in schema["$defs"]?.objectValue?.members ?? [] {
      places.append((name, definition["properties"]))
    }
    for (place, properties) in places {
      for (key, property) in properties?.objectValue?.members ?? []
      where property["const"] == nil || property["title"] != nil {
        #expect(property["title"] != nil && property["description"] != nil, "\(place).\(key)")
      }
    }
  }

  @Test func `choices are those of the reader`() throws {
    let block = try #require(try schema()["$defs"]?["omtask"]?["properties"])
    let contracts = TaskTraits.Contract.allCases.map { JSON.string($0.rawValue) }
    let classes = TaskTraits.Exactness.allCases.map { JSON.string($0.rawValue) }
    #expect(block["contract"]?["enum"] == .array(contracts))
    #expect(block["exactness"]?["enum"] == .array(classes))
    let output = try #require(block["outputs"]?["items"]?["properties"])
    let kinds = PartialTraits.Kind.allCases.map { JSON.string($0.rawValue) }
    let types = PartialTraits.ColumnType.allCases.map { JSON.string($0.rawValue) }
    #expect(output["partials"]?["enum"] == .array(kinds))
    #expect(output["columns"]?["items"]?["properties"]?["type"]?["enum"] == .array(types))
    #expect(keys(output).isSuperset(of: PartialTraits.keys))
  }

  private func schema() throws -> JSON {
    let path = "Manifests/schema/manifest.schema.json"
    let url = Examples.package.appending(path: path)
    return try JSON(parsing: Array(try Data(contentsOf: url)), subject: path)
  }

  private func keys(_ object: JSON?) -> Set<String> { Set(object?.objectValue?.keys ?? []) }
}
