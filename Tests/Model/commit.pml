/* From the stage to the list of labels: Sources/OMRun/Commit. README.md says how to check it.
 *
 * Two processes make a label image each, are killed at any step and started again. Locks are single
 * steps here, which lock.pml allows. Every other step is one file-system operation.
 *
 * -DSAME        the same run twice (one run id, one stage, one label image)
 * -DOTHER       two runs that add different label images to one image
 * -DCLASH       two runs that want the same name
 * -DOVERWRITE   the same with --overwrite, over an old label image
 *   -DNO_EXCHANGE   on a file system that cannot exchange two names
 * -DFOREIGN     another program that changes the list, too
 */
#ifndef CRASHES
#define CRASHES 2
#endif
#define UNITS 2

#ifdef SAME
#define RUN 0
#else
#define RUN me
#endif
#ifdef OTHER
#define NAME me
#else
#define NAME 0
#endif
#ifdef OVERWRITE
#define OVERWRITES true
#else
#define OVERWRITES false
#endif

#define FREE 0                          /* of a lock; a number of a process plus one: held; */
#define LEFT 9                          /* left by a process that was killed */
#define NOBODY 0
#define OLD 3                           /* whose label image --overwrite replaces */
#define WHO (RUN + 1)                   /* as which a run signs what it writes */
#define FOREIGN_ENTRY 16                /* in the list */

/* A label image: who wrote its write units, how many of them are there, who wrote its metadata, and
 * whether something half written lies about. */
typedef Tree { byte units_of; byte units; byte record; bit temporary };
#define IS_WHOLE(tree) (tree.units == UNITS && tree.record == tree.units_of && !tree.temporary)
#define IS_EMPTY(tree) (tree.units == 0 && tree.record == NOBODY && !tree.temporary)
#define IS_THERE(tree) (!IS_EMPTY(tree))

typedef Stage {                         /* .omtask/<run-id>/ */
  bit exists;
  byte lock;                            /* lock: FREE, LEFT or its holder */
  byte waiting;                         /* lock.<token>: a bit for each process */
  byte journal;                         /* units that are recorded, in order */
  bit complete;                         /* the record that everything is staged */
  Tree out;                             /* out/<name> */
  Tree old                              /* old/<name> */
};
#define HOLDS_NOTHING(stage) (stage.lock == FREE && !stage.waiting && !stage.journal && \
  !stage.complete && IS_EMPTY(stage.out) && IS_EMPTY(stage.old))

Stage stages[2];
Tree labels[2];                         /* labels/<name> */
byte list;                              /* of labels/zarr.json: a bit for each name */
byte spare;                             /* .omtask/labels.new: what stood in the list's place */
byte labels_lock;                       /* .omtask/labels.lock */
byte first[2];                          /* whose label image got a name first */
byte crashes, refused;
bit killed[2], ended[2], foreign_ended, foreign_lost;

#define stage stages[RUN]
#define label labels[NAME]
#define listed(names) (names & (1 << NAME))
#define mine (1 << me)
#define NOBODYS(files, i) ((files & (1 << i)) -> (files & ~(1 << i)) | 16 : files)

inline clear(tree) {
  tree.units = 0; tree.units_of = NOBODY; tree.record = NOBODY; tree.temporary = 0
}
inline move(from, to) {
  to.units = from.units; to.units_of = from.units_of;
  to.record = from.record; to.temporary = from.temporary;
  clear(from)
}
inline exchange(a, b) { move(a, hand); move(b, a); move(hand, b) }
inline became_visible() { first[NAME] = (first[NAME] == NOBODY -> WHO : first[NAME]) }

#define IS_OF_OTHERS(tree) (tree.record != NOBODY && tree.record != WHO)
#if defined METADATA_LAST || defined TRUST_JOURNAL || defined PUT_UNCHECKED
#define IS_STAGED IS_THERE(stage.out)
#else
#define IS_STAGED (stage.out.record == WHO)
#endif

/* FileLock.acquire and release */
inline acquire(held) { atomic { held == FREE || held == LEFT -> held = me + 1 } }
inline release(held) { atomic { assert(held == me + 1); held = FREE } }

/* OutputFolder.removeTree: entry by entry, in any order */
inline remove_tree(tree) {
  do
  :: atomic { tree.units > 0 -> tree.units-- }
  :: atomic { tree.record != NOBODY -> tree.record = NOBODY }
  :: atomic { tree.temporary -> tree.temporary = 0 }
  :: atomic { IS_EMPTY(tree) -> tree.units_of = NOBODY; break }
  od
}

/* Stage.empty and Stage.remove: the journals go first, since they speak of what is in `out`. */
inline empty_stage() {
  do
  :: atomic { stage.journal > 0 -> stage.journal = 0 }
  :: atomic { stage.complete -> stage.complete = 0 }
#ifdef JOURNALS_ANYWHEN
  :: remove_tree(stage.out)
#endif
  :: atomic { stage.journal == 0 && !stage.complete -> break }
  od;
  remove_tree(stage.out);
  remove_tree(stage.old)
}

/* OutputFolder.removeIfEmpty; who waits for the lock does it later, files of dead ones must go. */
inline remove_stage() {
  if
  :: atomic { HOLDS_NOTHING(stage) -> stage.exists = 0 }
  :: atomic { !HOLDS_NOTHING(stage) }
#ifndef NO_SWEEP
    stage.waiting = stage.waiting & ~16;
    if
    :: atomic { HOLDS_NOTHING(stage) -> stage.exists = 0 }
    :: atomic { !HOLDS_NOTHING(stage) }
    fi
#endif
  fi
}

proctype Run(byte me) {
  byte known;                           /* units that need not be made again */
  byte seen, wanted;                    /* the list as it was read, and as it is to be */
  bit stray;                            /* a temporary file that was not removed */
  Tree hand;
start: {
  known = 0;

look:                                   /* Target.look, without any lock */
  seen = list;
  if
  :: atomic { label.record == WHO && listed(seen) } goto left_over
  :: atomic { label.record != WHO && IS_THERE(label) && !OVERWRITES } goto refuse
  :: atomic { (label.record == WHO && !listed(seen)) || IS_EMPTY(label) ||
      (label.record != WHO && OVERWRITES) }
  fi;

enter:                                  /* Stage.enter */
#ifndef NO_RUN_LOCK
  stage.exists = 1;
  if
  :: atomic { stage.exists -> stage.waiting = stage.waiting | mine }
  :: atomic { !stage.exists } goto enter
  fi;
  acquire(stage.lock);
  stage.waiting = stage.waiting & ~mine & ~16;
#else
  stage.exists = 1;
#endif

second_look:                            /* Target.look again, now that nobody else does this run */
  seen = 0;
  if
  :: atomic { label.record == WHO } goto finish
  :: atomic { label.record != WHO && IS_THERE(label) && !OVERWRITES } goto leave
  :: atomic { IS_EMPTY(label) || (label.record != WHO && OVERWRITES) }
  fi;

  /* Stage.settle, PastWork.verified: go on from what the journals say, as far as it is so */
  if
#ifdef TRUST_JOURNAL
  :: atomic { stage.complete } goto finish
#else
  :: atomic { stage.complete && stage.out.record == WHO } goto finish
  :: atomic { stage.complete && stage.out.record != WHO } empty_stage()
#endif
  :: atomic { !stage.complete && (stage.journal == 0 || IS_OF_OTHERS(stage.out)) } empty_stage()
  :: atomic { !stage.complete && stage.journal > 0 && !IS_OF_OTHERS(stage.out) }
#ifndef KEEP_TEMPORARIES
    stage.out.temporary = 0
#endif
  fi;
  stray = stage.out.temporary;
  known = (stage.journal < stage.out.units -> stage.journal : stage.out.units);

  /* Stage.write and JournalWriter: each write unit, then its record */
  do
  :: known == UNITS -> break
  :: else ->
    stage.out.temporary = 1;
    atomic {
      assert(stage.out.units_of == NOBODY || stage.out.units_of == WHO);
      stage.out.units_of = WHO;
      stage.out.units = (stage.out.units > known -> stage.out.units : known + 1);
      known++;
      stage.out.temporary = stray
    }
    atomic { stage.journal = known }
  od;
  known = 0;

#ifndef METADATA_LAST
  stage.out.record = WHO;               /* ImageCommitter.stageMetadata */
#endif
  stage.complete = 1;                   /* Checkpoint.complete */

finish:                                 /* ImageCommitter.finish */
  acquire(labels_lock);
#ifdef LIST_FIRST
  list = list | (1 << NAME);
#endif
  /* ImageCommitter.put */
  if
  :: atomic { label.record == WHO } goto register
  :: atomic { label.record != WHO && !IS_STAGED }
    release(labels_lock);
    goto second_look                    /* another run has replaced it since */
  :: atomic { IS_EMPTY(label) && IS_STAGED }
    d_step { assert(IS_EMPTY(label)); move(stage.out, label); became_visible() }
  :: atomic { label.record != WHO && IS_THERE(label) && IS_STAGED && !OVERWRITES }
#ifdef REPLACE
    d_step { exchange(stage.out, label) }
#else
    release(labels_lock);
    goto leave
#endif
  :: atomic { label.record != WHO && IS_THERE(label) && IS_STAGED && OVERWRITES }
#ifdef NO_EXCHANGE
    remove_tree(stage.old);
    atomic { move(label, stage.old) }
    atomic { move(stage.out, label) }
#else
    d_step { exchange(stage.out, label) }
#endif
  fi;

register:                               /* LabelsRegister.updateList */
#ifdef LIST_UNLOCKED
  release(labels_lock);
#endif
  seen = list;                          /* DocumentUpdate.change */
  do
  :: listed(seen) -> break
  :: else ->
    wanted = seen | (1 << NAME);
#ifdef LIST_BLINDLY
    list = wanted; seen = list;
#else
replace:                                /* renameExchange; was it that what was read? */
    atomic { spare = list; list = wanted }
    if
    :: atomic { spare == seen -> spare = 0; seen = list }
#ifdef FORGET_LOST
    :: atomic { spare != seen -> seen = wanted; wanted = spare | (1 << NAME); spare = 0 }
#else                           /* what was listed before and is gone was not meant to go */
    :: atomic { spare != seen -> seen = wanted; wanted = spare | wanted; spare = 0 }
#endif
      goto replace
    fi
#endif
  od;
  wanted = 0;
#ifdef METADATA_LAST
  label.record = WHO;
#endif
#ifndef LIST_UNLOCKED
  release(labels_lock);
#endif

  seen = 0;
  empty_stage();                        /* Stage.remove */
#ifndef NO_RUN_LOCK
  release(stage.lock);
#endif
  remove_stage();
#ifdef FOREIGN
  if                                    /* once more at the end: is it still listed? */
  :: atomic { listed(list) } goto done
  :: atomic { !listed(list) } goto look
  fi;
#endif
  goto done;

left_over:                              /* Stage.removeLeftOver */
  seen = 0;
  if
  :: atomic { !stage.exists } goto done
#ifdef FORGET_STAGE
  :: atomic { stage.exists } goto done
#else
  :: atomic { stage.exists && stage.lock != FREE && stage.lock != LEFT } goto done
  :: atomic { stage.exists && (stage.lock == FREE || stage.lock == LEFT) ->
      stage.waiting = stage.waiting | mine }
    if
    :: atomic { stage.lock == FREE || stage.lock == LEFT -> stage.lock = me + 1 }
      stage.waiting = stage.waiting & ~mine & ~16;
      goto second_look
    :: atomic { stage.lock != FREE && stage.lock != LEFT }
      stage.waiting = stage.waiting & ~mine;
      remove_stage();
      goto done
    fi
#endif
  fi;

leave:                                  /* Stage.leave, after a fault that no repetition mends */
  empty_stage();
  release(stage.lock);
  remove_stage();
refuse:
  seen = 0;
  atomic { refused++; ended[me] = 1; goto done }
} unless { killed[me] };

  d_step {
    killed[me] = 0; known = 0; seen = 0; wanted = 0; stray = 0; clear(hand)
  }
  goto start;

done:
#ifdef FOREIGN                          /* who gives the command again later adds a lost entry */
  if
  :: atomic { foreign_ended && listed(list) }
  :: atomic { foreign_ended && !listed(list) } goto start
  fi;
#endif
  ended[me] = 1
}

#define LEAVE(lock, i) lock = (lock == i + 1 -> LEFT : lock)
inline kill(i) {
  crashes++; killed[i] = 1;
  /* the one gap: what another program wrote is out of its place, and who puts it back dies */
  foreign_lost = foreign_lost ||
    (labels_lock == i + 1 && foreign_ended && !(list & FOREIGN_ENTRY));
  spare = (labels_lock == i + 1 -> 0 : spare);
  LEAVE(labels_lock, i); LEAVE(stages[0].lock, i); LEAVE(stages[1].lock, i);
  /* its file beside the lock stays, and is nobody's */
  stages[0].waiting = NOBODYS(stages[0].waiting, i);
  stages[1].waiting = NOBODYS(stages[1].waiting, i)
}
#define CAN_DIE(i) (crashes < CRASHES && !killed[i] && !ended[i])

active proctype Crash() {
end:
  do
  :: d_step { CAN_DIE(0) -> kill(0) }
  :: d_step { CAN_DIE(1) -> kill(1) }
  od
}

#ifdef FOREIGN
/* A program that adds a name to the list and knows of no lock. */
active proctype Foreign() {
  byte seen;
  seen = list;
  atomic { list = seen | FOREIGN_ENTRY; foreign_ended = 1 }
}
#endif

/* What must hold at every moment, for a reader who looks at everything at once. */
#define IS_RIGHT(name) ((IS_EMPTY(labels[name]) || IS_WHOLE(labels[name])) && \
  (!(list & (1 << name)) || IS_THERE(labels[name]) || HAS_A_GAP) && \
  (OVERWRITES || labels[name].record == first[name]))
#if defined OVERWRITE && defined NO_EXCHANGE
#define HAS_A_GAP true
#else
#define HAS_A_GAP false
#endif

/* What must hold when all have ended. */
#define IS_DONE(name) (IS_THERE(labels[name]) && list & (1 << name))
#define NOTHING_IS_LEFT (refused || \
  labels_lock == FREE && !stages[0].exists && !stages[1].exists)
#ifdef FOREIGN
#define FOREIGN_IS_LISTED ((list & FOREIGN_ENTRY) || foreign_lost)
#else
#define FOREIGN_IS_LISTED true
#endif
#ifdef OTHER
#define ALL_IS_DONE (IS_DONE(0) && IS_DONE(1) && NOTHING_IS_LEFT && refused == 0 && \
  FOREIGN_IS_LISTED)
#elif defined CLASH
#define ALL_IS_DONE (IS_DONE(0) && NOTHING_IS_LEFT && refused == 1)
#elif defined OVERWRITE
#define ALL_IS_DONE (IS_DONE(0) && NOTHING_IS_LEFT && refused == 0 && labels[0].record != OLD)
#else
#define ALL_IS_DONE (IS_DONE(0) && NOTHING_IS_LEFT && refused == 0)
#endif

active proctype Reader() {
end:
  do
  :: atomic { !(IS_RIGHT(0) && IS_RIGHT(1)) -> assert(false) }
  :: atomic { ended[0] && ended[1] && !ALL_IS_DONE -> assert(false) }
  od
}

init {
  atomic {
#ifdef OVERWRITE
    labels[0].units_of = OLD; labels[0].units = UNITS; labels[0].record = OLD; list = 1;
#endif
    run Run(0); run Run(1)
  }
}
