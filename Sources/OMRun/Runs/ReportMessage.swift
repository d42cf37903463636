import OMGrid
import OMJSON
import OMTask

// Reports as messages between ranks.

extension ImageReport {
  /// The report without the name of the image.
  func encoded() -> JSON {
    var object: JSONObject = ["status": .string(status.rawValue)]
    if let note { object["note"] = .string(note) }
    if let fault { object["fault"] = fault.encoded() }
    object["outputs"] = .array(outputs.map { $0.encoded() })
    if !mismatches.isEmpty { object["mismatches"] = .array(mismatches.map { .string($0) }) }
    if damage.count > 0 { object["damage"] = damage.encoded() }
    if let answer {
      object["updates"] = .array(answer.updates.map(JSON.object))
      object["removals"] = .array(answer.removals.map(JSON.string))
    }
    if let log { object["log"] = .string(log) }
    return .object(object)
  }

  /// Reads what `encoded` wrote.
  init(decoding json: JSON, uri: String) throws(Fault) {
    self.init(uri: uri, status: json["status"]?.stringValue.flatMap(Status.init) ?? .failed)
    note = json["note"]?.stringValue
    fault = try json["fault"].map { (json) throws(Fault) in try Fault(decoding: json) }
    outputs = (json["outputs"]?.arrayValue ?? []).compactMap(OutputReport.init(decoding:))
    mismatches = json["mismatches"]?.arrayValue?.compactMap(\.stringValue) ?? []
    if let damage = json["damage"] { self.damage = DamageReport(decoding: damage) }
    if let updates = json["updates"]?.arrayValue {
      answer = WholeImageAnswer(
        updates: updates.compactMap(\.objectValue),
        removals: json["removals"]?.arrayValue?.compactMap(\.stringValue) ?? [])
    }
    log = json["log"]?.stringValue
  }
}

extension OutputReport {
  fileprivate func encoded() -> JSON {
    var object: JSONObject = [
      "name": .string(name), "uri": .string(uri), "kind": .string(kind.rawValue),
      "share": JSON(foregroundShare),
    ]
    if let dataType { object["type"] = .string(dataType.rawValue) }
    if let rows { object["rows"] = JSON(rows) }
    if let plate { object["plate"] = .string(plate) }
    if let objects { object["objects"] = JSON(objects) }
    object["thresholds"] = .array(
      thresholds.map { ["scope": .string($0.scope), "value": JSON($0.value)] })
    object["notes"] = .array(notes.map { .string($0) })
    if let replaced { object["replaced"] = .string(replaced) }
    return .object(object)
  }

  fileprivate init?(decoding json: JSON) {
    guard let name = json["name"]?.stringValue, let uri = json["uri"]?.stringValue,
      let kind = json["kind"]?.stringValue.flatMap(Kind.init(rawValue:))
    else { return nil }
    let type = json["type"]?.stringValue.flatMap(DataType.init(rawValue:))
    self.init(name: name, uri: uri, kind: kind, dataType: type)
    rows = json["rows"]?.intValue
    plate = json["plate"]?.stringValue
    objects = json["objects"]?.intValue
    foregroundShare = json["share"]?.doubleValue ?? 0
    notes = json["notes"]?.arrayValue?.compactMap(\.stringValue) ?? []
    replaced = json["replaced"]?.stringValue
    for entry in json["thresholds"]?.arrayValue ?? [] {
      guard let scope = entry["scope"]?.stringValue, let value = entry["value"]?.doubleValue
      else { continue }
      thresholds.append(ScopeThreshold(scope: scope, value: value))
    }
  }
}
