#ifndef CMPI_H
#define CMPI_H
#include <stddef.h>

/* MPI of any make, loaded when a launcher announced itself. Nothing of mpi.h is visible here, and
   none is needed to build: Open MPI and the ABI of MPICH are known by their symbols.
   All calls are made from the thread that called om_mpi_init. Every wait is sleepy. */

/* Which library the launcher wants; a library that was named is looked at. */
enum { om_mpi_abi_any, om_mpi_abi_open_mpi, om_mpi_abi_mpich };
/* Loads the library of this name, or a usual one when it is NULL; 0 when it worked, else reason says
   why not. To be called before all others of this file. */
int om_mpi_load(int abi, const char *name, const char **reason);
/* What a library is, found without starting MPI: its make (0 when it cannot be used), the file, and what
   it says of its version, or why it cannot be used. */
struct om_mpi_facts {
  int abi;
  char file[1024];
  char text[1024];
};
/* Looks at the library of this name, or at the first usual one of a make, in a process of its own that gets
   this much time; 0 when it can be used. No other thread may be loading libraries meanwhile. */
int om_mpi_look(int abi, const char *name, int milliseconds, struct om_mpi_facts *facts);
/* Starts MPI; 0 when it worked. */
int om_mpi_init(void);
/* The number of this rank, and of all ranks. */
int om_mpi_rank(void);
int om_mpi_size(void);
/* Sends count bytes to a rank and returns when the buffer may be reused; 0 when it worked. */
int om_mpi_send(const void *bytes, size_t count, int to, int tag);
/* Sends to every rank and receives from every rank at once; 0 when it worked. */
int om_mpi_exchange(const void *const *out, const size_t *out_counts, void *const *in,
                    const size_t *in_counts);
/* Exchanges one count with every rank; 0 when it worked. */
int om_mpi_exchange_counts(const size_t *out, size_t *in);
/* Gives every rank the bytes of all ranks, one after the other, counts[rank] of each; 0 when it
   worked. */
int om_mpi_gather_all(const void *bytes, const size_t *counts, void *all);
/* Waits for a message of a rank; its size goes to count. 0 when it worked. */
int om_mpi_probe(int from, int tag, size_t *count);
/* Receives count bytes of a rank; 0 when it worked. */
int om_mpi_receive(void *bytes, size_t count, int from, int tag);
/* Copies count bytes of rank 0 to every rank; 0 when it worked. */
int om_mpi_broadcast(void *bytes, size_t count);
/* Calls service(context) some ten times a second while a call of this file waits. */
void om_mpi_set_service(void (*service)(void *context), void *context);
/* The largest message of om_mpi_post, in bytes. */
enum { om_mpi_post_room = 1024 };
/* Starts to send a small message on a way of its own and returns at once; 0 when it worked. */
int om_mpi_post(const void *bytes, size_t count, int to);
/* Takes a message of om_mpi_post into om_mpi_post_room bytes. Returns its size, -1 when there is
   none. */
int om_mpi_poll(void *bytes, int *from);
/* Ends MPI in order. */
void om_mpi_finalize(void);
/* Ends all ranks with an exit code. */
void om_mpi_abort(int code);

#endif
