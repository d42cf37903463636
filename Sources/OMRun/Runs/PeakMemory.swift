import Glibc

/// The largest resident memory of this process so far, in bytes.
func peakMemory() -> Int {
  var usage = rusage()
  getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
  // Linux counts in units of 1024 bytes.
  return Int(usage.ru_maxrss) * 1024
}
