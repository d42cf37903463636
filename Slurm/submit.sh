#!/bin/bash
# submit.sh - one command from the images to a job of the right size on Slurm.
#
#   submit.sh [OPTIONS] TASK IMAGE... [--PARAMETER VALUE ...]
#
# Asks `omtask plan` how much work there is, then sends one job of one process (run.sbatch), one MPI
# job (run_mpi.sbatch), or an array of parts with a job behind it that does the rest (array.sbatch,
# finalize.sbatch). The words from TASK on are those of `omtask run`.
#
#   --mode auto|one|mpi|array   what to send; auto: one for little work, mpi where Slurm has PMIx,
#                               array elsewhere
#   --cpus N                    CPUs of each process (default 4)
#   --processes N               processes; default: what the plan suggests
#   --most N                    never more processes than this (default 64)
#   --memory SIZE               memory that each process plans with, such as 8G; the job asks for a
#                               tenth more. Default: half of this machine's
#   --sbatch "OPTIONS"          for every sbatch, such as "--partition=long --time=04:00:00"
#   --wait                      wait until all is done, and end with the exit code of the job
#   --show                      print the calls of sbatch, send nothing
#
# Numbers of jobs go to standard output, the last one is the job to wait for. What the jobs say goes to
# omtask-*.log in this folder.

# What is to be edited:

OMTASK=${OMTASK:-omtask}                    # the program
SCRIPTS=${SCRIPTS:-$(dirname "$(readlink -f "$0")")}   # where run.sbatch and the others are
LAUNCHER=${LAUNCHER:-srun}                  # srun, or mpirun where Slurm has no PMIx
ALWAYS=()                                   # options of every sbatch: (--account=me --partition=main)
# module load omtask

set -euo pipefail
export OMTASK LAUNCHER

say() { echo "submit.sh: $*" >&2; }
refuse() { say "$@"; exit 64; }
count() { # flag, value: the value where it is a number from 1 on
  case $2 in '' | *[!0-9]* | 0*) refuse "$1 is \`$2\`, it must be a number from 1 on" ;; esac
}

mode=auto cpus=4 processes='' most=64 memory='' options=() waits='' shows=''
while [ $# -gt 0 ]; do
  case $1 in
    --mode | --cpus | --processes | --most | --memory | --sbatch)
      [ $# -ge 2 ] || refuse "$1 stands without its value"
      case $1 in
        --mode) mode=$2 ;;
        --cpus) count "$1" "$2"; cpus=$2 ;;
        --processes) count "$1" "$2"; processes=$2 ;;
        --most) count "$1" "$2"; most=$2 ;;
        --memory) memory=$2 ;;
        --sbatch) read -ra options <<<"$2" ;;
      esac
      shift 2 ;;
    --wait) waits=1; shift ;;
    --show) shows=1; shift ;;
    --help | -h) sed -n '2,/^# omtask-/s/^# \{0,1\}//p' "$0"; exit 0 ;;
    -*) refuse "no option \`$1\`; options stand before the task, see --help" ;;
    *) break ;;
  esac
done
[ $# -gt 0 ] || refuse "no task is given, see --help"
case $mode in auto | one | mpi | array) ;; *) refuse "--mode is \`$mode\`, not one of auto, one, mpi, array" ;; esac

# Files for the engine that calls belong to the end of the work: parts must not write them.
part_words=() plan_words=()
take() { # words of the call: without the files for engines, and without what `plan` does not know
  while [ $# -gt 0 ]; do
    case $1 in
      --part | --part=* | --dry-run) refuse "\`${1%%=*}\` is no word for a job; --mode and --show are" ;;
      --threads | --threads=* | --memory | --memory=*)
        refuse "\`${1%%=*}\` stands after the task; --cpus and --memory before it size the job, too" ;;
      --out-json | --report | --events) shift ;;
      --out-json=* | --report=* | --events=*) ;;
      --progress | --durability | --stall-timeout | --stop-before | --lock-wait | --mpi)
        part_words+=("$1" "${2-}"); shift ;;
      --progress=* | --durability=* | --stall-timeout=* | --stop-before=* | --lock-wait=* | --mpi=*)
        part_words+=("$1") ;;
      --fresh) [ "$mode" != array ] || refuse "\`--fresh\` would throw away what other parts did" ;
        mode_needs_one=1; part_words+=("$1") ;;
      --fail-fast) part_words+=("$1") ;;
      *) part_words+=("$1"); plan_words+=("$1") ;;
    esac
    [ $# -eq 0 ] || shift
  done
}
mode_needs_one=''
take "$@"

plan=$("$OMTASK" plan "${plan_words[@]}" --threads "$cpus" ${memory:+--memory "$memory"} --json)
fact() { sed -n "s/.*\"$1\": *\([0-9]*\).*/\1/p" <<<"$plan" | head -n 1; }
suggested=$(fact processes)
bytes=$(fact memory_per_process)
parts=$(fact parts)
planned=$(fact memory)
if [ -z "$suggested" ]; then
  say "a program reads and writes the images by itself, so the plan knows no size: --processes says it"
  suggested=1 parts=1 bytes=$((cpus * 2147483648))
fi
processes=${processes:-$suggested}
[ "$processes" -le "$most" ] || processes=$most

if [ "$mode" = auto ]; then
  if [ "$processes" = 1 ]; then
    mode=one
  elif [ "$LAUNCHER" = mpirun ] || srun --mpi=list 2>&1 | grep -w pmix >/dev/null; then
    mode=mpi
  elif [ "$parts" -gt 1 ] && [ -z "$mode_needs_one" ]; then
    mode=array
  else
    mode=one
    say "no MPI here and no parts of this task: one process does all of it"
  fi
fi
[ "$mode" != one ] || processes=1

# What each process may take: a node's own memory says nothing about the job's. The plan does not know how
# many objects there will be, so nobody gets less than 2 GiB.
export MEMORY=$memory
if [ -n "$memory" ]; then
  bytes=$(numfmt --from=iec "${memory%%[iB]*}")
  bytes=$((bytes + bytes / 10))
elif [ "${planned:-0}" != 0 ]; then
  MEMORY=$((planned > 2147483648 ? planned : 2147483648))
  bytes=$((MEMORY + MEMORY / 10 + 134217728))
fi
mib=$(((bytes / cpus + 1048575) / 1048576))
shared=("${ALWAYS[@]}" --parsable --cpus-per-task="$cpus" --mem-per-cpu="${mib}M" "${options[@]}")
last=()
[ -z "$waits" ] || last=(--wait)

submit() { # words of sbatch: prints the number of the job
  if [ -n "$shows" ]; then
    printf '%q ' sbatch "$@" >&2
    echo >&2
    echo 0
    return
  fi
  sbatch "$@"
}

# With --wait, sbatch prints the number at once and ends with the exit code of the job.
case $mode in
  one) submit "${shared[@]}" "${last[@]}" "$SCRIPTS/run.sbatch" "$@" ;;
  mpi) submit "${shared[@]}" "${last[@]}" --ntasks="$processes" "$SCRIPTS/run_mpi.sbatch" "$@" ;;
  array)
    export PARTS=$processes
    id=$(submit "${shared[@]}" --array="0-$((processes - 1))" "$SCRIPTS/array.sbatch" "${part_words[@]}")
    echo "$id"
    say "an element that fails is sent again with"
    say "  PARTS=$processes sbatch --array=NUMBER $(printf '%q ' "$SCRIPTS/array.sbatch" "${part_words[@]}")"
    rc=0
    end=$(submit "${shared[@]}" "${last[@]}" --dependency=afterok:"${id%%;*}" --kill-on-invalid-dep=yes \
      "$SCRIPTS/finalize.sbatch" "$@") || rc=$?
    echo "$end"
    # sbatch takes a job for well ended that was cancelled because a part failed.
    if [ -n "$waits" ] && [ "$rc" = 0 ] && [ -z "$shows" ] &&
      ! scontrol show job "${end%%;*}" | grep 'JobState=COMPLETED' >/dev/null; then
      say "not all parts of job $id ended well, so the rest was not done"
      rc=1
    fi
    exit "$rc"
    ;;
esac
