#define _GNU_SOURCE
#include "csys.h"

#include <errno.h>
#include <malloc.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

_Static_assert(om_open_path == O_PATH, "Swift sees the value of this machine");
_Static_assert(om_rename_noreplace == RENAME_NOREPLACE, "Swift sees the value of this machine");
_Static_assert(om_rename_exchange == RENAME_EXCHANGE, "Swift sees the value of this machine");

int om_renameat2(int old_folder, const char *old_name, int new_folder, const char *new_name,
                 unsigned flags) {
  return renameat2(old_folder, old_name, new_folder, new_name, flags);
}

int om_open_beneath(int folder, const char *path, int flags, int links) {
  // <linux/openat2.h> is missing from older headers; the structure is part of the kernel's ABI.
  struct {
    uint64_t flags, mode, resolve;
  } how = {(uint64_t)(unsigned)(flags | O_CLOEXEC), 0, 0x08 /* RESOLVE_BENEATH */};
  if (links == om_refuse_links) how.resolve |= 0x04 /* RESOLVE_NO_SYMLINKS */;
  return (int)syscall(437 /* openat2 */, folder, path, &how, sizeof how);
}

int om_sync_disk(int file) { return syncfs(file); }

long long om_file_system_magic(const char *path) {
  struct statfs facts;
  return statfs(path, &facts) == 0 ? (long long)(uint32_t)facts.f_type : -1;
}

int om_lock_file(int file) {
  struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  return fcntl(file, F_OFD_SETLK, &all);
}

ssize_t om_read_entries(int folder, void *buffer, size_t size) {
  return syscall(SYS_getdents64, folder, buffer, size);
}

void om_keep_freed_memory(void) {
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
  if (getenv("MALLOC_ARENA_MAX") == NULL) mallopt(M_ARENA_MAX, om_affinity_count() + 1);
}

void *om_grow_pages(void *old, size_t old_size, size_t size) {
  void *pages = old == NULL ? mmap(NULL, size, PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                            : mremap(old, old_size, size, MREMAP_MAYMOVE);
  return pages == MAP_FAILED ? NULL : pages;
}

void om_free_pages(void *pages, size_t size) { munmap(pages, size); }

int om_affinity_count(void) {
  // The kernel refuses a set that is smaller than its own, so grow it until it fits.
  for (int cpus = 1024; cpus <= 1 << 20; cpus *= 2) {
    cpu_set_t *set = CPU_ALLOC(cpus);
    if (set == NULL) return 1;
    size_t size = CPU_ALLOC_SIZE(cpus);
    int status = sched_getaffinity(0, size, set);
    int reason = errno;
    int count = status == 0 ? CPU_COUNT_S(size, set) : 0;
    CPU_FREE(set);
    if (status == 0) return count > 0 ? count : 1;
    if (reason != EINVAL) return 1;
  }
  return 1;
}
