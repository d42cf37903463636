import OMJSON
import OMManifest
import OMTask

// What a run would do, for plans.

extension CallRun {
  /// The programs in their order.
  var programs: [ProgramPlan] {
    type.parts.map { part in
      let times =
        part == .whole
        ? (type.takesImages ? "once, for all images" : "once")
        : "once for each item of the list that it makes"
      return ProgramPlan(words: task.words(part), times: times)
    }
  }

  /// How many programs one process may run at once, and a word where that is fewer than workers.
  var workers: (count: Int, sentence: String?) {
    type.hasList ? Runner.programs(task, .each, request) : (1, nil)
  }

  /// The memory that the programs of one process may need.
  var memory: Int {
    max(task.memory(.whole) ?? 0, (task.memory(.each) ?? 0) * workers.count)
  }

  /// What would become of the run; nil when it is given no image.
  ///
  /// *Collective*.
  var note: String? {
    get throws {
      if isEmpty { return nil }
      let place = "new images go here (`zarr_dir`)"
      guard !request.options.fresh, let past = try past() else {
        return type.hasList ? "\(place); the list of items is yet to be made" : place
      }
      switch past.standing {
      case .done: return "\(place); it is done already, nothing to do"
      case .items(let left):
        return "\(place); \(left.count) of \(past.record.items.count) items are left to do"
      case .changed(let what): return "\(place); all is done again, since \(what) has changed"
      }
    }
  }
}
