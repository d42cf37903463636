/// The job of Slurm around this process.
enum SlurmJob {
  /// Its number as Slurm's programs take it; nil outside of a job.
  ///
  /// An element of an array is `12_3`: the plain number of one of them is that of the whole array, of
  /// which Slurm would tell about every element.
  static func number(_ environment: Environment) -> String? {
    if let array = digits(environment["SLURM_ARRAY_JOB_ID"]),
      let element = digits(environment["SLURM_ARRAY_TASK_ID"])
    {
      return "\(array)_\(element)"
    }
    return digits(environment["SLURM_JOB_ID"])
  }

  private static func digits(_ text: String?) -> String? {
    text.flatMap { !$0.isEmpty && $0.allSatisfy(\.isNumber) ? $0 : nil }
  }
}
