import OMJSON
import OMStore

/// A folder that results may go to, or temporary files.
struct PlaceCheck {
  /// The path as it was given.
  let path: String
  /// Whether several nodes work on what lies there.
  var isForNodes = false

  /// What is told when looking takes too long.
  var late: DoctorFinding {
    .problem(
      .io, "place.file_system", .null, "the file system gives no answer",
      do: "look whether its server is there, and whether it is mounted on \(hostName())"
    ).about(path)
  }

  var findings: [DoctorFinding] { found().map { $0.about(path) } }

  private func found() -> [DoctorFinding] {
    let folder: String
    do throws(Fault) {
      folder = try LocalPlace.folder(around: path)
    } catch {
      return [
        .problem(
          error.kind, "place.file_system", .null, error.message,
          do: error.hint ?? "is the file system mounted on \(hostName())?")
      ]
    }
    guard let system = FileSystem(of: folder) else {
      return [
        .problem(
          .io, "place.file_system", .null, "the kernel does not say what file system it is",
          do: "is the file system mounted on \(hostName())?")
      ]
    }
    return [kind(system)] + tried(folder, system) + room(system)
  }

  // MARK: - What it is

  private func kind(_ system: FileSystem) -> DoctorFinding {
    let key = "place.file_system"
    let name = JSON.string(system.name)
    switch system.reach {
    case .shared:
      return .ok(key, name, "\(system.name), \(Self.advice[system.name] ?? "shared by machines")")
    case .machine, .memory, .container:
      let text = "\(system.name), \(Self.reaches[system.reach] ?? "")"
      if isForNodes {
        return .warning(
          key, name, "\(text), and the job has several nodes",
          do: "put images on a file system that all nodes have")
      }
      if system.reach == .machine { return .ok(key, name, text) }
      return .note(key, name, text)
    case .unknown: return .ok(key, name, system.name)
    }
  }

  private static let reaches: [FileSystem.Reach: String] = [
    .machine: "on this machine",
    .memory: "in the memory of this machine, gone when it is switched off",
    .container: "a layer of the container, gone with it",
  ]

  private static let advice: [String: String] = [
    "nfs": "shared by machines; others may see new names up to a minute late",
    "nfs4": "shared by machines; others may see new names up to a minute late",
    "lustre": "shared by machines; few large files are best: shards of 64 MiB to 1 GiB",
    "gpfs": "shared by machines; few large files are best: shards of 64 MiB to 1 GiB",
    "beegfs": "shared by machines; few large files are best: shards of 64 MiB to 1 GiB",
  ]

  // MARK: - What it lets us do

  private func tried(_ folder: String, _ system: FileSystem) -> [DoctorFinding] {
    let probe: FolderProbe
    do throws(Fault) { probe = try FolderProbe(folder) } catch { return [refused(error, system)] }
    var found: [DoctorFinding] = [.ok("place.writable", true, "may be written")]
    found.append(
      probe.replaces
        ? .ok("place.replace", true, "a file may be renamed over another one")
        : .problem(
          .io, "place.replace", false, "a file cannot be renamed over another one",
          do: "results need that; write to another file system"))
    found.append(
      probe.isExclusive
        ? .ok("place.exclusive", true, "a name is taken once only")
        : .problem(
          .io, "place.exclusive", false, "a file that must be new is made where one exists",
          do: "two runs would take the same lock; write to another file system"))
    found += names(probe) + locks(probe)
    if let time = syncTime(probe) { found.append(time) }
    return found
  }

  private func refused(_ fault: Fault, _ system: FileSystem) -> DoctorFinding {
    let isPermission = fault.kind == .permission
    return .problem(
      fault.kind, "place.writable", false,
      system.isReadOnly && isPermission
        ? "is mounted read-only, so results cannot go there"
        : "cannot be written: \(fault.message)",
      do: isPermission
        ? "`--output` puts the results into another folder" : fault.hint ?? "write to another one")
  }

  private func names(_ probe: FolderProbe) -> [DoctorFinding] {
    var found: [DoctorFinding] = [
      probe.links
        ? .ok("place.hard_links", true, "a file may have two names")
        : .note(
          "place.hard_links", false,
          "a file has one name only; locks are renamed into place instead")
    ]
    found.append(
      probe.exchanges
        ? .ok("place.exchange", true, "two names may change places in one step")
        : .note(
          "place.exchange", false,
          "two names cannot change places in one step: other programs must not add labels at the same moment"
        ))
    found.append(
      probe.tellsCase
        ? .ok("place.case", true, "`a` and `A` are two names")
        : .note(
          "place.case", false, "`a` and `A` are one name: labels must differ in more than that"))
    return found
  }

  /// omtask's own locks are names; these are for programs beside it.
  private func locks(_ probe: FolderProbe) -> [DoctorFinding] {
    let value: JSON = ["flock": .bool(probe.locksWhole), "fcntl": .bool(probe.locksParts)]
    return [
      probe.locksWhole && probe.locksParts
        ? .ok("place.locks", value, "flock and fcntl keep others out")
        : .note(
          "place.locks", value,
          "\(probe.locksParts ? "flock" : probe.locksWhole ? "fcntl" : "flock and fcntl") keep nobody out; "
            + "omtask needs neither")
    ]
  }

  private func syncTime(_ probe: FolderProbe) -> DoctorFinding? {
    let times = probe.syncMilliseconds
    if times.isEmpty {
      return .note(
        "place.fsync_ms", .null, "nothing can be waited for until it is on the disk (fsync)")
    }
    let median = times[times.count / 2]
    let value = JSON.number(fixed(median, 3))
    let text = "a small file is on the disk after \(fixed(median, 1)) ms (\(times.count) tried)"
    if median < 100 { return .ok("place.fsync_ms", value, text) }
    return .note(
      "place.fsync_ms", value, text,
      do: "small images wait for that; `--durability none` where a lost result is no harm")
  }

  // MARK: - Room

  private func room(_ system: FileSystem) -> [DoctorFinding] {
    let bytes = JSON(system.freeBytes)
    let text = "\(byteText(system.freeBytes)) are free"
    var found: [DoctorFinding] = []
    if system.freeBytes == 0 && !system.isReadOnly {
      found.append(.problem(.io, "place.free_bytes", bytes, "is full", do: "make room"))
    } else if system.freeBytes < 1 << 30 && !system.isReadOnly {
      found.append(
        .warning(
          "place.free_bytes", bytes, "\(text) only", do: "`omtask plan` says what a run needs"))
    } else {
      found.append(.ok("place.free_bytes", bytes, text))
    }
    guard let files = system.freeFiles else { return found }
    let names = "\(grouped(files)) files may still be made"
    if files == 0 && !system.isReadOnly {
      found.append(
        .problem(
          .io, "place.free_files", JSON(files), "no file may be made any more (inodes)",
          do: "remove files"))
    } else if files < 10_000 && !system.isReadOnly {
      found.append(
        .warning(
          "place.free_files", JSON(files), "\(names) only (inodes)",
          do: "write shards (`omtask run convert`), or to another file system"))
    } else {
      found.append(.ok("place.free_files", JSON(files), names))
    }
    return found
  }
}
