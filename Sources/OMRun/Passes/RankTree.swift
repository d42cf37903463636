/// The binary tree in which ranks join what each of them found.
///
/// Rank r takes what r + 1, r + 2, r + 4, … have while its number allows, and then gives all of it to
/// its parent; rank 0 is the root.
struct RankTree {
  private let rank: Int
  private let size: Int

  /// The tag of messages that carry sums of objects.
  static let tableTag: Int32 = 12

  init(_ communicator: any Communicator) {
    rank = communicator.rank
    size = communicator.size
  }

  /// The ranks below this one, in the order in which they are joined.
  var children: [Int] {
    var result: [Int] = []
    var step = 1
    while rank & step == 0 && rank + step < size {
      result.append(rank + step)
      step *= 2
    }
    return result
  }

  /// The rank above; nil for the root.
  var parent: Int? { rank == 0 ? nil : rank & (rank - 1) }
}
