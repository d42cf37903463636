import OMJSON
import OMMPI
import Testing

@testable import OMCommands

/// One row of the rule: how the process was started, and what it does.
struct LaunchCase: Sendable, CustomTestStringConvertible {
  enum Outcome: Sendable, Equatable {
    case alone
    case aloneWithAdvice
    case mpi(announced: Int?)
    case mpich(announced: Int?)
    case refused(hint: String)
  }

  let testDescription: String
  let environment: [String: String]
  var setting = MPISetting.auto
  let outcome: Outcome

  static let all = [
    LaunchCase(testDescription: "a shell", environment: [:], outcome: .alone),
    LaunchCase(
      testDescription: "mpirun", environment: ["OMPI_COMM_WORLD_SIZE": "4", "PMIX_RANK": "0"],
      outcome: .mpi(announced: 4)),
    LaunchCase(
      testDescription: "mpirun inside a Slurm job",
      environment: ["OMPI_COMM_WORLD_SIZE": "4", "SLURM_STEP_NUM_TASKS": "2", "SLURM_NTASKS": "4"],
      outcome: .mpi(announced: 4)),
    LaunchCase(
      testDescription: "srun --mpi=pmix",
      environment: ["PMIX_RANK": "1", "SLURM_STEP_NUM_TASKS": "2"],
      outcome: .mpi(announced: 2)),
    LaunchCase(
      testDescription: "srun --mpi=pmix with two tasks, as Slurm sets it",
      environment: [
        "PMIX_RANK": "1", "PMIX_NAMESPACE": "slurm.pmix.7.0", "SLURM_STEP_NUM_TASKS": "2",
      ], outcome: .mpi(announced: 2)),
    LaunchCase(
      testDescription: "srun --mpi=pmix with one task has nobody to talk to",
      environment: [
        "PMIX_RANK": "0", "PMIX_NAMESPACE": "slurm.pmix.7.0", "SLURM_STEP_NUM_TASKS": "1",
      ], outcome: .alone),
    LaunchCase(
      testDescription: "one task of srun --mpi=pmix in a job of several components",
      environment: [
        "PMIX_RANK": "0", "PMIX_NAMESPACE": "slurm.pmix.7.0", "SLURM_STEP_NUM_TASKS": "1",
        "SLURM_HET_SIZE": "2",
      ], outcome: .mpi(announced: 1)),
    LaunchCase(
      testDescription: "prterun inside a step of one task",
      environment: [
        "PMIX_RANK": "1", "PMIX_NAMESPACE": "prterun-n1-77@1", "SLURM_STEP_NUM_TASKS": "1",
      ], outcome: .mpi(announced: 1)),
    LaunchCase(
      testDescription: "mpirun with one rank inside a step of srun --mpi=pmix",
      environment: [
        "OMPI_COMM_WORLD_SIZE": "1", "PMIX_RANK": "0", "PMIX_NAMESPACE": "slurm.pmix.7.0",
        "SLURM_STEP_NUM_TASKS": "1",
      ], outcome: .mpi(announced: 1)),
    LaunchCase(
      testDescription: "another PMIx launcher", environment: ["PMIX_RANK": "0"],
      outcome: .mpi(announced: nil)),
    LaunchCase(
      testDescription: "srun -n1 without PMI",
      environment: ["SLURM_STEP_NUM_TASKS": "1", "SLURM_NTASKS": "1"], outcome: .alone),
    LaunchCase(
      testDescription: "srun -n2 without PMIx", environment: ["SLURM_STEP_NUM_TASKS": "2"],
      outcome: .refused(hint: "srun --mpi=pmix")),
    LaunchCase(
      testDescription: "srun --mpi=pmi2 -n2",
      environment: ["PMI_RANK": "0", "PMI_SIZE": "2", "SLURM_STEP_NUM_TASKS": "2"],
      outcome: .mpich(announced: 2)),
    LaunchCase(
      testDescription: "mpiexec of MPICH with four processes",
      environment: ["PMI_RANK": "3", "PMI_SIZE": "4"], outcome: .mpich(announced: 4)),
    LaunchCase(
      testDescription: "mpiexec of MPICH with one process",
      environment: ["PMI_RANK": "0", "PMI_SIZE": "1"], outcome: .alone),
    LaunchCase(
      testDescription: "a batch script with many tasks", environment: ["SLURM_NTASKS": "8"],
      outcome: .aloneWithAdvice),
    LaunchCase(
      testDescription: "mpirun -n 1 with --mpi off", environment: ["OMPI_COMM_WORLD_SIZE": "1"],
      setting: .off, outcome: .alone),
    LaunchCase(
      testDescription: "mpirun -n 2 with --mpi off", environment: ["OMPI_COMM_WORLD_SIZE": "2"],
      setting: .off, outcome: .refused(hint: "srun -n1")),
    LaunchCase(
      testDescription: "srun -n2 with --mpi off",
      environment: ["PMIX_RANK": "0", "SLURM_STEP_NUM_TASKS": "2"], setting: .off,
      outcome: .refused(hint: "srun -n1")),
    LaunchCase(
      testDescription: "MPICH with two processes and --mpi off",
      environment: ["PMI_RANK": "0", "PMI_SIZE": "2"], setting: .off,
      outcome: .refused(hint: "srun -n1")),
    LaunchCase(
      testDescription: "MPICH with one process and --mpi off",
      environment: ["PMI_RANK": "0", "PMI_SIZE": "1"], setting: .off, outcome: .alone),
    LaunchCase(
      testDescription: "PMI of one process in a step of four with --mpi off",
      environment: ["PMI_RANK": "0", "PMI_SIZE": "1", "SLURM_STEP_NUM_TASKS": "4"], setting: .off,
      outcome: .refused(hint: "srun -n1")),
    LaunchCase(
      testDescription: "Slurm's pmix with one process and --mpi off",
      environment: ["PMIX_RANK": "0", "SLURM_STEP_NUM_TASKS": "1"], setting: .off, outcome: .alone),
  ]
}

@Suite struct LaunchTests {
  @Test(arguments: LaunchCase.all)
  func `MPI starts only when a launcher announced itself`(row: LaunchCase) {
    let result = Result { () throws(Fault) in
      try Launch.decide(Environment(row.environment), row.setting)
    }
    switch (result, row.outcome) {
    case (.success(let launch), .alone):
      #expect(launch == Launch(startsMPI: false, announcedRanks: nil))
    case (.success(let launch), .aloneWithAdvice):
      #expect(!launch.startsMPI && launch.warnings.count == 1)
    case (.success(let launch), .mpi(let announced)):
      let make: MPIMake = row.environment["OMPI_COMM_WORLD_SIZE"] == nil ? .any : .openMPI
      #expect(launch == Launch(startsMPI: true, announcedRanks: announced, make: make))
    case (.success(let launch), .mpich(let announced)):
      #expect(launch == Launch(startsMPI: true, announcedRanks: announced, make: .mpich))
    case (.failure(let fault), .refused(let hint)):
      #expect(fault.kind == .usage)
      #expect(fault.hint?.contains(hint) == true)
    default:
      Issue.record("\(result) is not \(row.outcome)")
    }
  }

  @Test func `processes that do not find each other are refused`() throws {
    let launch = Launch(startsMPI: true, announcedRanks: 4)
    try launch.check(ranks: 4)
    #expect(throws: Fault.self) { try launch.check(ranks: 1) }
    try Launch(startsMPI: true, announcedRanks: nil).check(ranks: 3)
  }

  @Test(arguments: [
    ([:], true), (["OMPI_COMM_WORLD_RANK": "0", "SLURM_PROCID": "1"], true),
    (["OMPI_COMM_WORLD_RANK": "3", "SLURM_PROCID": "0"], false), (["PMIX_RANK": "1"], false),
    (["SLURM_PROCID": "1"], false), (["SLURM_PROCID": "0"], true),
  ])
  func `only the first process speaks`(environment: [String: String], expected: Bool) {
    #expect(Launch.speaks(Environment(environment)) == expected)
  }

  @Test func `copies without MPI end with 64 before anything is read`() throws {
    let result = try call(
      "run", "threshold", "/nowhere.zarr", environment: ["SLURM_STEP_NUM_TASKS": "2"])
    #expect(result.code == 64)
    #expect(result.messages.last?.contains("started as 2 tasks without MPI") == true)
  }
}
