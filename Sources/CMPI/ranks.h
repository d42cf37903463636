/* The functions of cmpi.h over one MPI library. Included once for each ABI, after what that ABI defines:

   - the types MPI_Comm, MPI_Datatype, MPI_Request and MPI_Status,
   - the values MPI_COMM_WORLD, MPI_BYTE, MPI_REQUEST_NULL, MPI_STATUS_IGNORE, MPI_STATUSES_IGNORE and
     MPI_ANY_SOURCE,
   - find_values(library, missing): looks up those that are addresses; 0 when all are there,
   - OM_MPI_CALLS: the name of its functions. */

#include "calls.h"
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

enum { MPI_SUCCESS = 0, MPI_THREAD_FUNNELED = 1 };

/* The functions of the library that are used, with their types and as the code calls them. */
static struct {
  int (*Init_thread)(int *, char ***, int, int *);
  int (*Comm_rank)(MPI_Comm, int *);
  int (*Comm_size)(MPI_Comm, int *);
  int (*Isend)(const void *, int, MPI_Datatype, int, int, MPI_Comm, MPI_Request *);
  int (*Irecv)(void *, int, MPI_Datatype, int, int, MPI_Comm, MPI_Request *);
  int (*Recv)(void *, int, MPI_Datatype, int, int, MPI_Comm, MPI_Status *);
  int (*Iprobe)(int, int, MPI_Comm, int *, MPI_Status *);
  int (*Get_count)(const MPI_Status *, MPI_Datatype, int *);
  int (*Test)(MPI_Request *, int *, MPI_Status *);
  int (*Testall)(int, MPI_Request *, int *, MPI_Status *);
  int (*Ibcast)(void *, int, MPI_Datatype, int, MPI_Comm, MPI_Request *);
  int (*Iallgatherv)(const void *, int, MPI_Datatype, void *, const int *, const int *,
                     MPI_Datatype, MPI_Comm, MPI_Request *);
  int (*Ialltoall)(const void *, int, MPI_Datatype, void *, int, MPI_Datatype, MPI_Comm,
                   MPI_Request *);
  int (*Finalize)(void);
  int (*Abort)(MPI_Comm, int);
} mpi;

static int om_find(void *library, const char **missing) {
  const struct {
    const char *name;
    void *place;
  } functions[] = {
      {"MPI_Abort", &mpi.Abort},
      {"MPI_Comm_rank", &mpi.Comm_rank},
      {"MPI_Comm_size", &mpi.Comm_size},
      {"MPI_Finalize", &mpi.Finalize},
      {"MPI_Get_count", &mpi.Get_count},
      {"MPI_Iallgatherv", &mpi.Iallgatherv},
      {"MPI_Ialltoall", &mpi.Ialltoall},
      {"MPI_Ibcast", &mpi.Ibcast},
      {"MPI_Init_thread", &mpi.Init_thread},
      {"MPI_Iprobe", &mpi.Iprobe},
      {"MPI_Irecv", &mpi.Irecv},
      {"MPI_Isend", &mpi.Isend},
      {"MPI_Recv", &mpi.Recv},
      {"MPI_Test", &mpi.Test},
      {"MPI_Testall", &mpi.Testall},
  };
  for (size_t index = 0; index < sizeof functions / sizeof *functions; index++) {
    void *found = dlsym(library, functions[index].name);
    *missing = functions[index].name;
    if (!found) return 1;
    /* ISO C has no cast from an object to a function. */
    memcpy(functions[index].place, &found, sizeof found);
  }
  return find_values(library, missing);
}

/* One message of MPI counts with int: larger ones go in parts of this many bytes. */
static const size_t part = (size_t)1 << 30;

static int wait_all(MPI_Request *requests, int count) {
  int done = 0;
  for (int round = 0;; round++) {
    if (mpi.Testall(count, requests, &done, MPI_STATUSES_IGNORE) != MPI_SUCCESS) return 1;
    if (done) return 0;
    om_mpi_nap(round);
  }
}

static int parts_of(size_t count) { return count == 0 ? 1 : (int)((count + part - 1) / part); }

static int part_size(size_t count, int index) {
  size_t rest = count - (size_t)index * part;
  return (int)(rest < part ? rest : part);
}

static int start_send(const char *bytes, size_t count, int to, int tag, MPI_Request *requests) {
  int failed = 0;
  for (int index = 0; index < parts_of(count) && !failed; index++)
    failed = mpi.Isend(bytes + (size_t)index * part, part_size(count, index), MPI_BYTE, to, tag,
                       MPI_COMM_WORLD, requests + index) != MPI_SUCCESS;
  return failed;
}

static int start_receive(char *bytes, size_t count, int from, int tag, MPI_Request *requests) {
  int failed = 0;
  for (int index = 0; index < parts_of(count) && !failed; index++)
    failed = mpi.Irecv(bytes + (size_t)index * part, part_size(count, index), MPI_BYTE, from, tag,
                       MPI_COMM_WORLD, requests + index) != MPI_SUCCESS;
  return failed;
}

static int om_init(void) {
  int provided = 0;
  return mpi.Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS ||
         provided < MPI_THREAD_FUNNELED;
}

static int om_rank(void) {
  int rank = 0;
  mpi.Comm_rank(MPI_COMM_WORLD, &rank);
  return rank;
}

static int om_size(void) {
  int size = 1;
  mpi.Comm_size(MPI_COMM_WORLD, &size);
  return size;
}

/* A message begins with its size, so that the receiver can make room. */
static int om_send(const void *bytes, size_t count, int to, int tag) {
  int parts = parts_of(count);
  MPI_Request *requests = malloc((size_t)(parts + 1) * sizeof *requests);
  if (!requests) return 1;
  int failed = mpi.Isend(&count, sizeof count, MPI_BYTE, to, tag, MPI_COMM_WORLD, requests) !=
                   MPI_SUCCESS ||
               start_send(bytes, count, to, tag, requests + 1) || wait_all(requests, parts + 1);
  free(requests);
  return failed;
}

static int om_probe(int from, int tag, size_t *count) {
  MPI_Request request;
  return mpi.Irecv(count, sizeof *count, MPI_BYTE, from, tag, MPI_COMM_WORLD, &request) !=
             MPI_SUCCESS ||
         wait_all(&request, 1);
}

static int om_receive(void *bytes, size_t count, int from, int tag) {
  int parts = parts_of(count);
  MPI_Request *requests = malloc((size_t)parts * sizeof *requests);
  if (!requests) return 1;
  int failed = start_receive(bytes, count, from, tag, requests) || wait_all(requests, parts);
  free(requests);
  return failed;
}

static int om_exchange_counts(const size_t *out, size_t *in) {
  MPI_Request request;
  return mpi.Ialltoall(out, sizeof(size_t), MPI_BYTE, in, sizeof(size_t), MPI_BYTE, MPI_COMM_WORLD,
                       &request) != MPI_SUCCESS ||
         wait_all(&request, 1);
}

static int om_exchange(const void *const *out, const size_t *out_counts, void *const *in,
                    const size_t *in_counts) {
  const int tag = 1;
  int size = om_size();
  int total = 0;
  for (int rank = 0; rank < size; rank++)
    total += parts_of(out_counts[rank]) + parts_of(in_counts[rank]);
  MPI_Request *requests = malloc((size_t)total * sizeof *requests);
  if (!requests) return 1;
  int used = 0, failed = 0;
  for (int rank = 0; rank < size && !failed; rank++) {
    if (in_counts[rank] == 0) continue;
    failed = start_receive(in[rank], in_counts[rank], rank, tag, requests + used);
    used += parts_of(in_counts[rank]);
  }
  for (int rank = 0; rank < size && !failed; rank++) {
    if (out_counts[rank] == 0) continue;
    failed = start_send(out[rank], out_counts[rank], rank, tag, requests + used);
    used += parts_of(out_counts[rank]);
  }
  failed = failed || wait_all(requests, used);
  free(requests);
  return failed;
}

static int broadcast_from(char *place, size_t count, int root) {
  while (count > 0) {
    int size = (int)(count < part ? count : part);
    MPI_Request request;
    if (mpi.Ibcast(place, size, MPI_BYTE, root, MPI_COMM_WORLD, &request) != MPI_SUCCESS ||
        wait_all(&request, 1))
      return 1;
    place += size;
    count -= (size_t)size;
  }
  return 0;
}

static int om_broadcast(void *bytes, size_t count) { return broadcast_from(bytes, count, 0); }

/* MPI counts and places with int: what is larger goes rank by rank. */
static int om_gather_all(const void *bytes, const size_t *counts, void *all) {
  int size = om_size(), rank = om_rank(), failed = 0;
  size_t total = 0, own = 0;
  for (int index = 0; index < size; index++) {
    if (index == rank) own = total;
    total += counts[index];
  }
  if (total > part) {
    memcpy((char *)all + own, bytes, counts[rank]);
    size_t offset = 0;
    for (int index = 0; index < size && !failed; index++) {
      failed = broadcast_from((char *)all + offset, counts[index], index);
      offset += counts[index];
    }
    return failed;
  }
  int *sizes = malloc(2 * (size_t)size * sizeof *sizes);
  if (!sizes) return 1;
  int *offsets = sizes + size, offset = 0;
  for (int index = 0; index < size; index++) {
    sizes[index] = (int)counts[index];
    offsets[index] = offset;
    offset += sizes[index];
  }
  MPI_Request request;
  failed = mpi.Iallgatherv(bytes, sizes[rank], MPI_BYTE, all, sizes, offsets, MPI_BYTE,
                           MPI_COMM_WORLD, &request) != MPI_SUCCESS ||
           wait_all(&request, 1);
  free(sizes);
  return failed;
}

/* Small messages on their way; a slot is used again when its message has left. */
typedef struct {
  MPI_Request request;
  int to;
  char bytes[om_mpi_post_room];
} slot;
static slot **slots;
static int slot_count;
static const int post_tag = 77;

static slot *free_slot(int to) {
  int waiting = 0;
  slot *found = NULL;
  for (int index = 0; index < slot_count; index++) {
    int done = 1;
    if (slots[index]->request != MPI_REQUEST_NULL)
      mpi.Test(&slots[index]->request, &done, MPI_STATUS_IGNORE);
    if (done) found = slots[index];
    else waiting += slots[index]->to == to;
  }
  /* A rank that takes nothing is not sent more and more. */
  if (waiting >= 8) return NULL;
  if (found) return found;
  slot **more = realloc(slots, (size_t)(slot_count + 1) * sizeof *slots);
  if (!more) return NULL;
  slots = more;
  slots[slot_count] = malloc(sizeof **slots);
  if (!slots[slot_count]) return NULL;
  slots[slot_count]->request = MPI_REQUEST_NULL;
  return slots[slot_count++];
}

static int om_post(const void *bytes, size_t count, int to) {
  slot *place = count <= om_mpi_post_room ? free_slot(to) : NULL;
  if (!place) return 1;
  memcpy(place->bytes, bytes, count);
  place->to = to;
  return mpi.Isend(place->bytes, (int)count, MPI_BYTE, to, post_tag, MPI_COMM_WORLD,
                   &place->request) != MPI_SUCCESS;
}

static int om_poll(void *bytes, int *from) {
  int there = 0, count = 0;
  MPI_Status status;
  if (mpi.Iprobe(MPI_ANY_SOURCE, post_tag, MPI_COMM_WORLD, &there, &status) != MPI_SUCCESS ||
      !there)
    return -1;
  *from = status.MPI_SOURCE;
  if (mpi.Recv(bytes, om_mpi_post_room, MPI_BYTE, *from, post_tag, MPI_COMM_WORLD, &status) !=
          MPI_SUCCESS ||
      mpi.Get_count(&status, MPI_BYTE, &count) != MPI_SUCCESS)
    return -1;
  return count;
}

static void om_finalize(void) { mpi.Finalize(); }

static void om_abort(int code) { mpi.Abort(MPI_COMM_WORLD, code); }

const struct om_mpi_calls OM_MPI_CALLS = {
  .find = om_find,
  .init = om_init,
  .rank = om_rank,
  .size = om_size,
  .send = om_send,
  .probe = om_probe,
  .receive = om_receive,
  .exchange_counts = om_exchange_counts,
  .exchange = om_exchange,
  .broadcast = om_broadcast,
  .gather_all = om_gather_all,
  .post = om_post,
  .poll = om_poll,
  .finalize = om_finalize,
  .abort = om_abort,
};
