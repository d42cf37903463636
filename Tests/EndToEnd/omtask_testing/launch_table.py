"""Every way to start omtask on a cluster, and everything that can end it there: what comes of each.

test_slurm.py plays the rows on a real Slurm of two nodes. In lines and deeds `{run}` stands for `omtask run
threshold IMAGE …`, `{omtask}` for the program, `{bare}` for a program that takes variables of Slurm away.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

# Whoever loads MPI with these variables ends with 64.
NO_MPI = {"OMTASK_MPI_LIBRARY": "/nowhere/libmpi.so"}
# mpirun must not look for the allocation around it.
BY_ITSELF = "--mca ras ^slurm --mca plm ^slurm"
COPIES = "tasks without MPI, each would write everything"


@dataclass(frozen=True)
class Launch:
    """A way to start, and what comes of it."""

    name: str
    line: str
    # What `sbatch` is given where the line stands in a batch script; otherwise it is typed in a shell.
    job: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    code: int = 0
    # The number of ranks of a run that reaches its end; 0 where nothing may be touched.
    ranks: int = 1
    # How many threads each has; nothing where that is of no matter, "all" for those of the machine.
    threads: str = ""
    says: tuple[str, ...] = ()
    never: str = "error["


def refused(name: str, line: str, *says: str, code: int = 64, **how: object) -> Launch:
    """A way to start that leaves everything as it was."""
    return Launch(name, line, code=code, ranks=0, says=says, never="going on", **how)


LAUNCHES = (
    # One process
    Launch("a shell", "{run}", variables=NO_MPI),
    Launch("a shell without variables", "env -i {run}"),
    Launch("a batch script", "{run}", "-n1", NO_MPI),
    Launch("a batch script of a larger job", "{run}", "-n4", says=(
        "warning: the job has 4 tasks, but omtask runs as one process",
        "start it with `srun --mpi=pmix` or `mpirun` to use them all")),
    Launch("srun of one task", "srun -n1 {run}", variables=NO_MPI, never="warning"),
    Launch("srun of one task in a batch script", "srun {run}", "-n1", NO_MPI, never="warning"),
    Launch("srun of one task in a larger job", "srun -n1 {run}", "-n2", NO_MPI),
    Launch("srun --mpi=pmix of one task", "srun --mpi=pmix -n1 {run}", variables=NO_MPI),
    Launch("srun --mpi=pmi2 of one task", "srun --mpi=pmi2 -n1 {run}", variables=NO_MPI),
    Launch("a step that hides itself", "srun -n1 env -u SLURM_STEP_ID -u SLURM_STEPID {run}"),
    Launch("--mpi off", "srun --mpi=pmix -n1 {run} --mpi off", variables=NO_MPI),
    # Ranks
    Launch("srun --mpi=pmix", "srun --mpi=pmix -N2 -n4 {run}", ranks=4),
    Launch("srun --mpi=pmix_v4", "srun --mpi=pmix_v4 -N2 -n4 {run}", ranks=4),
    Launch("SLURM_MPI_TYPE=pmix", "srun -N2 -n4 {run}", variables={"SLURM_MPI_TYPE": "pmix"}, ranks=4),
    Launch("srun --mpi=pmix in a batch script", "srun --mpi=pmix {run}", "-N2 -n4", ranks=4),
    Launch("mpirun in a shell", "mpirun --bind-to none -n 2 {run}", ranks=2),
    Launch("mpirun on one node", "mpirun --bind-to none {run}", "-N1 -n2", ranks=2),
    Launch("mpirun on two nodes", "mpirun --bind-to none {run}", "-N2 -n2", ranks=2),
    Launch("mpirun inside a step, without Slurm",
           f"srun -n1 -c2 mpirun {BY_ITSELF} --bind-to none -n 2 {{run}}", ranks=2),
    Launch("mpirun in a job of Snakemake, without Slurm",
           f"srun -n1 -c2 {{bare}} mpirun {BY_ITSELF} --bind-to none -n 2 {{run}}", ranks=2),
    Launch("srun --mpi=pmix in a job of Snakemake", "{bare} srun --mpi=pmix -n2 {run}", "-n2", ranks=2),
    # Nobody who could talk
    refused("srun of two", "srun -n2 {run}", f"started as 2 {COPIES}", "use `srun --mpi=pmix` or `mpirun`"),
    refused("srun --mpi=none of two", "srun --mpi=none -n2 {run}", f"started as 2 {COPIES}"),
    refused("srun of two in a batch script", "srun {run}", f"started as 2 {COPIES}", job="-n2"),
    refused("srun --mpi=pmi2 of two", "srun --mpi=pmi2 -n2 {run}", "speaks PMI as MPICH does", "srun --mpi=pmix",
            variables={"OMTASK_MPI_LIBRARY": ""}),
    refused("--mpi off with srun --mpi=pmix of two", "srun --mpi=pmix -n2 {run} --mpi off",
            "started as 2 tasks with `--mpi off`", "for one process `srun -n1`"),
    refused("--mpi off with mpirun of two", "mpirun -n 2 {run} --mpi off", "started as 2 tasks with `--mpi off`"),
    refused("mpirun of root without its variables", "mpirun {run}", "run as root", code=1, job="-n2",
            variables={"OMPI_ALLOW_RUN_AS_ROOT": "0"}),
    refused("mpirun inside a step", "srun -n1 -c2 mpirun -n 2 {run}", "There are not enough slots available", code=1,
            variables={"OMPI_MCA_rmaps_base_oversubscribe": "0"}),
    refused("mpirun in a job of Snakemake", "srun -n1 -c2 {bare} mpirun -n 2 {run}",
            "internal error has occurred in ORTE", code=1),
    # Threads and binding
    Launch("mpirun alone binds", "mpirun -n 2 {run}", ranks=2, threads="1 thread"),
    Launch("mpirun --bind-to none does not", "mpirun --bind-to none -n 2 {run}", ranks=2, threads="all"),
    Launch("mpirun binds to as many cores as a task has", "mpirun --map-by slot:PE=$SLURM_CPUS_PER_TASK {run}",
           "-N2 -n2 -c2", ranks=2, threads="2 threads"),
    Launch("one CPU for each task", "srun -n1 -c1 {run}", threads="1 thread"),
    Launch("two CPUs for each task", "srun -n1 -c2 {run}", threads="2 threads"),
    Launch("OMP_NUM_THREADS", "srun -n1 -c2 {run}", variables={"OMP_NUM_THREADS": "1"}, threads="1 thread"),
    # What needs no MPI does not start it
    refused("--version of ranks", "srun --mpi=pmix -n2 {omtask} --version", code=0, variables=NO_MPI),
    refused("--help of ranks", "srun --mpi=pmix -n2 {run} --help", "--stall-timeout", code=0, variables=NO_MPI),
    refused("--dry-run of ranks", "srun --mpi=pmix -n2 {run} --dry-run", "spread over 2 ranks", code=0,
            variables=NO_MPI),
    refused("a wrong call of ranks", "srun --mpi=pmix -n2 {run} --sigma much", "`--sigma` is `much`",
            variables=NO_MPI),
    refused("ranks without a library of MPI", "srun --mpi=pmix -n2 {run}", "/nowhere/libmpi.so",
            "install Open MPI on all nodes", variables=NO_MPI),
)

# Exit codes are the same by all of these.
EQUAL = {
    "a shell": ("{run}", None),
    "srun": ("srun --mpi=pmix -N2 -n2 {run}", None),
    "mpirun": ("mpirun --bind-to none {run}", "-N2 -n2"),
}


@dataclass(frozen=True)
class Ending:
    """Something that happens in the middle of a job, and what comes of it.

    In deeds `{job}` is the number of the job, `{launcher}` the process that the script started, `{rank}` that of
    one rank.
    """

    name: str
    line: str
    job: str
    deed: str
    # What Slurm says of the job, a pattern.
    state: str
    # What the launcher ended with, as the script saw it; None where the script need not live to see it.
    code: int | None = None
    says: tuple[str, ...] = ()
    # Whether the run was stopped; otherwise it went on to its end.
    stops: bool = True
    # Seconds that each read takes: a limit of time may come half a minute late.
    delay: float = 0.4
    words: str = ""
    # Whether the script hands USR1 on to the launcher.
    tells: bool = False
    # Whether it is certain that something was done and kept before.
    keeps: bool = True


# A lock is known to be that of a dead process where that was: so all ranks 0 are on n1, and so is the second start.
ONE, TWO = "-n1 --nodelist=n1", "-N1 -n2 --nodelist=n1"
SRUN = MPIRUN = "-N2 -n2"
STEPS, BATCH = "scancel -s USR1 {job}", "scancel --batch -s USR1 {job}"
LIMIT = "scontrol update JobId={job} EndTime=now+1"
# What the script ended with says which of its processes heard TERM first.
CANCELLED, TIMEOUT = r"CANCELLED \d+:\d+", r"TIMEOUT \d+:\d+"
STOPPED, TERM = "stopped by USR1 after", "ended by TERM after"
BY_SRUN, BY_MPIRUN = "srun --mpi=pmix {run}", "mpirun --bind-to none {run}"

ENDINGS = (
    # --signal=USR1@N tells the steps of the job, so does scancel
    Ending("USR1@N, srun", BY_SRUN, f"{SRUN} --time=1 --signal=USR1@20", "", "FAILED 75:0", 75,
           (STOPPED,), delay=2),
    Ending("USR1, srun of one process", "srun -n1 {run}", ONE, STEPS, "FAILED 75:0", 75, (STOPPED,)),
    Ending("USR1, srun", BY_SRUN, SRUN, STEPS, "FAILED 75:0", 75, (STOPPED,)),
    Ending("USR1, a batch script", "{run}", ONE, STEPS, "COMPLETED 0:0", 0, stops=False, delay=0.3),
    Ending("USR1, mpirun on one node", BY_MPIRUN, TWO, STEPS, "COMPLETED 0:0", 0, stops=False, delay=0.3),
    Ending("USR1, mpirun on two nodes", BY_MPIRUN, MPIRUN, STEPS, "FAILED 75:0", 75, (STOPPED,)),
    # --signal=B:USR1@N tells the batch shell, so does scancel --batch
    Ending("B:USR1@N, mpirun in the place of the script", f"exec {BY_MPIRUN}",
           f"{MPIRUN} --time=1 --signal=B:USR1@20", "", "FAILED 75:0", None, (STOPPED,), delay=2),
    Ending("B:USR1, srun that is told", BY_SRUN, SRUN, BATCH, "FAILED 75:0", 75, (STOPPED,), tells=True),
    Ending("B:USR1, mpirun that is told", BY_MPIRUN, MPIRUN, BATCH, "FAILED 75:0", 75, (STOPPED,), tells=True),
    Ending("B:USR1, one process in the place of the script", "exec {run}", ONE, BATCH, "FAILED 75:0",
           None, (STOPPED,)),
    Ending("B:USR1, srun that is not told", BY_SRUN, SRUN, BATCH, "FAILED 0:10"),
    Ending("B:USR1, mpirun that is not told", BY_MPIRUN, MPIRUN, BATCH, "FAILED 0:10"),
    # The end of the job; what stands in the script itself is killed as soon as that has heard TERM
    Ending("time limit, a batch script", "{run}", ONE, LIMIT, TIMEOUT, delay=2),
    Ending("time limit, srun", BY_SRUN, SRUN, LIMIT, TIMEOUT, None, (TERM,), delay=2),
    Ending("time limit, mpirun", BY_MPIRUN, MPIRUN, LIMIT, TIMEOUT, delay=2),
    *(Ending(f"--stop-before, {name}", line, f"{job} --time=1", "", "FAILED 75:0", 75,
             ("s before the end of the job",), words="--stop-before 55", keeps=False)
      for name, line, job in (
          ("a batch script", "{run}", ONE), ("srun", BY_SRUN, SRUN), ("mpirun", BY_MPIRUN, MPIRUN))),
    Ending("scancel, a batch script", "{run}", ONE, "scancel {job}", CANCELLED),
    Ending("scancel, srun", BY_SRUN, SRUN, "scancel {job}", CANCELLED, None, (TERM,)),
    Ending("scancel, mpirun on one node", BY_MPIRUN, TWO, "scancel {job}", CANCELLED),
    Ending("scancel, mpirun on two nodes", BY_MPIRUN, MPIRUN, "scancel {job}", CANCELLED),
    Ending("scancel -s KILL", BY_SRUN, SRUN, "scancel -s KILL {job}", CANCELLED),
    # Other signals
    Ending("TERM to the ranks of srun", BY_SRUN, SRUN, "scancel -s TERM {job}", "FAILED 143:0", 143, (TERM,)),
    Ending("TERM to the ranks of mpirun", BY_MPIRUN, MPIRUN, "scancel -s TERM {job}", "FAILED 143:0",
           143, (TERM,)),
    Ending("TERM, srun of one process", "srun -n1 {run}", ONE, "scancel -s TERM {job}", "FAILED 143:0",
           143, (TERM,)),
    Ending("TERM, mpirun on one node", BY_MPIRUN, TWO, "scancel -s TERM {job}", "COMPLETED 0:0", 0,
           stops=False, delay=0.3),
    Ending("INT to the ranks of srun", BY_SRUN, SRUN, "scancel -s INT {job}", "FAILED 130:0", 130,
           ("ended by INT after",)),
    Ending("HUP to the ranks of srun", BY_SRUN, SRUN, "scancel -s HUP {job}", "FAILED 129:0", 129,
           ("ended by HUP after",)),
    Ending("TERM twice", BY_SRUN, SRUN, "scancel -s TERM {job}; scancel -s TERM {job} || true", "FAILED 143:0",
           143, delay=5, keeps=False),
    Ending("TERM to srun", BY_SRUN, SRUN, "kill -TERM {launcher}", "FAILED 137:0", 137),
    Ending("TERM to mpirun", BY_MPIRUN, MPIRUN, "kill -TERM {launcher}", "FAILED 1:0", 1),
    Ending("INT to mpirun", BY_MPIRUN, MPIRUN, "kill -INT {launcher}", "FAILED 1:0", 1),
    Ending("INT twice to srun", BY_SRUN, SRUN, "kill -INT {launcher}; sleep 0.3; kill -INT {launcher}",
           "FAILED 137:0", 137),
    # A rank that dies
    Ending("a killed process", "{run}", ONE, "kill -KILL {rank}", "FAILED 137:0", 137),
    Ending("a killed rank, srun on one node", BY_SRUN, TWO, "kill -KILL {rank}", "FAILED 137:0", 137),
    Ending("a killed rank, mpirun", BY_MPIRUN, MPIRUN, "kill -KILL {rank}", "FAILED 137:0", 137),
    Ending("a killed rank that is alone on its node, srun --kill-on-bad-exit=1",
           "srun --kill-on-bad-exit=1 --mpi=pmix {run}", SRUN, "kill -KILL {rank}", "FAILED 137:0", 137),
    Ending("a killed rank that is alone on its node, srun", BY_SRUN, SRUN, "kill -KILL {rank}",
           "FAILED 75:0", 75, ("error[stalled]: rank 1 on n2 has given no sign of life",), words="--stall-timeout 5"),
    Ending("USR1, srun --kill-on-bad-exit=1", "srun --kill-on-bad-exit=1 --mpi=pmix {run}", SRUN,
           STEPS, "FAILED 75:0", 75, (STOPPED,)),
)
