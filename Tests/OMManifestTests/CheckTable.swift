import Testing

/// A mistake made in the manifest of the blur, and what is said about it.
struct BrokenManifest: Sendable, CustomTestStringConvertible {
  /// A piece of the manifest, and what it is replaced by.
  let old, new: String
  /// The text at which the finding points: its first occurrence in the broken manifest.
  let at: String
  /// The name of the rule.
  let rule: String
  /// A part of the message.
  let words: String

  var testDescription: String { "\(rule): \(words)" }

  init(_ old: String, _ new: String, at: String, _ rule: String, _ words: String) {
    (self.old, self.new, self.at, self.rule, self.words) = (old, new, at, rule, words)
  }

  /// Mistakes in what Fractal server reads.
  static let server = [
    BrokenManifest(#""name": "Gaussian Blur", "#, "", at: "{", "server", "`name` is missing"),
    BrokenManifest(#""Gaussian Blur""#, "3", at: "3", "server", "`name` is 3, expected a string"),
    BrokenManifest(
      #""parallel", "exe"#, #""paralel", "exe"#, at: #""paralel""#, "server", "known are"),
    BrokenManifest(
      #""parallel", "exe"#, #""compound", "exe"#, at: #""compound""#, "server", "here is none"),
    BrokenManifest(
      #""category""#, #""executable_non_parallel": "x", "category""#,
      at: #""executable_non_parallel""#, "server", "has no `executable_non_parallel`"),
    BrokenManifest(
      #""executable_parallel": "bin/omtask run blur","#, "", at: "{", "server", "neither"),
    BrokenManifest("run blur", "run $blur", at: #""bin/omtask"#, "server", "the characters $"),
    BrokenManifest(#""Image Processing""#, "\"\"", at: "\"\",", "server", "empty string"),
    BrokenManifest(#"["Blur"]"#, #"["Blur", "Blur"]"#, at: #""Blur"]"#, "server", "stands twice"),
    BrokenManifest(#"["Blur"]"#, #"[" "]"#, at: #"" "]"#, "server", "a tag is empty"),
    BrokenManifest(#"["Blur"]"#, "null", at: "null, \"docs", "server", "`tags` is null"),
    BrokenManifest(
      #""tags""#, #""docs_link": "", "tags""#, at: "\"\", \"tags", "server", "`docs_link` is \"\""),
    BrokenManifest(
      #""tags""#, #""docs_link": "ftp://x", "tags""#, at: #""ftp:"#, "server", "http or https"),
    BrokenManifest(
      #""tags""#, #""input_types": {"is_3D": 1}, "tags""#, at: "1}", "server", "true or false"),
    BrokenManifest(
      #""tags""#, #""meta_parallel": null, "tags""#, at: "null, \"tags", "server",
      "expected an object"),
    BrokenManifest(
      #""tags""#, #""meta_non_parallel": {"mem": 1}, "tags""#, at: #""meta_non_parallel""#,
      "server", "no `executable_non_parallel`"),
    BrokenManifest(
      #""tags""#, #""args_schema_non_parallel": {"type": "object"}, "tags""#,
      at: #""args_schema_non_parallel""#, "server", "no `executable_non_parallel`"),
    BrokenManifest(
      #""tags""#, #""meta_parallel": {"account": "a"}, "tags""#, at: #""account""#, "server",
      "account"),
    BrokenManifest(
      #""tags""#, #""meta_parallel": {"tasks_per_job": 3}, "tags""#, at: #"{"tasks_per"#, "server",
      "not the other"),
    BrokenManifest(
      #""tags""#, #""meta_parallel": {"mem": "4GB"}, "tags""#, at: #""4GB""#, "server", "\"4GB\""),
    BrokenManifest(
      #""tags""#, #""meta_parallel": {"cpus_per_task": "4"}, "tags""#, at: #""4""#, "server",
      "a whole number from 1"),
  ]

  /// Mistakes in the args schema that forms or fractal-task-tools refuse.
  static let schema = [
    BrokenManifest(
      #""minimum": 0, "title""#, #""minimun": 0, "title""#, at: #""minimun""#, "form", "not known"),
    BrokenManifest(
      #""title": "Sigma""#, #""x-unit": "um""#, at: #""x-unit""#, "form", "`x-unit` is not known"),
    BrokenManifest(
      #"{"type": "number", "min"#, #"{"type": ["number", "null"], "min"#, at: #"["number""#, "form",
      "is the list"),
    BrokenManifest(
      #"{"type": "number", "min"#, #"{"min"#, at: #""minimum": 0"#, "form", "stands without `type`"),
    BrokenManifest(
      #"{"type": "number", "min"#, #"{"type": "string", "min"#, at: #""minimum": 0"#, "form",
      "belongs to the type \"number\""),
    BrokenManifest(
      #""type": "number", "min"#, #""type": "float", "min"#, at: #""float""#, "form", "known are"),
    BrokenManifest(
      #"["zarr_url", "sigma"]"#, #"["zarr_url", "sigm"]"#, at: #""sigm""#, "form",
      "`required` names `sigm`"),
    BrokenManifest(
      #"["zarr_url", "sigma"]"#, #"["zarr_url", "zarr_url"]"#, at: #"["zarr_url", "zarr"#, "form",
      "different strings"),
    BrokenManifest(
      #""title": "Sigma""#, #""format": "micron""#, at: #""micron""#, "form", "the format"),
    BrokenManifest(
      #""minimum": 0, "title""#, #""minimum": "0", "title""#, at: #""0""#, "form",
      "expected a number"),
    BrokenManifest(
      #"{"type": "array", "items": {"type": "integer"}}"#,
      #"{"type": "array", "prefixItems": [{"type": "integer"}], "minItems": 1}"#,
      at: #""prefixItems""#, "form", "are 1 and no"),
    BrokenManifest(
      #""title": "Blur", "#, ##""title": "Blur", "$defs": {"a": {"minimum": 1}}, "##,
      at: #""minimum": 1}"#, "form", "stands without `type`"),
    BrokenManifest(
      #""title": "Sigma""#, ##""anyOf": [{"$ref": "#/$defs/none"}]"##, at: ##""#/$defs"##, "form",
      "not in this schema"),
    BrokenManifest(
      #""title": "Sigma""#, #""then": {}"#, at: #""then""#, "form", "`then` stands without `if`"),
    BrokenManifest(
      #""enum": ["reflect", "nearest"]"#, #""enum": []"#, at: "[], ", "form", "`enum` is empty"),
    BrokenManifest(
      #""anyOf": [{"type": "number"}, "#, #""anyOf": [3, "#, at: "3, {", "form",
      "a schema is expected"),
    BrokenManifest(
      #""title": "Sigma""#, #""discriminator": {}"#, at: #""discriminator""#, "form",
      "not known here"),
    BrokenManifest(#""default": 1,"#, #""default": 9,"#, at: "9,", "form", "allowed is 8 or less"),
    BrokenManifest(
      #""default": 1,"#, #""default": "1","#, at: #""1","#, "form", "the type is integer"),
    BrokenManifest(
      #""default": "reflect""#, #""default": "mirror""#, at: #""mirror""#, "form",
      "reflect, nearest"),
    BrokenManifest(
      #""title": "Sigma""#, #""examples": [-1]"#, at: "-1]", "form", "the example -1"),
    BrokenManifest(#""sigma": {"#, #""args": {"#, at: #"{"type": "number", "min"#, "E01", "`args`"),
    BrokenManifest(
      #""title": "Blur", "#, #""title": "Blur", "definitions": {}, "#, at: "{}, ", "E02",
      "`definitions`"),
    BrokenManifest(
      #"["reflect", "nearest"]"#, #"["reflect", 1]"#, at: #"["reflect""#, "E03", "several types"),
    BrokenManifest(
      #"{"type": "number", "minimum": 0, "title": "Sigma"}"#, #"{"title": "Sigma"}"#,
      at: #"{"title": "Sigma""#, "E04", "no `type`"),
    BrokenManifest(
      #"{"type": "boolean", "default": false}"#, #"{"type": "boolean"}"#, at: #"{"type": "bool"#,
      "E05", "no default"),
    BrokenManifest(
      #"{"type": "number", "minimum": 0, "title": "Sigma"}"#,
      #"{"type": "object", "additionalProperties": {"type": "boolean"}}"#,
      at: #"{"type": "boolean"}"#,
      "E06", "object of booleans"),
    BrokenManifest(
      #""default": "reflect""#, #""default": " ""#, at: #"" "}"#, "E07", "empty string"),
    BrokenManifest(
      #""items": {"type": "integer"}"#, #""prefixItems": [{"type": "boolean"}]"#,
      at: #"[{"type": "boolean"}]"#, "E08", "tuple"),
    BrokenManifest(
      #"[{"type": "string"}, {"type": "null"}]"#, #"[{"type": "boolean"}, {"type": "null"}]"#,
      at: #"[{"type": "boolean""#, "E10", "cannot also be null"),
    BrokenManifest(
      #"[{"type": "string"}, {"type": "null"}]"#,
      #"[{"type": "string", "enum": ["a"]}, {"type": "null"}]"#,
      at: #"[{"type": "string", "enum""#, "E11", "cannot also be null"),
    BrokenManifest(
      #"[{"type": "number"}, {"type": "null"}]"#, #"[{"type": "number"}, {"type": "string"}]"#,
      at: #"[{"type": "number"}, {"type": "str"#, "E13", "number, string"),
    BrokenManifest(
      #"[{"type": "number"}, {"type": "null"}]"#,
      ##"[{"$ref": "#/properties/sigma"}, {"$ref": "#/properties/mode"}]"##, at: ##"[{"$ref""##,
      "E14",
      "2 references"),
    BrokenManifest(
      #"[{"type": "number"}, {"type": "null"}]"#,
      #"[{"type": "number"}, {"type": "array"}, {"type": "null"}]"#, at: #"[{"type": "number"}, {"#,
      "E15", "3 items"),
    BrokenManifest(
      #""title": "Sigma""#, #""oneOf": [{"type": "number"}]"#, at: #"[{"type": "number"}]"#, "E21",
      "no `discriminator`"),
    BrokenManifest(
      #""title": "Sigma""#, #""oneOf": [{"type": "number"}]"#, at: #"[{"type": "number"}]"#, "E22",
      "no `$ref`"),
  ]

  /// Mistakes in our own block, in parameters as omtask wants them, and in reserved arguments.
  static let own = [
    BrokenManifest(
      #""tags""#, #""tagss""#, at: #""tagss""#, "omtask", "`tagss` is not known here"),
    BrokenManifest(#""omtask": {"#, #""omtsk": {"#, at: "{", "omtask", "`omtask` is missing"),
    BrokenManifest(
      #""result_version": 2"#, #""result_version": 0"#, at: "0, \"exact", "omtask", "begins at 1"),
    BrokenManifest(
      #""result_version": 2"#, #""result_version": "2""#, at: #""2""#, "omtask", "a whole number"),
    BrokenManifest(#""kernel""#, #""kernl""#, at: #""kernl""#, "omtask", "known are kernel"),
    BrokenManifest(
      #""yields": "tiles""#, #""yield": "tiles""#, at: #""yield""#, "omtask", "`yield` is not known"
    ),
    BrokenManifest(
      #"[{"name": "blur", "yields": "tiles"}]"#, "[]", at: "[],", "omtask", "is empty"),
    BrokenManifest(
      #""yields": "tiles""#, #""yields": "tiles", "merge": "sum""#, at: #""sum""#, "omtask",
      "by key"),
    BrokenManifest(
      #""kind": "image""#, #""kind": "picture""#, at: #""picture""#, "omtask", "label"),
    BrokenManifest(
      #""dtypes": ["uint16"]}"#, #""dtypes": ["unit16"]}"#, at: #""unit16""#, "omtask", "uint16"),
    BrokenManifest(#"["y", "x"]"#, #"["y", "w"]"#, at: #""w""#, "omtask", "known are t, c"),
    BrokenManifest(
      #""optional": ["z"]"#, #""optional": ["x"]"#, at: #""x"]}"#, "omtask", "required and optional"
    ),
    BrokenManifest(
      #""suffix", "most", "#, #""suffix", "msot", "#, at: #""msot""#, "omtask",
      "no parameter `msot`"),
    BrokenManifest(
      #""suffix", "most", "#, #""suffix", "#, at: #""most""#, "omtask", "none of the groups"),
    BrokenManifest(
      #""suffix", "most", "#, #""suffix", "most", "most", "#, at: #""most", "overwrite"#, "omtask",
      "in a group already"),
    BrokenManifest(#"{"sigma": "mi"#, #"{"sgma": "mi"#, at: #""sgma""#, "omtask", "`sgma`"),
    BrokenManifest(#""micrometer""#, "1", at: "1}, \"run", "omtask", "expected a string"),
    BrokenManifest(
      #""run_only": ["overwrite"]"#, #""run_only": ["overwrit"]"#, at: #""overwrit""#, "omtask",
      "`overwrit`"),
    BrokenManifest(
      #""most": {"#, #""stop_before": {"#, at: #""stop_before""#, "omtask", "a flag of `omtask run`"
    ),
    BrokenManifest(#""most": {"#, #""Most": {"#, at: #""Most""#, "omtask", "no flag"),
    BrokenManifest(
      #""most": {"#, #""no_overwrite": {"#, at: #""no_overwrite""#, "omtask", "turn off"),
    BrokenManifest(
      #""additionalProperties": false"#, #""additionalProperties": true"#, at: "true,", "omtask",
      "typing errors"),
    BrokenManifest(
      #""title": "Sigma""#, #""multipleOf": 2"#, at: #"{"type": "number", "min"#, "omtask",
      "`multipleOf` is not known"),
    BrokenManifest(
      #""examples": []"#, #""examples": [{"text": "x", "command": "omtask run blur a"}]"#,
      at: #""omtask run blur a""#, "omtask", "does not call this task"),
    BrokenManifest(
      #""examples": []"#,
      #""examples": [{"text": "x", "command": "omtask run gaussian-blur a --sigm 2"}]"#,
      at: #""omtask run g"#, "omtask", "`--sigm`"),
    BrokenManifest(
      #""examples": []"#,
      #""examples": [{"text": "x", "command": "omtask run gaussian-blur a --sigma -2"}]"#,
      at: #""omtask run g"#, "omtask", "allows 0 or more"),
    BrokenManifest(
      #""zarr_url": {"type": "string", "title": "Zarr Url"},"#, "", at: "{\n     \n",
      "arguments", "`zarr_url` is missing"),
    BrokenManifest(
      #"["zarr_url", "sigma"]"#, #"["sigma"]"#, at: #"["sigma"]}"#, "arguments", "is not required"),
    BrokenManifest(
      #""most": {"#, #""zarr_dir": {"#, at: #""zarr_dir""#, "arguments", "set by the server alone"),
    BrokenManifest(
      "\"docs_info\": \"### Purpose\",", "", at: "{", "omtask", "`docs_info` is missing"),
    BrokenManifest(
      "\"docs_info\": \"### Purpose\"", #""docs_info": x"#, at: "x,", "json", "a value is expected"),
  ]
}
