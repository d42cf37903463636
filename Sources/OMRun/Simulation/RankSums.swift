/// What each rank does.
struct RankSums {
  var busy: [Double]
  var read: [Double]
  var written: [Double]
  var metadata: [MetadataOperations]

  init(ranks: Int) {
    busy = Array(repeating: 0, count: ranks)
    read = busy
    written = busy
    metadata = Array(repeating: MetadataOperations(), count: ranks)
  }

  mutating func add(_ jobs: [[SimulatedJob]]) {
    for rank in jobs.indices { busy[rank] += jobs[rank].reduce(0) { $0 + $1.cpu } }
  }

  /// Adds a whole image.
  mutating func add(_ work: Workload, units: Int, to owner: Int) {
    read[owner] += work.items.reduce(0) { $0 + $1.read }
    written[owner] += Double(
      work.items.reduce(0) { $0 + $1.written } + work.coarse.reduce(0) { $0 + $1.written })
    metadata[owner].opens += work.items.reduce(0) { $0 + $1.opened }
    metadata[owner].creates += units + work.documents
    metadata[owner].folders += work.folders
    metadata[owner].renames += units
    metadata[owner].stats += work.keys
  }
}
