#include "cmpi.h"

#ifndef OM_WITH_MPI

int om_mpi_available(void) { return 0; }
int om_mpi_init(void) { return 1; }
int om_mpi_rank(void) { return 0; }
int om_mpi_size(void) { return 1; }
int om_mpi_send(const void *bytes, size_t count, int to, int tag) {
  (void)bytes; (void)count; (void)to; (void)tag;
  return 1;
}
int om_mpi_exchange(const void *const *out, const size_t *out_counts, void *const *in,
                    const size_t *in_counts) {
  (void)out; (void)out_counts; (void)in; (void)in_counts;
  return 1;
}
int om_mpi_exchange_counts(const size_t *out, size_t *in) {
  (void)out; (void)in;
  return 1;
}
int om_mpi_gather_all(const void *bytes, const size_t *counts, void *all) {
  (void)bytes; (void)counts; (void)all;
  return 1;
}
int om_mpi_probe(int from, int tag, size_t *count) {
  (void)from; (void)tag; (void)count;
  return 1;
}
int om_mpi_receive(void *bytes, size_t count, int from, int tag) {
  (void)bytes; (void)count; (void)from; (void)tag;
  return 1;
}
int om_mpi_broadcast(void *bytes, size_t count) {
  (void)bytes; (void)count;
  return 1;
}
void om_mpi_set_service(void (*service)(void *), void *context) {
  (void)service; (void)context;
}
int om_mpi_post(const void *bytes, size_t count, int to) {
  (void)bytes; (void)count; (void)to;
  return 1;
}
int om_mpi_poll(void *bytes, int *from) {
  (void)bytes; (void)from;
  return -1;
}
void om_mpi_finalize(void) {}
void om_mpi_abort(int code) { (void)code; }

#else

#include <mpi.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* One message of MPI counts with int: larger ones go in parts of this many bytes. */
static const size_t part = (size_t)1 << 30;

static void (*serve)(void *);
static void *serve_context;

void om_mpi_set_service(void (*service)(void *), void *context) {
  serve = service;
  serve_context = context;
}

static void nap(int round) {
  /* The first rounds only yield: most messages are there at once. Who has waited for seconds waits
     for somebody's work, and takes longer naps. */
  struct timespec pause = {
      0, round < 50 ? 2000 : round < 200 ? 50000 : round < 4000 ? 500000 : 2000000};
  nanosleep(&pause, NULL);
  if (serve && round >= 200 && round % (round < 4000 ? 64 : 16) == 0) serve(serve_context);
}

static int wait_all(MPI_Request *requests, int count) {
  int done = 0;
  for (int round = 0;; round++) {
    if (MPI_Testall(count, requests, &done, MPI_STATUSES_IGNORE) != MPI_SUCCESS) return 1;
    if (done) return 0;
    nap(round);
  }
}

static int parts_of(size_t count) { return count == 0 ? 1 : (int)((count + part - 1) / part); }

static int start_send(const char *bytes, size_t count, int to, int tag, MPI_Request *requests) {
  for (int index = 0; index < parts_of(count); index++) {
    size_t rest = count - (size_t)index * part;
    int size = (int)(rest < part ? rest : part);
    if (MPI_Isend(bytes + (size_t)index * part, size, MPI_BYTE, to, tag, MPI_COMM_WORLD,
                  requests + index) != MPI_SUCCESS)
      return 1;
  }
  return 0;
}

static int start_receive(char *bytes, size_t count, int from, int tag, MPI_Request *requests) {
  for (int index = 0; index < parts_of(count); index++) {
    size_t rest = count - (size_t)index * part;
    int size = (int)(rest < part ? rest : part);
    if (MPI_Irecv(bytes + (size_t)index * part, size, MPI_BYTE, from, tag, MPI_COMM_WORLD,
                  requests + index) != MPI_SUCCESS)
      return 1;
  }
  return 0;
}

int om_mpi_available(void) { return 1; }

int om_mpi_init(void) {
  int provided = 0;
  return MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS ||
         provided < MPI_THREAD_FUNNELED;
}

int om_mpi_rank(void) {
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return rank;
}

int om_mpi_size(void) {
  int size = 1;
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  return size;
}

/* A message begins with its size, so that the receiver can make room. */
int om_mpi_send(const void *bytes, size_t count, int to, int tag) {
  int parts = parts_of(count);
  MPI_Request *requests = malloc((size_t)(parts + 1) * sizeof *requests);
  if (!requests) return 1;
  int failed = MPI_Isend(&count, sizeof count, MPI_BYTE, to, tag, MPI_COMM_WORLD, requests) !=
                   MPI_SUCCESS ||
               start_send(bytes, count, to, tag, requests + 1) || wait_all(requests, parts + 1);
  free(requests);
  return failed;
}

int om_mpi_probe(int from, int tag, size_t *count) {
  MPI_Request request;
  return MPI_Irecv(count, sizeof *count, MPI_BYTE, from, tag, MPI_COMM_WORLD, &request) !=
             MPI_SUCCESS ||
         wait_all(&request, 1);
}

int om_mpi_receive(void *bytes, size_t count, int from, int tag) {
  int parts = parts_of(count);
  MPI_Request *requests = malloc((size_t)parts * sizeof *requests);
  if (!requests) return 1;
  int failed = start_receive(bytes, count, from, tag, requests) || wait_all(requests, parts);
  free(requests);
  return failed;
}

int om_mpi_exchange_counts(const size_t *out, size_t *in) {
  MPI_Request request;
  return MPI_Ialltoall(out, sizeof(size_t), MPI_BYTE, in, sizeof(size_t), MPI_BYTE, MPI_COMM_WORLD,
                       &request) != MPI_SUCCESS ||
         wait_all(&request, 1);
}

int om_mpi_exchange(const void *const *out, const size_t *out_counts, void *const *in,
                    const size_t *in_counts) {
  const int tag = 1;
  int size = om_mpi_size();
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
    if (MPI_Ibcast(place, size, MPI_BYTE, root, MPI_COMM_WORLD, &request) != MPI_SUCCESS ||
        wait_all(&request, 1))
      return 1;
    place += size;
    count -= (size_t)size;
  }
  return 0;
}

int om_mpi_broadcast(void *bytes, size_t count) { return broadcast_from(bytes, count, 0); }

/* MPI counts and places with int: what is larger goes rank by rank. */
int om_mpi_gather_all(const void *bytes, const size_t *counts, void *all) {
  int size = om_mpi_size(), rank = om_mpi_rank(), failed = 0;
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
  failed = MPI_Iallgatherv(bytes, sizes[rank], MPI_BYTE, all, sizes, offsets, MPI_BYTE,
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
      MPI_Test(&slots[index]->request, &done, MPI_STATUS_IGNORE);
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

int om_mpi_post(const void *bytes, size_t count, int to) {
  slot *place = count <= om_mpi_post_room ? free_slot(to) : NULL;
  if (!place) return 1;
  memcpy(place->bytes, bytes, count);
  place->to = to;
  return MPI_Isend(place->bytes, (int)count, MPI_BYTE, to, post_tag, MPI_COMM_WORLD,
                   &place->request) != MPI_SUCCESS;
}

int om_mpi_poll(void *bytes, int *from) {
  int there = 0, count = 0;
  MPI_Status status;
  if (MPI_Iprobe(MPI_ANY_SOURCE, post_tag, MPI_COMM_WORLD, &there, &status) != MPI_SUCCESS ||
      !there)
    return -1;
  *from = status.MPI_SOURCE;
  if (MPI_Recv(bytes, om_mpi_post_room, MPI_BYTE, *from, post_tag, MPI_COMM_WORLD, &status) !=
          MPI_SUCCESS ||
      MPI_Get_count(&status, MPI_BYTE, &count) != MPI_SUCCESS)
    return -1;
  return count;
}

void om_mpi_finalize(void) { MPI_Finalize(); }

void om_mpi_abort(int code) { MPI_Abort(MPI_COMM_WORLD, code); }

#endif
