import Testing

@testable import OMCommands

/// Control groups as the files of a made-up system.
private func cgroup(_ files: [String: String]) -> Cgroup { Cgroup { files[$0] } }

private let none = cgroup([:])

@Suite struct CgroupTests {
  private let version2 = cgroup([
    "/proc/self/cgroup": "0::/slurm/job_1/step_0\n",
    "/sys/fs/cgroup/slurm/memory.max": "max\n",
    "/sys/fs/cgroup/slurm/job_1/memory.max": "8589934592\n",
    "/sys/fs/cgroup/slurm/job_1/step_0/memory.max": "17179869184\n",
    "/sys/fs/cgroup/slurm/job_1/cpu.max": "150000 100000\n",
    "/sys/fs/cgroup/slurm/job_1/step_0/cpu.max": "max 100000\n",
  ])

  @Test func `the tightest group around the process counts`() {
    #expect(version2.memory == 8 << 30)
    #expect(version2.cpus == 1.5)
  }

  @Test func `version 1 is understood, with its way to say no limit`() {
    let limited = cgroup([
      "/proc/self/cgroup": "5:cpu,cpuacct:/a\n9:memory:/b\n",
      "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
      "/sys/fs/cgroup/memory/b/memory.limit_in_bytes": "1073741824\n",
      "/sys/fs/cgroup/cpu/a/cpu.cfs_quota_us": "200000\n",
      "/sys/fs/cgroup/cpu/a/cpu.cfs_period_us": "100000\n",
    ])
    #expect(limited.memory == 1 << 30)
    #expect(limited.cpus == 2)
    let free = cgroup([
      "/proc/self/cgroup": "9:memory:/\n5:cpu:/\n",
      "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
      "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
      "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
    ])
    #expect(free.memory == nil)
    #expect(free.cpus == nil)
  }

  @Test(
    arguments: [
      ("0::/a\n", 2), ("9:memory:/b\n0::/\n", 1), ("4:cpu,memory:/b\n", 1), ("", nil),
    ] as [(String, Int?)])
  func `the version is that of the groups that limit memory`(text: String, version: Int?) {
    #expect(cgroup(["/proc/self/cgroup": text]).version == version)
  }

  @Test func `inside a container the root of the mount counts`() {
    let container = cgroup([
      "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "2147483648\n",
    ])
    #expect(container.memory == 2 << 30)
  }

  @Test func `a system without control groups has no limits`() {
    #expect(none.memory == nil)
    #expect(none.cpus == nil)
  }
}

@Suite struct ThreadTests {
  @Test(arguments: [
    ([:], 8), (["SLURM_CPUS_PER_TASK": "4"], 4), (["OMP_NUM_THREADS": "3"], 3),
    (["SLURM_CPUS_PER_TASK": "4", "OMP_NUM_THREADS": "2"], 2),
    (["SLURM_CPUS_PER_TASK": "64"], 8), (["OMP_NUM_THREADS": "0"], 8),
    (["OMP_NUM_THREADS": "4,2"], 8),
  ])
  func `auto is the affinity mask, cut by what the scheduler says`(
    environment: [String: String], expected: Int
  ) {
    let count = ThreadSetting.auto.count(
      affinity: 8, environment: Environment(environment), cgroup: none)
    #expect(count == expected)
  }

  @Test func `part of a CPU still gets a thread`() {
    let quota = cgroup(["/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": "150000 100000"])
    #expect(
      ThreadSetting.auto.count(affinity: 8, environment: Environment([:]), cgroup: quota) == 2)
  }

  @Test func `a number is taken as it is`() {
    let environment = Environment(["OMP_NUM_THREADS": "1"])
    #expect(
      ThreadSetting.exactly(16).count(affinity: 2, environment: environment, cgroup: none) == 16)
  }

  @Test(arguments: ["0", "-1", "two", "", "5000", "1.5"])
  func `what is no number of threads is refused`(text: String) {
    #expect(ThreadSetting(text: text) == nil)
  }
}

@Suite struct MemoryLimitTests {
  @Test func `the default is half of what there is, shared by the ranks of a node`() {
    let limited = cgroup(["/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "8589934592"])
    let machine = 64 << 30
    #expect(share(none, machine, ranks: 1) == 32 << 30)
    #expect(share(limited, machine, ranks: 2) == 2 << 30)
    #expect(share(limited, 1 << 30, ranks: 1) == 1 << 29)
  }

  @Test(arguments: [
    (["OMPI_COMM_WORLD_LOCAL_SIZE": "3", "SLURM_STEP_TASKS_PER_NODE": "9"], 3),
    (["SLURM_STEP_TASKS_PER_NODE": "2(x3),1"], 2), (["SLURM_STEP_TASKS_PER_NODE": "1,4"], 4),
    ([:], nil),
  ])
  func `the fullest node decides`(environment: [String: String], expected: Int?) {
    #expect(MemoryLimit.ranksOnNode(Environment(environment)) == expected)
  }

  private func share(
    _ cgroup: Cgroup, _ machine: Int, ranks: Int, _ environment: [String: String] = [:],
    addresses: Int? = nil
  ) -> Int {
    MemoryLimit.automatic(
      MemoryLimit.bounds(
        cgroup: cgroup, machine: machine, ranksOnNode: ranks,
        environment: Environment(environment), addresses: addresses))
  }

  @Test(
    arguments: [
      // MiB of the node, shared by its ranks
      (["SLURM_MEM_PER_NODE": "4096"], 1, 2048), (["SLURM_MEM_PER_NODE": "4096"], 4, 512),
      // MiB of each CPU: of the task, or its share of the node's
      (["SLURM_MEM_PER_CPU": "1000", "SLURM_CPUS_PER_TASK": "4"], 1, 2000),
      (["SLURM_MEM_PER_CPU": "1000", "SLURM_CPUS_PER_TASK": "4"], 3, 2000),
      (["SLURM_MEM_PER_CPU": "1000", "SLURM_CPUS_ON_NODE": "8"], 1, 4000),
      (["SLURM_MEM_PER_CPU": "1000", "SLURM_CPUS_ON_NODE": "8"], 4, 1000),
      (["SLURM_MEM_PER_CPU": "1000"], 1, 500),
      // the smaller one of both
      (["SLURM_MEM_PER_CPU": "1000", "SLURM_MEM_PER_NODE": "600"], 1, 300),
      (["SLURM_MEM_PER_CPU": "100", "SLURM_MEM_PER_NODE": "600"], 1, 50),
      // as people export it for srun
      (["SLURM_MEM_PER_NODE": "4G"], 1, 2048),
      // all of the node, and what says nothing
      (["SLURM_MEM_PER_NODE": "0"], 1, 8192), (["SLURM_MEM_PER_NODE": ""], 1, 8192),
      (["SLURM_MEM_PER_NODE": "-5"], 1, 8192), (["SLURM_MEM_PER_NODE": "much"], 1, 8192),
      (["SLURM_MEM_PER_NODE": "99999999999999999999"], 1, 8192),
      (["SLURM_MEM_PER_CPU": "9000000000", "SLURM_CPUS_PER_TASK": "9000000000"], 1, 8192),
      (["SLURM_MEM_PER_CPU": "1000", "SLURM_CPUS_PER_TASK": "-2"], 1, 500),
      // no more than there is
      (["SLURM_MEM_PER_NODE": "999999"], 1, 8192),
    ] as [([String: String], Int, Int)])
  func `what a job of Slurm asked for bounds the default, where it says a size`(
    environment: [String: String], ranks: Int, mebibytes: Int
  ) {
    let machine = (16 << 30) * ranks
    #expect(share(none, machine, ranks: ranks, environment) == mebibytes << 20)
  }

  @Test func `addresses belong to each process`() {
    #expect(share(none, 16 << 30, ranks: 4, addresses: 2 << 30) == 1 << 30)
  }

  @Test func `bounds are told from the smallest on`() {
    let environment = Environment(["SLURM_MEM_PER_NODE": "100"])
    let bounds = MemoryLimit.bounds(
      cgroup: none, machine: 1 << 30, ranksOnNode: 1, environment: environment)
    #expect(bounds.map(\.source) == [.slurmNode, .machine])
  }
}
