import Testing

@testable import OMCommands

@Suite struct JobEndTests {
  @Test(arguments: [
    ("04:11", 251), ("1:00:00", 3600), ("2-03:04:05", 183_845), ("0:00", 0), ("INVALID", nil),
    ("NOT_SET", nil), ("", nil), ("5", nil), ("1-2", nil), ("a:b", nil), ("1:2:3:4", nil),
    ("-1:00", nil), ("1-2-03:04:05", nil), ("9999999999999:00", nil),
  ])
  func `times are read as Slurm writes them`(text: String, seconds: Int?) {
    #expect(JobEnd.seconds(text) == seconds)
  }

  @Test(
    arguments: [
      ([:], "1:00", .unknown),
      (["SLURM_JOB_END_TIME": "1700000000"], nil, .at(1_700_000_000)),
      (["SLURM_JOB_END_TIME": "1700000000", "SLURM_JOB_ID": "7"], "1:00", .at(1_700_000_000)),
      (["SLURM_JOB_ID": "7"], "1:00\n", .at(1060)), (["SLURM_JOB_ID": "7"], nil, .unknown),
      (["SLURM_JOB_ID": "7"], "UNLIMITED\n", .never),
      (["SLURM_JOB_ID": "7"], "INVALID\n", .unknown), (["SLURM_JOB_ID": "7"], "", .unknown),
      (["SLURM_JOB_ID": "7;ls"], "1:00", .unknown),
    ] as [([String: String], String?, JobEnd)])
  func `the end is what the environment or Slurm says`(
    environment: [String: String], answer: String?, end: JobEnd
  ) {
    let found = JobEnd.find(Environment(environment), now: 1000) { words in
      #expect(words == ["squeue", "-h", "-j", "7", "-o", "%L"])
      return answer
    }
    #expect(found == end)
  }

  @Test(
    arguments: [
      ([:], nil), (["SLURM_JOB_ID": "7"], "7"), (["SLURM_JOB_ID": ""], nil),
      (["SLURM_JOB_ID": "7;ls"], nil),
      (["SLURM_JOB_ID": "9", "SLURM_ARRAY_JOB_ID": "9", "SLURM_ARRAY_TASK_ID": "3"], "9_3"),
      (["SLURM_JOB_ID": "9", "SLURM_ARRAY_JOB_ID": "9", "SLURM_ARRAY_TASK_ID": "x"], "9"),
    ] as [([String: String], String?)])
  func `an element of an array is not asked for as the whole array`(
    environment: [String: String], number: String?
  ) {
    #expect(SlurmJob.number(Environment(environment)) == number)
  }

  @Test(arguments: ["-1", "1.5", "x", "", "315360001"])
  func `seconds are whole and not negative`(text: String) {
    #expect(Seconds(argument: text) == nil)
  }
}
