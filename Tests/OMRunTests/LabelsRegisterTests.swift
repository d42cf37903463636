import Glibc
import OMImage
import OMJSON
import OMStore
import Synchronization
import Testing

@testable import OMRun

@Suite struct LabelsRegisterTests {
  let image = LabelsImage()
  private var folder: ImageFolder { image.folder }

  @Test func `label images are moved and listed under the lock, which is gone after`() throws {
    let register = try image.register(["a", "b"])
    _ = try register.commit(in: folder.output()) { (place) throws(Fault) in
      let stages = (try? folder.output().folder(".omtask").list()) ?? []
      #expect(stages == ["labels.lock"])
      image.putLabel("a")
      image.putLabel("b")
      #expect(place.path == folder.path + "/labels")
    }
    #expect(try image.listed() == ["a", "b"])
    #expect(try folder.output().folder(".omtask").list() == [])
  }

  @Test func `a name that is taken leaves no folder and no lock`() throws {
    let register = try image.register(["a"])
    let fault = #expect(throws: Fault.self) {
      try register.commit(in: folder.output()) { (_) throws(Fault) in
        throw Fault(.exists, "a", "is taken")
      }
    }
    #expect(fault?.kind == .exists)
    #expect(try folder.output().list() == [".omtask"])
    Shelf.labels.lock.tidy(ImageCommitter.folder, of: try folder.output())
    #expect(try folder.output().list() == [])
  }

  @Test func `a name that differs only in case from a new one is refused before anything moves`()
    throws
  {
    folder.put(image.list, image.listing(["Nuclei"]))
    let register = try image.register(["nuclei"])
    let fault = #expect(throws: Fault.self) {
      try register.commit(in: folder.output()) { _ in Issue.record("moved") }
    }
    #expect(fault?.kind == .usage)
    #expect(try image.listed() == ["Nuclei"])
  }

  @Test func `a lock that somebody keeps is named`() throws {
    let lock = try FileLock.acquire(
      "labels.lock", in: folder.output().makeFolder(".omtask"), patience: 0)
    let fault = #expect(throws: Fault.self) { try image.register(["a"], patience: 0).relist() }
    #expect(fault?.kind == .locked && fault?.message.contains("process \(getpid())") == true)
    lock.release()
  }

  @Test func `version 0_4 gets its two documents`() throws {
    folder.put("labels/a/.zgroup", #"{"zarr_format": 2}"#)
    for name in ["a", "b"] { try image.register([name], version: .v0_4).relist() }
    #expect(try folder.output().list() == ["labels"])
    #expect(try folder.output().folder("labels").list() == [".zattrs", ".zgroup", "a"])
    let attributes = try JSON(
      parsing: Array(folder.text("labels/.zattrs").utf8), subject: "attributes")
    #expect(attributes["labels"] == ["a", "b"])
  }

  private let copyOfNothing =
    #"{"zarr_format": 3, "node_type": "group", "attributes": {}, "consolidated_metadata": "#
    + #"{"kind": "inline", "must_understand": false, "metadata": {}}}"#

  @Test(arguments: [true, false])
  func `what fails after the list was changed leaves it as it was`(hasList: Bool) throws {
    let before = image.listing(["theirs"])
    if hasList { folder.put(image.list, before) }
    folder.put("zarr.json", copyOfNothing)
    let register = try image.register(["a"])
    var isUndone = false
    let output = try folder.output()
    do throws(Fault) {
      _ = try register.commit(in: output) { _ in
        // The copy cannot be made of this.
        folder.put("labels/a/zarr.json", "{")
      } undo: { _ in
        isUndone = true
      }
      Issue.record("it did not fail")
    } catch { #expect(error.kind == .json) }
    #expect(isUndone)
    if hasList {
      #expect(folder.text(image.list) == before)
    } else {
      #expect(try folder.output().kind(of: image.list) == nil)
    }
  }

  @Test func `the image's own copy of metadata knows the label images`() throws {
    folder.put("zarr.json", copyOfNothing)
    image.putLabel("a")
    try image.register(["a"]).relist()
    let document = try JSON(parsing: Array(folder.text("zarr.json").utf8), subject: "image")
    let copy = document["consolidated_metadata"]?["metadata"]?.objectValue?.keys
    #expect(copy == ["labels", "labels/a"])
  }

  @Test func `many that list label images at once lose none`() throws {
    let faults = Mutex<[String]>([])
    let engine = ThreadEngine(threads: 6)
    try engine.walk(60) { number, _ in
      do {
        image.putLabel("n\(number)")
        try image.register(["n\(number)"]).relist()
      } catch { faults.withLock { $0.append("\(error)") } }
    }
    #expect(faults.withLock { $0 } == [])
    #expect(try image.listed().sorted() == (0..<60).map { "n\($0)" }.sorted())
    #expect(try folder.output().list() == ["labels"])
  }
}

@Suite struct LabelsWatchTests {
  let image = LabelsImage()

  /// Lists `mine` and remembers it.
  private func watching(_ watch: LabelsWatch) throws {
    let register = try image.register(["mine"])
    let state = try register.commit(in: image.folder.output()) { _ in image.putLabel("mine") }
    watch.add(register, state)
  }

  /// How long something takes that gives no warning.
  private func seconds(_ work: () -> [String]) -> Double {
    ContinuousClock().measure { #expect(work() == []) } / .seconds(1)
  }

  @Test func `where nobody else is at work the end is at once`() throws {
    let watch = LabelsWatch()
    try watching(watch)
    #expect(seconds { watch.settle(unless: { false }) } < 0.5)
  }

  @Test func `an entry that another program took out is added again`() throws {
    let watch = LabelsWatch()
    try watching(watch)
    image.putLabel("theirs", ours: false)
    image.folder.replace(image.list, image.listing(["theirs"]))
    #expect(watch.settle(unless: { false }) == [])
    #expect(try image.listed() == ["theirs", "mine"])
  }

  @Test func `a program that is still adding a label image is waited for`() throws {
    let watch = LabelsWatch()
    try watching(watch)
    image.putLabel("theirs", ours: false)
    let folder = image.folder
    let (place, text) = (image.list, image.listing(["theirs"]))
    // Asked before each pause: they list theirs after ours was listed for a while.
    var looks = 0
    let warnings = watch.settle(unless: {
      looks += 1
      if looks == 30 { folder.replace(place, text) }
      return false
    })
    #expect(warnings == [])
    #expect(try image.listed() == ["theirs", "mine"])
  }

  @Test func `a program that reads the list and begins its label image late is waited for`() throws
  {
    let watch = LabelsWatch()
    // Where it has just added one, it may be about the next.
    image.putLabel("first", ours: false)
    image.folder.replace(image.list, image.listing(["first"]))
    try watching(watch)
    let clock = ContinuousClock()
    let start = clock.now
    var steps: [(Duration, () -> Void)] = [
      (.seconds(0.5), { [image] in image.putLabel("theirs", ours: false) }),
      (
        .seconds(1.5),
        { [image] in
          image.folder.replace(image.list, image.listing(["first", "theirs"]))
        }
      ),
    ]
    let warnings = watch.settle(unless: {
      if let (time, step) = steps.first, clock.now - start > time {
        step()
        steps.removeFirst()
      }
      return false
    })
    #expect(warnings == [])
    #expect(try image.listed() == ["first", "theirs", "mine"])
  }

  @Test func `an entry that is taken out again and again ends in a warning`() throws {
    let watch = LabelsWatch(longest: 1)
    try watching(watch)
    image.folder.replace(image.list, image.listing([]))
    let warnings = watch.settle(unless: {
      image.folder.replace(image.list, image.listing([]))
      return false
    })
    #expect(warnings.count == 1)
    #expect(warnings.first?.contains("`omtask verify \(image.folder.path) --repair`") == true)
  }

  @Test func `a run that is told to end waits for nobody`() throws {
    let watch = LabelsWatch()
    try watching(watch)
    image.putLabel("theirs", ours: false)
    #expect(seconds { watch.settle(unless: { true }) } < 0.5)
  }
}
