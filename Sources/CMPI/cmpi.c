#define _GNU_SOURCE
#include "calls.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What was loaded. */
static const struct om_mpi_calls *mpi;
static char problem[512];

static void (*serve)(void *);
static void *serve_context;

void om_mpi_set_service(void (*service)(void *), void *context) {
  serve = service;
  serve_context = context;
}

void om_mpi_nap(int round) {
  /* The first rounds only yield: most messages are there at once. Who has waited for seconds waits
     for somebody's work, and takes longer naps. */
  struct timespec pause = {
      0, round < 50 ? 2000 : round < 200 ? 50000 : round < 4000 ? 500000 : 2000000};
  nanosleep(&pause, NULL);
  if (serve && round >= 200 && round % (round < 4000 ? 64 : 16) == 0) serve(serve_context);
}

/* The file that was loaded under a name. */
static const char *file_of(void *library, const char *name) {
  struct link_map *map = NULL;
  return dlinfo(library, RTLD_DI_LINKMAP, &map) == 0 && map->l_name[0] ? map->l_name : name;
}

static const char *last_part(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

/* Whether a library has the handles of the standard ABI of MPI-5, which are neither those of Open MPI nor
   those of MPICH though the functions are called the same. */
static int is_standard_abi(void *library, const char *name) {
  const char *real = last_part(file_of(library, name));
  if (strncmp(real, "libmpi_abi", 10) == 0 || strncmp(last_part(name), "libmpi_abi", 10) == 0)
    return 1;
  if (strncmp(real, "libmpi.so.12", 12) == 0 || strncmp(real, "libmpich", 8) == 0) return 0;
  void *found = dlsym(library, "MPI_Abi_get_version");
  int (*version)(int *, int *), major = -1, minor = -1;
  if (!found) return 0;
  memcpy(&version, &found, sizeof version);
  return version(&major, &minor) == 0 && major >= 0;
}

/* The functions of a library by the ABI that its symbols show; NULL, and why, when they cannot be used. */
static const struct om_mpi_calls *calls_of(void *library, const char *name) {
  if (is_standard_abi(library, name)) {
    snprintf(problem, sizeof problem,
             "%s: has the standard ABI of MPI-5, expected that of Open MPI or MPICH", name);
    return NULL;
  }
  const char *missing = NULL;
  const struct om_mpi_calls *calls =
      dlsym(library, "ompi_mpi_comm_world") ? &om_open_mpi : &om_mpich;
  if (calls->find(library, &missing) == 0) return calls;
  snprintf(problem, sizeof problem, "%s: has no %s", name, missing);
  return NULL;
}

/* Loads the library of a name, or the first usual one of a make; NULL, and why, when there is none. */
static void *load(int abi, const char *name, const char **file) {
  static const char *const usual[] = {"libmpi.so.40", "libmpi.so.12", "libmpich.so.12"};
  int first = name || abi != om_mpi_abi_mpich ? 0 : 1;
  int last = name || abi == om_mpi_abi_open_mpi ? 1 : 3;
  for (int index = first; index < last; index++) {
    *file = name ? name : usual[index];
    /* Open MPI's own plugins look for its functions among those that all see. */
    void *library = dlopen(*file, RTLD_NOW | RTLD_GLOBAL);
    if (library) return library;
    /* The first name that was tried is what people should have installed. */
    if (index == first) {
      const char *error = dlerror();
      snprintf(problem, sizeof problem, "%s", error ? error : *file);
    }
  }
  return NULL;
}

int om_mpi_load(int abi, const char *name, const char **reason) {
#ifndef OM_WITH_MPI
  *reason = "this omtask was built without MPI";
  return 1;
#endif
  *reason = problem;
  if (mpi) return 0;
  const char *file = NULL;
  void *library = load(abi, name, &file);
  if (library) mpi = calls_of(library, file);
  return mpi ? 0 : 1;
}

/* Fills the facts in a process that may crash or hang without harm. */
static void look_here(int abi, const char *name, struct om_mpi_facts *facts) {
  const char *file = NULL;
  void *library = load(abi, name, &file);
  const struct om_mpi_calls *calls = library ? calls_of(library, file) : NULL;
  if (library) snprintf(facts->file, sizeof facts->file, "%s", file_of(library, file));
  if (!calls) {
    snprintf(facts->text, sizeof facts->text, "%s", problem);
    return;
  }
  facts->abi = calls == &om_open_mpi ? om_mpi_abi_open_mpi : om_mpi_abi_mpich;
  /* As long as that of any make; MPI allows this call before it is started. */
  static char version[1 << 16];
  int length = 0, (*get)(char *, int *);
  void *found = dlsym(library, "MPI_Get_library_version");
  if (found) memcpy(&get, &found, sizeof get);
  if (!found || get(version, &length) != 0) return;
  version[sizeof facts->text - 1] = 0;
  snprintf(facts->text, sizeof facts->text, "%s", version);
}

int om_mpi_look(int abi, const char *name, int milliseconds, struct om_mpi_facts *facts) {
  memset(facts, 0, sizeof *facts);
#ifndef OM_WITH_MPI
  snprintf(facts->text, sizeof facts->text, "this omtask was built without MPI");
  return 1;
#endif
  int ends[2];
  if (pipe2(ends, O_CLOEXEC)) return 1;
  pid_t child = fork();
  if (child == 0) {
    int nothing = open("/dev/null", O_RDWR);
    for (int number = 0; number <= 2; number++) dup2(nothing, number);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
    look_here(abi, name, facts);
    /* Smaller than a pipe's buffer, so it goes at once. */
    _exit(write(ends[1], facts, sizeof *facts) == (ssize_t)sizeof *facts ? 0 : 1);
  }
  close(ends[1]);
  struct pollfd entry = {ends[0], POLLIN, 0};
  int came = child > 0 && poll(&entry, 1, milliseconds) > 0;
  int whole = came && read(ends[0], facts, sizeof *facts) == (ssize_t)sizeof *facts;
  close(ends[0]);
  if (child > 0) {
    kill(child, SIGKILL);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {}
  }
  if (!whole)
    snprintf(facts->text, sizeof facts->text, came ? "the library ends the program that loads it"
                                                   : "loading the library takes too long");
  return facts->abi ? 0 : 1;
}

int om_mpi_init(void) { return mpi->init(); }
int om_mpi_rank(void) { return mpi->rank(); }
int om_mpi_size(void) { return mpi->size(); }
int om_mpi_send(const void *bytes, size_t count, int to, int tag) {
  return mpi->send(bytes, count, to, tag);
}
int om_mpi_probe(int from, int tag, size_t *count) { return mpi->probe(from, tag, count); }
int om_mpi_receive(void *bytes, size_t count, int from, int tag) {
  return mpi->receive(bytes, count, from, tag);
}
int om_mpi_exchange(const void *const *out, const size_t *out_counts, void *const *in,
                    const size_t *in_counts) {
  return mpi->exchange(out, out_counts, in, in_counts);
}
int om_mpi_exchange_counts(const size_t *out, size_t *in) { return mpi->exchange_counts(out, in); }
int om_mpi_gather_all(const void *bytes, const size_t *counts, void *all) {
  return mpi->gather_all(bytes, counts, all);
}
int om_mpi_broadcast(void *bytes, size_t count) { return mpi->broadcast(bytes, count); }
int om_mpi_post(const void *bytes, size_t count, int to) { return mpi->post(bytes, count, to); }
int om_mpi_poll(void *bytes, int *from) { return mpi->poll(bytes, from); }
void om_mpi_finalize(void) { mpi->finalize(); }
void om_mpi_abort(int code) { mpi->abort(code); }
