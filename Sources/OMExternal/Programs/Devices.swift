import Glibc

/// The graphics cards of this machine that the run may use, shared out among workers.
struct Devices: Sendable {
  private let names: [String]
  private let first: Int

  /// The devices that `CUDA_VISIBLE_DEVICES` names, otherwise all that the driver shows.
  ///
  /// Ranks on one machine begin with different devices.
  init(_ variables: [String: String]) {
    if let given = variables["CUDA_VISIBLE_DEVICES"] {
      names = given.split(separator: ",").map(String.init)
    } else {
      names = (0..<64).filter { access("/dev/nvidia\($0)", F_OK) == 0 }.map(String.init)
    }
    let rank = ["OMPI_COMM_WORLD_LOCAL_RANK", "SLURM_LOCALID"].compactMap { variables[$0] }.first
    first = max(0, rank.flatMap { Int($0) } ?? 0)
  }

  /// The device of a worker; nil when there is none to give.
  func device(of worker: Int) -> String? {
    names.isEmpty ? nil : names[(first + worker) % names.count]
  }
}
