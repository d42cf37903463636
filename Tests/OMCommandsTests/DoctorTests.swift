import Glibc
import OMJSON
import OMMPI
import Testing

@testable import OMCommands

private let openMPI = MPILibrary(
  make: .openMPI, file: "/lib/libmpi.so.40", text: "Open MPI v4.1.4, package: Debian")
private let mpich = MPILibrary(
  make: .mpich, file: "/lib/libmpi.so.12", text: "MPICH Version:\t4.0.2\nMPICH Release date:")
private let lacking = MPILibrary(make: nil, file: "", text: "libmpi.so.40: cannot open")

/// A way to start the program, and what the doctor says to it.
struct DoctorLaunch: Sendable, CustomTestStringConvertible {
  let testDescription: String
  var environment: [String: String] = [:]
  let startedBy: String
  let decision: String
  var level = DoctorFinding.Level.ok
  /// A part of the advice, of any finding.
  var advice: String?

  static let all = [
    DoctorLaunch(testDescription: "a shell", startedBy: "none", decision: "one process"),
    DoctorLaunch(
      testDescription: "a batch script of one task",
      environment: ["SLURM_JOB_ID": "7", "SLURM_NTASKS": "1"], startedBy: "slurm_batch",
      decision: "one process"),
    DoctorLaunch(
      testDescription: "a batch script of many tasks",
      environment: ["SLURM_JOB_ID": "7", "SLURM_NTASKS": "4"], startedBy: "slurm_batch",
      decision: "one process", level: .warning, advice: "mpirun --bind-to none"),
    DoctorLaunch(
      testDescription: "mpirun", environment: ["OMPI_COMM_WORLD_SIZE": "2", "PMIX_RANK": "0"],
      startedBy: "mpirun", decision: "ranks"),
    DoctorLaunch(
      testDescription: "srun --mpi=pmix",
      environment: [
        "PMIX_RANK": "0", "PMIX_NAMESPACE": "slurm.pmix.7.0", "SLURM_STEP_NUM_TASKS": "4",
      ], startedBy: "slurm_pmix", decision: "ranks"),
    DoctorLaunch(
      testDescription: "srun --mpi=pmix -n1",
      environment: [
        "PMIX_RANK": "0", "PMIX_NAMESPACE": "slurm.pmix.7.0", "SLURM_STEP_NUM_TASKS": "1",
      ], startedBy: "slurm_pmix", decision: "one process", advice: "--mca ras ^slurm"),
    DoctorLaunch(
      testDescription: "srun -n1 of an engine",
      environment: ["SLURM_STEP_NUM_TASKS": "1", "SLURM_JOB_ID": "7"], startedBy: "slurm_step",
      decision: "one process", advice: "--mca ras ^slurm --mca plm ^slurm"),
    DoctorLaunch(
      testDescription: "srun -n2 without PMI", environment: ["SLURM_STEP_NUM_TASKS": "2"],
      startedBy: "slurm_step", decision: "refused", level: .problem, advice: "srun --mpi=pmix"),
    DoctorLaunch(
      testDescription: "srun --mpi=pmi2 -n2",
      environment: ["PMI_RANK": "0", "PMI_SIZE": "2", "SLURM_STEP_NUM_TASKS": "2"],
      startedBy: "pmi", decision: "ranks", advice: "srun --mpi=pmix"),
    DoctorLaunch(
      testDescription: "mpiexec of MPICH with one process",
      environment: ["PMI_RANK": "0", "PMI_SIZE": "1"], startedBy: "pmi", decision: "one process"),
    DoctorLaunch(
      testDescription: "another launcher with PMIx", environment: ["PMIX_RANK": "0"],
      startedBy: "pmix", decision: "ranks"),
  ]
}

@Suite struct DoctorLauncherTests {
  private func findings(
    _ environment: [String: String], mpich: MPILibrary = lacking, openMPI: MPILibrary = openMPI,
    named: MPILibrary? = nil, isRoot: Bool = false,
    _ change: (inout LauncherCheck.Tools) -> Void = { _ in }
  ) -> [DoctorFinding] {
    var tools = LauncherCheck.Tools(mpirun: "Open MPI 4.1.4")
    change(&tools)
    return LauncherCheck(
      environment: Environment(environment),
      program: ProgramCheck(path: "/bin/omtask", openMPI: openMPI, mpich: mpich, named: named),
      tools: tools, isRoot: isRoot
    ).findings
  }

  @Test(arguments: DoctorLaunch.all)
  func `every way to start the program is told, with a way out`(row: DoctorLaunch) throws {
    let found = findings(row.environment)
    #expect(found.first?.value == .string(row.startedBy))
    let decision = try #require(found.first { $0.key == "launcher.decision" })
    #expect(decision.value == .string(row.decision))
    #expect(decision.level == row.level)
    if let advice = row.advice {
      #expect(found.contains { $0.advice?.contains(advice) == true })
    }
  }

  @Test(arguments: DoctorLaunch.all)
  func `the doctor and a run decide the same`(row: DoctorLaunch) {
    let launch = Result { () throws(Fault) in
      try Launch.decide(Environment(row.environment), .auto)
    }
    switch launch {
    case .success(let launch): #expect(launch.startsMPI == (row.decision == "ranks"))
    case .failure: #expect(row.decision == "refused")
    }
  }

  @Test func `a launcher without its library is a problem of the call`() throws {
    let pmi = ["PMI_RANK": "0", "PMI_SIZE": "2"]
    let found = findings(pmi)
    let library = try #require(found.first { $0.key == "launcher.library" })
    #expect(library.level == .problem && library.kind == .usage)
    #expect(findings(pmi, mpich: mpich).first { $0.key == "launcher.library" }?.level == .ok)
    let other = findings(["OMPI_COMM_WORLD_SIZE": "2"], named: mpich)
    #expect(other.first { $0.key == "launcher.library" }?.level == .problem)
  }

  @Test(arguments: [
    ([:], DoctorFinding.Level.warning), (["OMPI_ALLOW_RUN_AS_ROOT": "1"], .warning),
    (["OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"], .ok),
  ])
  func `mpirun wants two variables of root`(
    environment: [String: String], level: DoctorFinding.Level
  ) {
    let found = findings(environment, isRoot: true)
    #expect(found.first { $0.key == "launcher.root" }?.level == level)
    let ways = found.last
    #expect(ways?.value == (level == .ok ? ["mpirun --bind-to none"] : []))
  }

  @Test func `srun needs the plugin and libpmix by its plain name`() {
    let list = "MPI plugin types are...\n\tpmix\n\tnone\n\tpmi2\nspecific pmix plugin versions"
    let good = AskedProgram.Answer(text: list + " available: pmix_v4\n", isGood: true)
    let with = findings([:]) { ($0.srunList, $0.hasPMIx) = (good, true) }
    #expect(with.last?.value == ["mpirun --bind-to none", "srun --mpi=pmix"])
    let without = findings([:]) { $0.srunList = good }
    #expect(without.contains { $0.advice?.contains("libpmix-dev") == true })
    #expect(without.last?.value == ["mpirun --bind-to none"])
    let none = AskedProgram.Answer(text: "MPI plugin types are...\n\tnone\n\tpmi2", isGood: true)
    let plain = findings([:]) { ($0.srunList, $0.hasPMIx) = (none, true) }
    let finding = plain.first { $0.key == "launcher.srun_pmix" }
    #expect(finding?.level == .warning && finding?.value == ["none", "pmi2"])
    let dead = AskedProgram.Answer(text: "srun: error: x\nsrun: fatal: no", isGood: false)
    #expect(findings([:]) { $0.srunList = dead }.contains { $0.text.hasSuffix("srun: fatal: no") })
  }

  @Test func `the name of a library is its make and version`() {
    #expect(openMPI.name == "Open MPI v4.1.4")
    #expect(mpich.name == "MPICH Version: 4.0.2")
  }
}

@Suite struct DoctorMachineTests {
  private let none = Cgroup { _ in nil }

  @Test(
    arguments: [
      (["OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_LOCAL_SIZE": "2"], 1, 16, .warning),
      (["OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_LOCAL_SIZE": "2"], 1, 2, .note),
      (["OMPI_COMM_WORLD_SIZE": "2"], 8, 16, .ok), ([:], 1, 16, nil),
    ] as [([String: String], Int, Int, DoctorFinding.Level?)])
  func `a rank that is bound to one of many cores is told`(
    environment: [String: String], affinity: Int, machine: Int, level: DoctorFinding.Level?
  ) {
    let check = CoresCheck(
      environment: Environment(environment), affinity: affinity, machine: machine, cgroup: none)
    #expect(check.findings.first { $0.key == "cores.binding" }?.level == level)
  }

  @Test func `variables that say no number of threads are told`() {
    let check = CoresCheck(
      environment: Environment(["OMP_NUM_THREADS": "4,2", "SLURM_CPUS_PER_TASK": "3"]), affinity: 8,
      machine: 8, cgroup: none)
    let found = Dictionary(uniqueKeysWithValues: check.findings.map { ($0.key, $0) })
    #expect(found["cores.omp_num_threads"]?.level == .warning)
    #expect(found["cores.slurm_cpus_per_task"]?.value == 3)
    #expect(found["cores.threads"]?.value == 3)
  }

  @Test func `memory names its bounds, and sizes that cannot be read`() {
    let check = MemoryCheck(
      environment: Environment(["SLURM_MEM_PER_NODE": "lots"]),
      bounds: [
        MemoryLimit.Bound(source: .cgroup, bytes: 100 << 20),
        MemoryLimit.Bound(source: .machine, bytes: 1 << 30),
      ], ranks: 1)
    let found = Dictionary(uniqueKeysWithValues: check.findings.map { ($0.key, $0) })
    #expect(found["memory.cgroup"]?.value == JSON(100 << 20))
    #expect(found["memory.unread"]?.level == .warning)
    #expect(found["memory.default"]?.value == JSON(50 << 20))
    #expect(found["memory.default"]?.level == .warning)
  }

  @Test func `few files, little locked memory and small stacks are told`() {
    let poor = LimitsCheck(files: 64, locked: 65536, stack: 65536, hasFabric: true).findings
    #expect(poor.map(\.level) == [.warning, .warning, .warning])
    let rich = LimitsCheck(files: nil, locked: nil, stack: nil, hasFabric: true).findings
    #expect(rich.map(\.level) == [.ok])
  }

  @Test(
    arguments: [
      ([:], "/tmp", nil), (["TMPDIR": "/a"], "/a", "TMPDIR"), (["TMPDIR": ""], "/tmp", nil),
      (["TMPDIR": "/a", "SLURM_TMPDIR": "/b"], "/b", "SLURM_TMPDIR"),
      (["TMPDIR": "/a", "SLURM_TMPDIR": "/gone"], "/a", "TMPDIR"),
    ] as [([String: String], String, String?)])
  func `temporary files go where the scheduler says, if that is there`(
    environment: [String: String], path: String, variable: String?
  ) {
    let scratch = ScratchFolder(Environment(environment)) { $0 != "/gone" }
    #expect(scratch.path == path && scratch.variable == variable)
  }
}

@Suite struct DoctorSlurmTests {
  private let job =
    "JobId=7 JobName=x Partition=main Requeue=0 Restarts=0 TimeLimit=00:05:00 Command=(null)"
  private let partition = "PartitionName=main MaxTime=02:00:00 PreemptMode=REQUEUE GraceTime=30"

  private func findings(left: String, hasAccounting: Bool = false) -> [String: DoctorFinding] {
    let answers = ["job": job, "partition": partition]
    let check = SlurmCheck(Environment(["SLURM_JOB_ID": "7"])) { words in
      let text =
        switch words[0] {
        case "sinfo": "slurm 22.05.8\n"
        case "squeue": left
        case "scontrol": answers[words[3]] ?? ""
        default: hasAccounting ? "7\n" : "Slurm accounting storage is disabled\n"
        }
      return AskedProgram.Answer(text: text, isGood: words[0] != "sacct" || hasAccounting)
    }
    return Dictionary(uniqueKeysWithValues: check.findings.map { ($0.key, $0) })
  }

  @Test func `a job is told with what it lacks`() {
    let found = findings(left: "04:00:00")
    #expect(found["slurm.version"]?.value == "slurm 22.05.8")
    #expect(found["slurm.seconds_left"]?.level == .ok)
    #expect(found["slurm.requeue"]?.level == .note)
    #expect(found["slurm.partition"]?.advice?.contains("USR1") == true)
    #expect(found["slurm.accounting"]?.value == false)
    #expect(findings(left: "10:00", hasAccounting: true)["slurm.accounting"]?.value == true)
  }

  @Test(arguments: [("3:00", DoctorFinding.Level.warning), ("UNLIMITED", .ok), ("INVALID", .note)])
  func `the time that is left decides`(text: String, level: DoctorFinding.Level) {
    #expect(findings(left: text)["slurm.seconds_left"]?.level == level)
  }

  @Test func `no Slurm is nothing to worry about`() {
    let found = SlurmCheck(Environment([:])) { _ in nil }.findings
    #expect(found.map(\.level) == [.ok])
  }
}

@Suite struct DoctorAnswerTests {
  private let findings: [DoctorFinding] = [
    .ok("cores.machine", 2, "the machine has 2 CPUs"),
    .warning(
      "memory.default", 1, String(repeating: "many words ", count: 20) + "end", do: "ask for more"),
    .problem(.permission, "place.writable", false, "cannot be written", do: "choose another")
      .about("/data"),
  ]

  @Test func `people get lines of eighty columns`() {
    let lines = DoctorAnswer(host: "n1", findings: findings).lines
    #expect(lines.first == "omtask \(programVersion) on n1: 1 problem, 1 warning, 0 notes")
    #expect(lines.allSatisfy { $0.count <= 80 })
    #expect(lines.contains("  ok       the machine has 2 CPUs"))
    #expect(lines.contains("           do: ask for more"))
    #expect(lines.contains("/data"))
  }

  @Test func `programs get what the schema says`() throws {
    let document = DoctorAnswer(host: "n1", findings: findings).json
    #expect(try Schema(named: "doctor").problems(of: document) == [])
    #expect(document["worst"] == "problem" && document["exit_code"] == 77)
  }

  @Test func `the gravest problem decides, a wrong call before all`() {
    let code = { (kinds: [FaultKind]) in
      DoctorAnswer(
        host: "", findings: kinds.map { .problem($0, "place.writable", false, "x", do: "y") }
      ).fault?.exitCode
    }
    #expect(code([]) == nil)
    #expect(code([.permission, .io]) == 74)
    #expect(code([.missing, .remote, .permission]) == 69)
    #expect(code([.io, .usage]) == 64)
  }

  @Test func `checks that take too long are left behind`() {
    let late = DoctorFinding.note("slurm.version", .null, "late")
    let found = DoctorWork.findings(
      [
        DoctorWork.Check(find: { [.ok("cores.machine", 1, "fast")] }, late: late),
        DoctorWork.Check(
          find: {
            while true { sleep(60) }
          }, late: late),
      ], within: 0.2)
    #expect(found.map(\.text) == ["fast", "late"])
  }

  @Test func `of the processes on a node one speaks`() {
    #expect(DoctorCommand.speaks(Environment([:])))
    #expect(DoctorCommand.speaks(Environment(["SLURM_PROCID": "2", "SLURM_LOCALID": "0"])))
    #expect(!DoctorCommand.speaks(Environment(["SLURM_PROCID": "1", "SLURM_LOCALID": "1"])))
    #expect(
      !DoctorCommand.speaks(
        Environment(["OMPI_COMM_WORLD_LOCAL_RANK": "1", "OMPI_COMM_WORLD_RANK": "1"])))
  }
}

@Suite struct AskedProgramTests {
  private let environment = Environment(["PATH": "/usr/bin:/bin", "WORD": "there"])

  @Test func `programs are found, asked and ended`() throws {
    let shell = try #require(AskedProgram("sh", environment))
    let good = shell.answer(to: ["-c", "echo $WORD; echo more >&2"], environment, within: 10)
    #expect(good == AskedProgram.Answer(text: "there\nmore\n", isGood: true))
    let quiet = shell.answer(
      to: ["-c", "echo a; echo b >&2; exit 3"], environment, within: 10, messages: false)
    #expect(quiet == AskedProgram.Answer(text: "a\n", isGood: false))
    let start = ContinuousClock.now
    let slow = shell.answer(to: ["-c", "echo a; sleep 60"], environment, within: 0.2)
    #expect(slow == AskedProgram.Answer(text: "a\n", isGood: false, isLate: true))
    #expect(ContinuousClock.now - start < .seconds(30))
    #expect(AskedProgram("no-such-program", environment) == nil)
  }

  @Test func `an answer without end is cut`() throws {
    let shell = try #require(AskedProgram("sh", environment))
    let long = shell.answer(
      to: ["-c", "head -c 1000000 /dev/zero | tr '\\0' x"], environment, within: 20)
    #expect(long.isGood && long.text.count < 100_000)
  }
}
