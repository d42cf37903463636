#!/usr/bin/env bash
# Calls a command with a text on its standard input, and again when what went wrong may go away.
#
#   tries.sh LOG TEXT COMMAND...
#
# What it says goes to standard error and, from this call on, into the file LOG. A server that does
# not answer (69), a disk that is full or fails (74), a lock or a stall (75) are tried $OMTASK_TRIES
# times in all (3), the second time after $OMTASK_PAUSE seconds (10), then after as many more. All
# else ends at once, with the exit code of the command.
set -uo pipefail

log=$1 text=$2
shift 2
program=${OMTASK:-omtask}
tell() { echo "$*" | tee -ai "$log" >&2; }

: >"$log"
if ! command -v "$program" >/dev/null; then
  tell "omtask: no program $program here: put it on the PATH or name it in OMTASK"
  exit 127
fi
for ((try = 1; ; try++)); do
  printf '%s' "$text" | "$@" 2>&1 | tee -ai "$log" >&2
  rc=${PIPESTATUS[1]}
  case $rc in
    69 | 74 | 75) [ "$try" -lt "${OMTASK_TRIES:-3}" ] || exit "$rc" ;;
    *) exit "$rc" ;;
  esac
  pause=$((try * ${OMTASK_PAUSE:-10}))
  tell "omtask ended with $rc, which may go away: again in $pause s"
  sleep "$pause"
done
