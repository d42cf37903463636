/// Walks a box in C order and keeps count of where each position lies in two buffers.
///
/// - Parameters:
///   - shape: The shape of the box; a box without axes has one position.
///   - first: The step along each axis in the first buffer.
///   - second: The step along each axis in the second buffer.
///   - body: Called with both offsets.
package func walk(
  _ shape: [Int], _ first: [Int], _ second: [Int], _ body: (_ first: Int, _ second: Int) -> Void
) {
  if shape.contains(0) { return }
  var position = Array(repeating: 0, count: shape.count)
  var firstOffset = 0
  var secondOffset = 0
  while true {
    body(firstOffset, secondOffset)
    var axis = shape.count - 1
    while axis >= 0 {
      position[axis] += 1
      firstOffset += first[axis]
      secondOffset += second[axis]
      if position[axis] < shape[axis] { break }
      firstOffset -= shape[axis] * first[axis]
      secondOffset -= shape[axis] * second[axis]
      position[axis] = 0
      axis -= 1
    }
    if axis < 0 { return }
  }
}
