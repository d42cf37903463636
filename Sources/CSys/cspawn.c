#define _GNU_SOURCE
#include "cspawn.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// A child is killed when the thread that made it ends. So all are made by one thread, which lives
// as long as the process.
struct order {
  const char *path;
  char *const *argv, *const *environment;
  const int *files;
  int file_count;
  pid_t child;
  volatile int reason;
  int is_done;
};

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t moved = PTHREAD_COND_INITIALIZER;
static struct order *waiting;
static int is_begun;

static _Noreturn void become(struct order *order, pid_t parent) {
  struct sigaction usual = {0};
  usual.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; number++) sigaction(number, &usual, NULL);
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // Had the parent ended before that call, nobody would.
  if (getppid() == parent) {
    int failed = 0;
    for (int number = 0; number < order->file_count; number++)
      failed |= dup2(order->files[number], number) < 0;
    // Libraries open files that programs inherit. Kernels before 5.9 lack the call.
    syscall(436 /* close_range */, (unsigned)order->file_count, ~0u, 0);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (!failed) execve(order->path, order->argv, order->environment);
  }
  order->reason = errno;
  _exit(127);
}

static void start(struct order *order) {
  pid_t parent = getpid();
  order->reason = 0;
  // The child borrows this memory until it is another program, so nothing is copied.
  order->child = vfork();
  if (order->child == 0) become(order, parent);
  if (order->child < 0) {
    order->reason = errno;
  } else if (order->reason != 0) {
    while (waitpid(order->child, NULL, 0) < 0 && errno == EINTR) {}
    order->child = -1;
  }
}

static void *make_children(void *nothing) {
  (void)nothing;
  pthread_mutex_lock(&gate);
  for (;;) {
    while (waiting == NULL) pthread_cond_wait(&moved, &gate);
    struct order *order = waiting;
    waiting = NULL;
    start(order);
    order->is_done = 1;
    pthread_cond_broadcast(&moved);
  }
  return NULL;
}

static int begin(void) {
  if (is_begun) return 0;
  pthread_t thread;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int failed = pthread_create(&thread, NULL, make_children, NULL);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (failed) return failed;
  pthread_detach(thread);
  is_begun = 1;
  return 0;
}

pid_t om_spawn(const char *path, char *const argv[], char *const environment[], const int *files,
               int file_count) {
  struct order order = {path, argv, environment, files, file_count, -1, 0, 0};
  pthread_mutex_lock(&gate);
  int failed = begin();
  if (failed) {
    order.reason = failed;
  } else {
    while (waiting != NULL) pthread_cond_wait(&moved, &gate);
    waiting = &order;
    pthread_cond_broadcast(&moved);
    while (!order.is_done) pthread_cond_wait(&moved, &gate);
  }
  pthread_mutex_unlock(&gate);
  errno = order.reason;
  return order.child;
}

int om_memory_file(const char *name) { return memfd_create(name, MFD_CLOEXEC); }

int om_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

int om_has_ended(pid_t process, int *status) {
  siginfo_t facts = {0};
  if (waitid(P_PID, (id_t)process, &facts, WEXITED | WNOHANG | WNOWAIT) < 0) return -1;
  if (facts.si_pid == 0) return 0;
  *status = facts.si_code == CLD_EXITED ? facts.si_status : -facts.si_status;
  return 1;
}
