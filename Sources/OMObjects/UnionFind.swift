/// The root of an element; halves the path on the way (Tarjan and van Leeuwen 1984).
@inline(__always)
func root(_ parents: UnsafeMutablePointer<UInt32>, _ element: UInt32) -> UInt32 {
  var current = element
  while true {
    let parent = parents[Int(current)]
    if parent == current { return current }
    let grandparent = parents[Int(parent)]
    parents[Int(current)] = grandparent
    current = grandparent
  }
}

/// Joins the sets of two elements; the smaller root stays the root.
@inline(__always)
func unite(_ parents: UnsafeMutablePointer<UInt32>, _ one: UInt32, _ other: UInt32) {
  let a = root(parents, one)
  let b = root(parents, other)
  if a < b { parents[Int(b)] = a } else if b < a { parents[Int(a)] = b }
}

/// A list of plain values that grows and is emptied without giving its memory back.
struct GrowingBuffer<Element: BitwiseCopyable>: ~Copyable {
  private(set) var base: UnsafeMutablePointer<Element>
  private(set) var count = 0
  private var capacity: Int

  init() {
    capacity = 1024
    base = .allocate(capacity: capacity)
  }

  deinit { base.deallocate() }

  mutating func removeAll() { count = 0 }

  mutating func reserve(_ needed: Int) {
    if needed <= capacity { return }
    let size = max(needed, capacity * 2)
    let larger = UnsafeMutablePointer<Element>.allocate(capacity: size)
    larger.update(from: base, count: count)
    base.deallocate()
    base = larger
    capacity = size
  }

  /// Takes elements that were written behind the last one into use.
  mutating func use(_ more: Int) {
    precondition(count + more <= capacity, "more elements used than there is room for")
    count += more
  }
}
