import OMJSON

/// The keywords of JSON Schema 2020-12 as Ajv, and so the form of Fractal's web client, knows them.
enum SchemaVocabulary {
  /// What stands behind a keyword.
  enum Content: Sendable {
    /// One schema; `inPlace` when it describes the same value and not a part of it.
    case schema(inPlace: Bool)
    /// A list of schemas.
    case schemas(inPlace: Bool)
    /// Schemas by name.
    case named(inPlace: Bool)
    /// A number; above zero for `multipleOf`.
    case number
    /// A whole number of 0 or more.
    case count
    case flag, text, texts, list, type, anything
  }

  /// One keyword.
  struct Keyword: Sendable {
    /// What stands behind it.
    let content: Content
    /// The types that it belongs to; none for keywords of every type.
    let types: [String]

    init(_ content: Content, _ types: String...) {
      self.content = content
      self.types = types
    }
  }

  /// All keywords.
  static let keywords: [String: Keyword] = [
    "$schema": Keyword(.text), "$id": Keyword(.text), "$anchor": Keyword(.text),
    "$ref": Keyword(.text), "$dynamicRef": Keyword(.text), "$dynamicAnchor": Keyword(.text),
    "$comment": Keyword(.text), "$vocabulary": Keyword(.anything),
    "$defs": Keyword(.named(inPlace: false)), "definitions": Keyword(.named(inPlace: false)),
    "allOf": Keyword(.schemas(inPlace: true)), "anyOf": Keyword(.schemas(inPlace: true)),
    "oneOf": Keyword(.schemas(inPlace: true)), "not": Keyword(.schema(inPlace: true)),
    "if": Keyword(.schema(inPlace: true)), "then": Keyword(.schema(inPlace: true)),
    "else": Keyword(.schema(inPlace: true)),
    "properties": Keyword(.named(inPlace: false), "object"),
    "patternProperties": Keyword(.named(inPlace: false), "object"),
    "additionalProperties": Keyword(.schema(inPlace: false), "object"),
    "propertyNames": Keyword(.schema(inPlace: false), "object"),
    "unevaluatedProperties": Keyword(.schema(inPlace: false), "object"),
    "dependentSchemas": Keyword(.named(inPlace: true), "object"),
    "dependentRequired": Keyword(.anything, "object"),
    "dependencies": Keyword(.anything, "object"),
    "required": Keyword(.texts, "object"), "minProperties": Keyword(.count, "object"),
    "maxProperties": Keyword(.count, "object"),
    "items": Keyword(.schema(inPlace: false), "array"),
    "prefixItems": Keyword(.schemas(inPlace: false), "array"),
    "contains": Keyword(.schema(inPlace: false), "array"),
    "unevaluatedItems": Keyword(.schema(inPlace: false), "array"),
    "minItems": Keyword(.count, "array"), "maxItems": Keyword(.count, "array"),
    "minContains": Keyword(.count, "array"), "maxContains": Keyword(.count, "array"),
    "uniqueItems": Keyword(.flag, "array"),
    "minimum": Keyword(.number, "number"), "maximum": Keyword(.number, "number"),
    "exclusiveMinimum": Keyword(.number, "number"),
    "exclusiveMaximum": Keyword(.number, "number"), "multipleOf": Keyword(.number, "number"),
    "minLength": Keyword(.count, "string"), "maxLength": Keyword(.count, "string"),
    "pattern": Keyword(.text, "string"), "format": Keyword(.text, "string", "number"),
    "type": Keyword(.type), "enum": Keyword(.list), "const": Keyword(.anything),
    "title": Keyword(.text), "description": Keyword(.text), "default": Keyword(.anything),
    "examples": Keyword(.list), "deprecated": Keyword(.flag), "readOnly": Keyword(.flag),
    "writeOnly": Keyword(.flag), "nullable": Keyword(.flag),
    "contentEncoding": Keyword(.text), "contentMediaType": Keyword(.text),
    "contentSchema": Keyword(.anything),
  ]

  /// The names that `type` knows.
  static let types = ["string", "number", "integer", "boolean", "array", "object", "null"]

  /// The formats that ajv-formats adds.
  static let formats: Set<String> = [
    "date", "time", "date-time", "iso-time", "iso-date-time", "duration", "uri", "uri-reference",
    "uri-template", "url", "email", "hostname", "ipv4", "ipv6", "regex", "uuid", "json-pointer",
    "json-pointer-uri-fragment", "relative-json-pointer", "byte", "int32", "int64", "float",
    "double", "password", "binary",
  ]
}

extension Spot {
  /// The schemas directly in this schema, with the keyword they stand under.
  var subschemas: [(keyword: String, isInPlace: Bool, schema: Spot)] {
    members.flatMap { key, spot -> [(keyword: String, isInPlace: Bool, schema: Spot)] in
      switch SchemaVocabulary.keywords[key]?.content {
      case .schema(let inPlace): [(key, inPlace, spot)]
      case .schemas(let inPlace): spot.elements.map { (key, inPlace, $0) }
      case .named(let inPlace): spot.members.map { (key, inPlace, $0.spot) }
      default: []
      }
    }
  }

  /// The texts of `type`; none when it is absent.
  var schemaTypes: [String] {
    self["type"]?.value.stringValue.map { [$0] }
      ?? (self["type"]?.value.arrayValue ?? []).compactMap(\.stringValue)
  }
}

/// The schema that a `$ref` names, which must lie in the same document.
func resolvedReference(_ reference: String, in root: JSON) -> JSON? {
  guard reference.hasPrefix("#") else { return nil }
  var place = root
  for step in reference.dropFirst().split(separator: "/").map(String.init) {
    let key = step.replacing("~1", with: "/").replacing("~0", with: "~")
    guard let next = place[key] ?? element(key, of: place) else { return nil }
    place = next
  }
  return place
}

private func element(_ key: String, of list: JSON) -> JSON? {
  guard let elements = list.arrayValue, let index = Int(key), elements.indices.contains(index)
  else { return nil }
  return elements[index]
}
