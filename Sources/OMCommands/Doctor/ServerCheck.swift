import OMJSON
import OMStore

/// An image on a server: whether libcurl is there, and whether the server answers.
struct ServerCheck {
  /// The URL as it was given.
  let uri: String

  /// The seconds that a server may take; each is asked once.
  static let patience = 5

  /// What is told when the server takes longer than its connection may.
  var late: DoctorFinding {
    .problem(
      .remote, "server.answers", false, "the server gives no answer in time",
      do: "try again, or ask who keeps the server"
    ).about(shownURI(uri))
  }

  var findings: [DoctorFinding] { [found.about(shownURI(uri))] }

  private var found: DoctorFinding {
    let key = "server.answers"
    do throws(Fault) {
      let place = try StorePlace(uri)
      for name in ["zarr.json", ".zattrs", ".zgroup"] {
        let document = place.key.isEmpty ? name : "\(place.key)/\(name)"
        if try place.store.get(document, limit: JSON.maximumBytes) != nil {
          return .ok(key, true, "the server answers, \(name) is there")
        }
      }
      return .warning(
        key, true, "the server answers, but none of zarr.json, .zattrs and .zgroup is there",
        do: "`omtask info` with this URL says what it is")
    } catch {
      return .problem(
        error.kind, key, false, error.message, do: error.hint ?? "look at docs/remote.md")
    }
  }
}
