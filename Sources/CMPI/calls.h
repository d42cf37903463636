#ifndef CALLS_H
#define CALLS_H
#include "cmpi.h"

/* What is called of an MPI library, in the words of cmpi.h: one for each ABI. */
struct om_mpi_calls {
  /* Looks up all that is used in a library; 0 when all is there, else the name of what is not. */
  int (*find)(void *library, const char **missing);
  int (*init)(void);
  int (*rank)(void);
  int (*size)(void);
  int (*send)(const void *bytes, size_t count, int to, int tag);
  int (*probe)(int from, int tag, size_t *count);
  int (*receive)(void *bytes, size_t count, int from, int tag);
  int (*exchange)(const void *const *out, const size_t *out_counts, void *const *in,
                  const size_t *in_counts);
  int (*exchange_counts)(const size_t *out, size_t *in);
  int (*gather_all)(const void *bytes, const size_t *counts, void *all);
  int (*broadcast)(void *bytes, size_t count);
  int (*post)(const void *bytes, size_t count, int to);
  int (*poll)(void *bytes, int *from);
  void (*finalize)(void);
  void (*abort)(int code);
};

extern const struct om_mpi_calls om_open_mpi;
extern const struct om_mpi_calls om_mpich;

/* Sleeps before a library is asked again, the longer the more often it was; calls the service. */
void om_mpi_nap(int round);

#endif
