/* Logs files that are opened for writing or renamed, in strace's form: for machines without strace.
 *
 *   OPENS_LOG=FILE LD_PRELOAD=opens.so PROGRAM
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void path_of(int fd, char *path) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, PATH_MAX - 1);
  path[length > 0 ? length : 0] = 0;
}

static void say(const char *line) {
  const char *log = getenv("OPENS_LOG");
  FILE *file = log ? fopen(log, "a") : NULL;
  if (!file) return;
  fputs(line, file);
  fclose(file);
}

static int told(int fd, int flags) {
  if (fd >= 0 && (flags & O_ACCMODE) != O_RDONLY) {
    char path[PATH_MAX], line[PATH_MAX + 64];
    path_of(fd, path);
    snprintf(line, sizeof line, "openat(O_WRONLY) = %d<%s>\n", fd, path);
    say(line);
  }
  return fd;
}

static int moved(int result, int folder, const char *name) {
  if (result == 0) {
    char path[PATH_MAX] = "/", line[3 * PATH_MAX];
    if (folder == AT_FDCWD) {
      if (!getcwd(path, sizeof path)) return result;
    } else {
      path_of(folder, path);
    }
    snprintf(line, sizeof line, "rename(\"\", %d<%s>, \"%s\") = 0\n", folder, path, name);
    say(line);
  }
  return result;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define MODE(flags, mode)                        \
  mode_t mode = 0;                               \
  if ((flags) & (O_CREAT | O_TMPFILE)) {         \
    va_list rest;                                \
    va_start(rest, flags);                       \
    mode = va_arg(rest, mode_t);                 \
    va_end(rest);                                \
  }

int open(const char *path, int flags, ...) {
  MODE(flags, mode)
  return told(NEXT(open)(path, flags, mode), flags);
}
int open64(const char *path, int flags, ...) {
  MODE(flags, mode)
  return told(NEXT(open64)(path, flags, mode), flags);
}
int openat(int folder, const char *path, int flags, ...) {
  MODE(flags, mode)
  return told(NEXT(openat)(folder, path, flags, mode), flags);
}
int openat64(int folder, const char *path, int flags, ...) {
  MODE(flags, mode)
  return told(NEXT(openat64)(folder, path, flags, mode), flags);
}
int rename(const char *from, const char *to) { return moved(NEXT(rename)(from, to), AT_FDCWD, to); }
int renameat(int from, const char *old, int to, const char *new_) {
  return moved(NEXT(renameat)(from, old, to, new_), to, new_);
}
int renameat2(int from, const char *old, int to, const char *new_, unsigned flags) {
  return moved(NEXT(renameat2)(from, old, to, new_, flags), to, new_);
}
