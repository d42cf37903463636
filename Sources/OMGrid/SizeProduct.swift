/// The product of sizes, such as the voxels of a shape.
///
/// - Parameters:
///   - sizes: Numbers from 0.
///   - limit: The largest product that is wanted.
/// - Returns: The product; nil when it is larger than the limit, also where `Int` could not hold it.
package func product(of sizes: some Sequence<Int>, atMost limit: Int = .max) -> Int? {
  var product = 1
  var isBeyond = false
  for size in sizes {
    // Nothing times whatever is nothing.
    if size == 0 { return 0 }
    if isBeyond { continue }
    let (next, overflows) = product.multipliedReportingOverflow(by: size)
    isBeyond = overflows || next > limit
    product = next
  }
  return isBeyond ? nil : product
}
