import OMJSON
import OMManifest
import Testing

@Suite struct ManifestTests {
  @Test func `every shipped manifest is accepted and is named like its file`() throws {
    let shipped = try Examples.shipped()
    #expect(!shipped.isEmpty)
    for (name, text) in shipped {
      let manifest = try Manifest(text: text, subject: name)
      #expect(name == "\(manifest.identifier).json")
      for declaration in manifest.parameters.userDeclarations {
        #expect(!declaration.description.isEmpty, "\(declaration.name) has no description")
      }
    }
  }

  @Test func `a manifest declares its parameters in order, with unit, range and default`() throws {
    let manifest = try Manifest(text: Examples.blur, subject: "blur.json")
    #expect(manifest.identifier == "gaussian-blur")
    #expect(manifest.traits.resultVersion == 2)
    #expect(manifest.parameters.userDeclarations.first?.name == "sigma")
    let sigma = try #require(manifest.parameters["sigma"])
    #expect(sigma.isRequired && sigma.unit == "micrometer" && sigma.range == "0 or more")
    let passes = try #require(manifest.parameters["passes"])
    #expect(passes.range == "1 to 8" && passes.defaultValue == 1)
    #expect(manifest.parameters["channel"]?.type == .strings)
    #expect(manifest.parameters["zarr_url"]?.isReserved == true)
    #expect(manifest.parameters["overwrite"]?.changesResult == false)
  }

  @Test(
    "a mistake in a manifest is refused and named",
    arguments: [
      (#""minimum": 0, "#, #""minimun": 0, "#, "minimun"),
      (#""type": "number", "minimum""#, #""type": "object", "minimum""#, "object"),
      (#"{"type": "boolean", "default": false}"#, #"{"type": "boolean"}"#, "default"),
      (#""default": 1,"#, #""default": 9,"#, "1 to 8"),
      (#""default": 1,"#, #""default": "1","#, "not an integer"),
      (#""default": "reflect""#, #""default": "mirror""#, "reflect"),
      (#""required": ["zarr_url", "sigma"]"#, #""required": ["zarr_url", "sigm"]"#, "sigm"),
      (#""required": ["zarr_url", "sigma"]"#, #""required": ["sigma"]"#, "zarr_url"),
      (
        #""most": {"anyOf": [{"type": "number"}, {"type": "null"}], "default": null}"#,
        #""most": {"anyOf": [{"type": "number"}, {"type": "string"}]}"#, "anyOf"
      ),
      (#""additionalProperties": false"#, #""additionalProperties": true"#, "additionalProperties"),
      (#""contract": "kernel""#, #""contract": "magic""#, "magic"),
      (#""units": {"sigma""#, #""units": {"sgma""#, "sgma"),
      (#""suffix", "most", "overwrite"]"#, #""suffix", "overwrite"]"#, "most"),
      (#""result_version""#, #""result_versoin""#, "result_versoin"),
      (#""type": "parallel""#, #""type": "compound""#, "compound"),
      (#""name": "Gaussian Blur""#, #""name": "Gaußian/Blur""#, "Gaußian/Blur"),
      (#""tags": ["Blur"]"#, #""tags": ["Blur", "Blur"]"#, "tag"),
    ])
  func mistakes(old: String, new: String, named: String) throws {
    let text = Examples.blur(replacing: old, by: new)
    #expect(text != Examples.blur)
    let fault = try #require(throws: Fault.self) {
      try Manifest(text: text, subject: "blur.json")
    }
    #expect(fault.kind == .manifest)
    #expect("\(fault)".contains(named), "\(fault)")
  }

  @Test func `a parameter may not have the name of a flag of the run`() throws {
    let text = Examples.blur(replacing: "most", by: "threads")
    let fault = try #require(throws: Fault.self) { try Manifest(text: text, subject: "b") }
    #expect(fault.kind == .manifest && fault.message.contains("`threads`"))
  }
}
