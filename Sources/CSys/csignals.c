#define _GNU_SOURCE
#include "csignals.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static atomic_int ending_signal, notice_signal, wake_descriptor = -1, last_code;
static atomic_llong ending_time;

static long long milliseconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void om_wake(void) {
  const uint64_t one = 1;
  int before = errno;
  // A counter that is full has woken its reader already.
  if (write(atomic_load(&wake_descriptor), &one, sizeof one) < 0) errno = before;
}

static void take_notice(int number) {
  int none = 0;
  atomic_compare_exchange_strong(&notice_signal, &none, number);
  om_wake();
}

static void take_ending(int number) {
  int none = 0;
  long long now = milliseconds_now();
  if (atomic_compare_exchange_strong(&ending_signal, &none, number)) {
    atomic_store(&ending_time, now);
  } else {
    // `timeout` and launchers send the same signal to the process and to its group.
    long long first = atomic_load(&ending_time);
    if (first != 0 && now - first > 100) _exit(128 + number);
  }
  om_wake();
}

static int listen_to(int number, void (*handler)(int), int keeps_ignored) {
  struct sigaction action = {0}, before;
  if (keeps_ignored && sigaction(number, NULL, &before) == 0 && before.sa_handler == SIG_IGN)
    return 0;
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  return sigaction(number, &action, NULL);
}

int om_listen_to_signals(void) {
  if (atomic_load(&wake_descriptor) < 0) {
    int descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (descriptor < 0) return -1;
    atomic_store(&wake_descriptor, descriptor);
  }
  return listen_to(SIGUSR1, take_notice, 0) | listen_to(SIGUSR2, take_notice, 0) |
         listen_to(SIGTERM, take_ending, 0) | listen_to(SIGINT, take_ending, 1) |
         listen_to(SIGHUP, take_ending, 1);
}

void om_wait_for_signal(int milliseconds) {
  struct pollfd entry = {atomic_load(&wake_descriptor), POLLIN, 0};
  uint64_t count;
  if (poll(&entry, 1, milliseconds) > 0 && read(entry.fd, &count, sizeof count) < 0) errno = 0;
}

int om_ending_signal(void) { return atomic_load(&ending_signal); }

int om_notice_signal(void) { return atomic_load(&notice_signal); }

static void end_now(int number) {
  (void)number;
  _exit(atomic_load(&last_code));
}

void om_end_after(int milliseconds, int code) {
  struct sigaction action = {0};
  struct itimerval time = {{0, 0}, {milliseconds / 1000, milliseconds % 1000 * 1000}};
  atomic_store(&last_code, code);
  action.sa_handler = end_now;
  sigemptyset(&action.sa_mask);
  sigaction(SIGALRM, &action, NULL);
  setitimer(ITIMER_REAL, &time, NULL);
}

void om_fill_standard_descriptors(void) {
  for (int descriptor = 0; descriptor <= 2; descriptor++)
    if (fcntl(descriptor, F_GETFD) < 0 && errno == EBADF) {
      // The lowest free number is this one. Using it stays an error, as it was.
      if (open("/dev/null", descriptor == 0 ? O_WRONLY : O_RDONLY) < 0) return;
    }
}
