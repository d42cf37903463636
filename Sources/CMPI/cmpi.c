#include "calls.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

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

/* Takes the functions of a library by the ABI that its symbols show; 0 when all are there. */
static int take(void *library, const char *name) {
  const char *missing = NULL;
  const struct om_mpi_calls *calls =
      dlsym(library, "ompi_mpi_comm_world") ? &om_open_mpi : &om_mpich;
  if (calls->find(library, &missing)) {
    snprintf(problem, sizeof problem, "%s: has no %s", name, missing);
    return 1;
  }
  mpi = calls;
  return 0;
}

int om_mpi_load(int abi, const char *name, const char **reason) {
#ifndef OM_WITH_MPI
  *reason = "this omtask was built without MPI";
  return 1;
#endif
  static const char *const usual[] = {"libmpi.so.40", "libmpi.so.12", "libmpich.so.12"};
  *reason = problem;
  if (mpi) return 0;
  int first = name || abi != om_mpi_abi_mpich ? 0 : 1;
  int last = name || abi == om_mpi_abi_open_mpi ? 1 : 3;
  for (int index = first; index < last; index++) {
    const char *file = name ? name : usual[index];
    /* Open MPI's own plugins look for its functions among those that all see. */
    void *library = dlopen(file, RTLD_NOW | RTLD_GLOBAL);
    if (library) return take(library, file);
    /* The first name that was tried is what people should have installed. */
    if (index == first) {
      const char *error = dlerror();
      snprintf(problem, sizeof problem, "%s", error ? error : file);
    }
  }
  return 1;
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
