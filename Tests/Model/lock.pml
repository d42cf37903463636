/* The lock without a lock server: FileLock in Sources/OMStore. README.md says how to check it.
 *
 * Lock files are told apart by tokens: inode and time, which no other file has while somebody holds
 * this one open. What a name leads to is the token of the file, or 0 for nothing. Every step is one
 * file-system operation.
 */
#ifndef RUNS
#define RUNS 3                  /* processes that want the lock, */
#endif
#ifndef ROUNDS
#define ROUNDS 1                /* each of them so often; */
#endif
#ifndef CRASHES
#define CRASHES 2               /* how many of them are killed, at any step, and started again */
#endif

#define TOKENS 7                /* at least RUNS * ROUNDS + CRASHES + 1 */
#define DEPTH (CRASHES + 3)
#define LOCK 0                  /* names[LOCK] is `NAME`, */
byte names[TOKENS + 1];         /* names[t] is `NAME.after.<t>`, the right to replace token t */
bit dead[TOKENS + 1];           /* the owner of this token was killed */

byte mine[RUNS];                /* the token of the file `NAME.<token>` of a process, 0: none */
bit killed[RUNS];
byte tokens, crashes, finished;
byte holder;                    /* who believes to hold the lock, and lives: its number plus one */

/* FileLock.acquire makes its own file, complete before it is linked to any other name. */
inline make_own_file() {
  atomic {
#ifdef INODE_AS_TOKEN           /* nobody holds it open: a free number goes to the next file */
    tokens = 1;
    do
    :: tokens == names[LOCK] || tokens == mine[0] || tokens == mine[1] || tokens == mine[2] ->
      tokens++
    :: else -> break
    od;
    dead[tokens] = 0; mine[me] = tokens
#else
    tokens++; mine[me] = tokens
#endif
  }
}

inline forget(first) {
  d_step {
    level = first;
    do :: level == DEPTH -> break :: else -> path[level] = 0; level++ od;
    level = (first == 0 -> 0 : first - 1)
  }
}

/* One process: acquire, work, release. The recursion of LockAttempt.replace is the stack `path`:
 * path[0] is NAME, and path[n + 1] the right to replace what was found, stale, at path[n]. */
proctype Run(byte me) {
  byte path[DEPTH];
  byte level, round, token;
start: {
  do
  :: round == ROUNDS -> break
  :: else ->
    make_own_file();

seize:                          /* link(NAME.<mine>, path); when it is taken, see what is there */
    if
    :: atomic { names[path[level]] == 0 -> names[path[level]] = mine[me] }
    :: atomic { names[path[level]] != 0 && dead[names[path[level]]] ->
#ifdef UNLINK_STALE
        skip }
        names[LOCK] = 0;
#elif defined RENAME_AWAY
        token = names[LOCK] }
        atomic { path[1] = names[LOCK]; names[LOCK] = 0 }
        if
        :: path[1] == token || path[1] == 0
        :: else -> atomic { names[LOCK] == 0 -> names[LOCK] = path[1] }
        fi;
        token = 0; path[1] = 0;
#else
        assert(level + 1 < DEPTH);
        path[level + 1] = names[path[level]]; level++ }
#endif
        goto seize
    :: atomic { level > 0 && names[path[level - 1]] != path[level] -> forget(1) }
        goto seize              /* waited for somebody who was faster */
    fi;

seized:
    if
    :: level == 0 -> goto held
    :: else
    fi;
#ifndef NO_SECOND_LOOK
    if                          /* LockPlace.leads: what is to be replaced must still be there */
    :: atomic { names[path[level - 1]] == path[level] }
    :: atomic { names[path[level - 1]] != path[level] }
        names[path[level]] = 0; forget(1);
        goto seize
    fi;
#endif
    if                          /* rename(NAME.after.<t>, path) */
    :: atomic { names[path[level]] != 0 ->
        names[path[level - 1]] = names[path[level]];
        names[path[level]] = 0; path[level] = 0; level-- }
    :: atomic { names[path[level]] == 0 -> forget(1) }
        goto seize
    fi;
    if                          /* is it ours? */
    :: atomic { names[path[level]] == mine[me] } -> goto seized
    :: atomic { names[path[level]] != mine[me] -> forget(1) } goto seize
    fi;

held:
    atomic { assert(holder == 0); holder = me + 1 }
    atomic { assert(names[LOCK] == mine[me]); holder = 0 }

    if                          /* FileLock.release */
    :: atomic { names[LOCK] == mine[me] } names[LOCK] = 0
    :: atomic { names[LOCK] != mine[me] }
    fi;
    atomic { mine[me] = 0; round++ }
  od;
  atomic { finished++; goto done }
} unless { killed[me] };

  atomic { killed[me] = 0; mine[me] = 0; token = 0; forget(0); goto start }
done: skip
}

#define CAN_DIE(i) (i < RUNS && crashes < CRASHES && mine[i] != 0 && !killed[i])
inline kill(i) {
  crashes++; killed[i] = 1; dead[mine[i]] = 1; holder = (holder == i + 1 -> 0 : holder)
}

active proctype Crash() {
end:
  do
  :: atomic { CAN_DIE(0) -> kill(0) }
  :: atomic { CAN_DIE(1) -> kill(1) }
#if RUNS > 2
  :: atomic { CAN_DIE(2) -> kill(2) }
#endif
#if RUNS > 3
  :: atomic { CAN_DIE(3) -> kill(3) }
#endif
  od
}

#ifdef SWEEP
#define IS_AT(i, token) (names[i] == token)
#define IS_SOMEWHERE(token) (IS_AT(0, token) || IS_AT(1, token) || IS_AT(2, token) || \
  IS_AT(3, token) || IS_AT(4, token) || IS_AT(5, token) || IS_AT(6, token) || IS_AT(7, token))
#define MEANS_NOTHING(token) \
  (names[token] != 0 && dead[names[token]] && !IS_SOMEWHERE(token))
#define NOTHING_IS_LEFT (names[0] + names[1] + names[2] + names[3] + names[4] + \
  names[5] + names[6] + names[7] == 0)
#define SWEEP_AWAY(token) \
  atomic { MEANS_NOTHING(token) -> swept = token } names[token] = 0; swept = 0

/* LockPlace.sweep removes rights whose owner is dead and whose token is nowhere. It acts on that as
 * late as it likes, whatever the name leads to by then. */
active proctype Sweep() {
  byte swept;
  do
  :: SWEEP_AWAY(1)
  :: SWEEP_AWAY(2)
  :: SWEEP_AWAY(3)
  :: SWEEP_AWAY(4)
  :: SWEEP_AWAY(5)
  :: SWEEP_AWAY(6)
  :: SWEEP_AWAY(7)
  :: finished == RUNS && NOTHING_IS_LEFT -> break
  od
}
#endif

init {
  byte i;
  atomic {
#ifdef OLD_LOCK                 /* what a process left that died long ago */
    tokens = 1; dead[1] = 1; names[LOCK] = 1;
#endif
    do :: i == RUNS -> break :: else -> run Run(i); i++ od;
    i = 0
  }
}
