import OMJSON

extension Inspector {
  /// Checks a transformation of any type.
  ///
  /// - Parameters:
  ///   - item: The transformation.
  ///   - input: The number of axes that go in; nil when it is not known.
  ///   - output: The number of axes that should come out; nil when it is not known.
  /// - Returns: The number of axes that come out; nil when it is not known.
  @discardableResult
  mutating func kind(_ item: Spot, input: Int?, output: Int? = nil) -> Int? {
    optional("name", .string, in: item, .kindType)
    guard let type = required("type", .string, in: item, .kindType) else { return nil }
    let made = parameters(of: item, type, input, output)
    if let made, let output, made != output {
      report(
        .kindDimensions, item, "the \(type) makes \(made) axes, its output has \(output)")
    }
    return made
  }

  private mutating func parameters(
    of item: Spot, _ type: String, _ input: Int?, _ output: Int?
  ) -> Int? {
    switch type {
    case "identity": return input
    case "scale": return scale(item, rank: input)
    case "translation": return translation(item, rank: input)
    case "affine": return affine(item, input)
    case "rotation": return rotation(item, input)
    case "mapAxis": return mapAxis(item, input)
    case "projectAxis": return projectAxis(item, input)
    case "sequence": return sequence(item, input)
    case "byDimension": return byDimension(item, input, output)
    case "bijection": return bijection(item, input, output)
    case "displacements", "coordinates":
      required("path", .string, in: item, .kindParameters)
      if let name = optional("interpolation", .string, in: item, .kindInterpolation),
        !["nearest", "linear", "cubic"].contains(name)
      {
        report(.kindInterpolation, item, "`interpolation` is \"\(name)\"")
      }
      return type == "displacements" ? input : nil
    default:
      report(.kindType, item, "the type \"\(type)\" is not known")
      return nil
    }
  }

  /// Checks a scale; returns its number of axes.
  @discardableResult
  mutating func scale(_ item: Spot, rank: Int?) -> Int? {
    guard let numbers = required("scale", .vector, in: item, .kindParameters),
      let spot = item["scale"]
    else { return nil }
    length("scale", numbers.count, spot, rank: rank)
    if let bad = numbers.first(where: { $0 <= 0 }) {
      report(.scalePositive, spot, "a scale is \(bad), expected a number above 0")
    }
    return numbers.count
  }

  /// Checks a translation; returns its number of axes.
  @discardableResult
  mutating func translation(_ item: Spot, rank: Int?) -> Int? {
    guard let numbers = required("translation", .vector, in: item, .kindParameters),
      let spot = item["translation"]
    else { return nil }
    length("translation", numbers.count, spot, rank: rank)
    return numbers.count
  }

  /// Notes ends inside a sequence.
  mutating func stepEnds(_ steps: [Spot]) {
    for step in steps {
      for key in ["input", "output"] {
        if let end = step[key] {
          report(.kindSequence, end, "a step of a sequence has `\(key)`")
        }
      }
    }
  }

  private mutating func sequence(_ item: Spot, _ input: Int?) -> Int? {
    guard
      let steps = requiredObjects("transformations", in: item, .kindParameters, mayBeEmpty: true)
    else { return nil }
    if steps.isEmpty { report(.kindSequence, item, "the sequence has no steps") }
    stepEnds(steps)
    var rank = input
    for step in steps {
      // steps of older drafts work on some axes only
      let isPartial = step["inputAxes"] != nil
      let made = kind(step, input: isPartial ? nil : rank)
      rank = isPartial ? rank : made
    }
    return rank
  }

  private mutating func bijection(_ item: Spot, _ input: Int?, _ output: Int?) -> Int? {
    var made: Int?
    for (key, from, to) in [("forward", input, output), ("inverse", output, input)] {
      guard required(key, .object, in: item, .kindParameters) != nil, let part = item[key] else {
        continue
      }
      let count = kind(part, input: from, output: to)
      if key == "forward" { made = count }
    }
    return made
  }

  private mutating func byDimension(_ item: Spot, _ input: Int?, _ output: Int?) -> Int? {
    guard
      let parts = requiredObjects(
        "transformations", in: item, .kindByDimension, mayBeEmpty: true)
    else { return nil }
    var outputs: [Int] = []
    var inputs: [Int] = []
    for part in parts {
      let from = required("inputAxes", .indices, in: part, .kindByDimension)
      let to = required("outputAxes", .indices, in: part, .kindByDimension)
      inputs += from ?? []
      outputs += to ?? []
      // An example in the text leaves the wrapper out.
      let isBare = setting == .fragment && part["transformation"] == nil && part["type"] != nil
      guard isBare || required("transformation", .object, in: part, .kindByDimension) != nil,
        let inner = isBare ? part : part["transformation"]
      else { continue }
      kind(inner, input: from?.count, output: to?.count)
    }
    let text = outputs.map(String.init).joined(separator: ", ")
    if Set(outputs).count != outputs.count || outputs.contains(where: { $0 >= output ?? .max }) {
      report(.kindByDimensionOutputs, item, "the output axes are \(text)")
    } else if let output, outputs.count != output {
      report(.kindByDimensionAll, item, "the output axes are \(text), there are \(output)")
    }
    if let input, let bad = inputs.first(where: { $0 >= input }) {
      report(.kindByDimensionAll, item, "an input axis is \(bad), there are \(input)")
    }
    return nil
  }
}
