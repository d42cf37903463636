package import OMJSON

// A holder as the bytes of a lock's file.

extension LockHolder {
  /// The holder as JSON.
  package var json: JSON {
    var object: JSONObject = ["since": JSON(since)]
    if let job { object["job"] = ["id": .string(job.id), "restarts": JSON(job.restarts)] }
    object["machines"] = .array(
      machines.map { machine in
        [
          "host": .string(machine.host), "boot": .string(machine.boot),
          "process_space": .string(machine.processSpace),
          "processes": .array(
            machine.processes.map { [JSON($0.number), JSON($0.started)] }),
        ]
      })
    return .object(object)
  }

  /// Reads a holder; nil for anything that is not the JSON of one.
  package init?(_ json: JSON) {
    guard let since = json["since"]?.intValue,
      let entries = json["machines"]?.arrayValue, !entries.isEmpty
    else { return nil }
    let machines = entries.compactMap(LockMachine.init)
    guard machines.count == entries.count else { return nil }
    var job: LockJob?
    if let entry = json["job"] {
      guard let id = entry["id"]?.stringValue, !id.isEmpty,
        let restarts = entry["restarts"]?.intValue
      else { return nil }
      job = LockJob(id: id, restarts: restarts)
    }
    self.init(machines: machines, job: job, since: since)
  }

  /// Reads a holder from the bytes of a file; nil for anything else, such as a file half written.
  package init?(bytes: [UInt8]) {
    guard let json = try? JSON(parsing: bytes, subject: "lock") else { return nil }
    self.init(json)
  }
}

extension LockMachine {
  fileprivate init?(_ json: JSON) {
    guard let host = json["host"]?.stringValue, let boot = json["boot"]?.stringValue,
      let space = json["process_space"]?.stringValue,
      let entries = json["processes"]?.arrayValue, !entries.isEmpty
    else { return nil }
    let processes = entries.compactMap { entry -> LockProcess? in
      guard let pair = entry.arrayValue, pair.count == 2,
        let number = pair[0].intValue.flatMap({ Int32(exactly: $0) }), number > 0,
        let started = pair[1].intValue
      else { return nil }
      return LockProcess(number: number, started: started)
    }
    guard processes.count == entries.count else { return nil }
    self.init(host: host, boot: boot, processSpace: space, processes: processes)
  }
}
