import OMJSON

@testable import OMCommands

/// As much of JSON Schema as the schemas in `docs/schemas` use.
struct Schema {
  private let root: JSON

  init(named name: String) throws {
    let path = projectFolder + "/docs/schemas/\(name).schema.json"
    root = try JSON(parsing: readFile(path), subject: path)
  }

  /// What is wrong with a document; empty when it fits.
  func problems(of document: JSON) -> [String] { problems(document, root, "$") }

  private func problems(_ value: JSON, _ schema: JSON, _ place: String) -> [String] {
    if let name = schema["$ref"]?.stringValue?.split(separator: "/").last {
      return problems(value, root["$defs"]?[String(name)] ?? .null, place)
    }
    if let options = schema["oneOf"]?.arrayValue {
      let fitting = options.count { problems(value, $0, place).isEmpty }
      return fitting == 1 ? [] : ["\(place) fits \(fitting) of the schemas: \(value.text())"]
    }
    var found: [String] = []
    if let type = schema["type"] { found += typeProblems(value, type, place) }
    if let constant = schema["const"], constant != value {
      found.append("\(place) is not constant")
    }
    if let choices = schema["enum"]?.arrayValue, !choices.contains(value) {
      found.append("\(place) is none of the choices")
    }
    if let low = schema["minimum"]?.doubleValue, let number = value.doubleValue, number < low {
      found.append("\(place) is below \(low)")
    }
    if let high = schema["maximum"]?.doubleValue, let number = value.doubleValue, number > high {
      found.append("\(place) is above \(high)")
    }
    if let pattern = schema["pattern"]?.stringValue, let text = value.stringValue,
      let regex = try? Regex(pattern), text.wholeMatch(of: regex) == nil
    {
      found.append("\(place) does not match")
    }
    if let object = value.objectValue { found += memberProblems(object, schema, place) }
    if let items = schema["items"], let elements = value.arrayValue {
      found += elements.enumerated().flatMap { problems($1, items, "\(place)[\($0)]") }
    }
    return found
  }

  private func memberProblems(_ object: JSONObject, _ schema: JSON, _ place: String) -> [String] {
    let required = (schema["required"]?.arrayValue ?? []).compactMap(\.stringValue)
    var found = required.filter { object[$0] == nil }.map { "\(place).\($0) is missing" }
    for (key, value) in object.members {
      if let schema = schema["properties"]?[key] {
        found += problems(value, schema, "\(place).\(key)")
      } else if schema["additionalProperties"] == false {
        found.append("\(place).\(key) is not known")
      }
    }
    return found
  }

  private func typeProblems(_ value: JSON, _ type: JSON, _ place: String) -> [String] {
    let names = type.arrayValue?.compactMap(\.stringValue) ?? [type.stringValue ?? ""]
    let fits = names.contains { name in
      switch name {
      case "object": value.objectValue != nil
      case "array": value.arrayValue != nil
      case "string": value.stringValue != nil
      case "integer": value.intValue != nil
      case "number": value.doubleValue != nil
      case "null": value == .null
      default: false
      }
    }
    return fits ? [] : ["\(place) is \(value.kindName), expected \(names)"]
  }
}
