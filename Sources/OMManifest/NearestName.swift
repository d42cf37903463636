/// Returns the candidate that a mistyped name most likely meant, or nil when none is close.
///
/// Letter case, `-` and `_` do not count as differences. A name may differ by one edit for every
/// three letters (insert, delete, replace, or swap two neighbours), or be the start of exactly one
/// candidate.
public func nearestName(_ name: String, in candidates: some Sequence<String>) -> String? {
  let wanted = comparable(name)
  if wanted.isEmpty { return nil }
  let allowed = max(1, wanted.count / 3)
  var best: (name: String, distance: Int)?
  var completions: [String] = []
  for candidate in candidates {
    let letters = comparable(candidate)
    if letters.starts(with: wanted) { completions.append(candidate) }
    let distance = editDistance(wanted, letters)
    if distance <= allowed && distance < (best?.distance ?? .max) { best = (candidate, distance) }
  }
  if let best { return best.name }
  return completions.count == 1 ? completions.first : nil
}

/// The letters of a name in the form in which names are compared.
private func comparable(_ name: String) -> [Character] {
  name.lowercased().map { $0 == "-" ? "_" : $0 }
}

/// The least number of edits that turn one word into the other.
///
/// An edit inserts, deletes or replaces one letter, or swaps two neighbours.
func editDistance(_ first: [Character], _ second: [Character]) -> Int {
  var beforeLast: [Int] = []
  var last = Array(0...second.count)
  for row in 0..<first.count {
    var current = [row + 1]
    for column in 0..<second.count {
      let same = first[row] == second[column]
      var cost = min(
        last[column] + (same ? 0 : 1), last[column + 1] + 1, current[column] + 1)
      let swapped =
        row > 0 && column > 0 && first[row] == second[column - 1]
        && first[row - 1] == second[column]
      if swapped { cost = min(cost, beforeLast[column - 1] + 1) }
      current.append(cost)
    }
    beforeLast = last
    last = current
  }
  return last[second.count]
}
