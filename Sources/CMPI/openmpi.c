/* Open MPI 4 and 5 (libmpi.so.40): handles are addresses. */

typedef struct ompi_communicator_t *MPI_Comm;
typedef struct ompi_datatype_t *MPI_Datatype;
typedef struct ompi_request_t *MPI_Request;
typedef struct {
  int MPI_SOURCE, MPI_TAG, MPI_ERROR;
  int cancelled;
  __SIZE_TYPE__ count;
} MPI_Status;

static void *world, *byte, *no_request;
#define MPI_COMM_WORLD ((MPI_Comm)world)
#define MPI_BYTE ((MPI_Datatype)byte)
#define MPI_REQUEST_NULL ((MPI_Request)no_request)
#define MPI_STATUS_IGNORE ((MPI_Status *)0)
#define MPI_STATUSES_IGNORE ((MPI_Status *)0)
#define MPI_ANY_SOURCE (-1)
#define OM_MPI_CALLS om_open_mpi

static int find_values(void *library, const char **missing);

#include "ranks.h"

static int find_values(void *library, const char **missing) {
  const struct {
    const char *name;
    void **place;
  } values[] = {
      {"ompi_mpi_comm_world", &world},
      {"ompi_mpi_byte", &byte},
      {"ompi_request_null", &no_request},
  };
  for (int index = 0; index < 3; index++) {
    *missing = values[index].name;
    *values[index].place = dlsym(library, values[index].name);
    if (!*values[index].place) return 1;
  }
  return 0;
}
