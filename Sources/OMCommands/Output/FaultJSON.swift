import OMJSON
import OMRun

/// A fault as members of a JSON object, the same in events and reports.
func faultMembers(_ fault: Fault) -> JSONObject {
  var members = fault.encoded().objectValue ?? [:]
  members["exit_code"] = JSON(Int(fault.exitCode))
  return members
}
