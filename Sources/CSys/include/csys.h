// GNU and Linux calls that Glibc's overlay hides from Swift.
//
// Functions that can fail return -1 and leave the reason in errno, as the calls they wrap.
#ifndef CSYS_H
#define CSYS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// Flags of om_renameat2.
enum { om_rename_noreplace = 1, om_rename_exchange = 2 };

// Flag of om_open_beneath: a handle for fstat that needs no permission to read.
enum { om_open_path = 010000000 };

// Renames; -1 with ENOSYS or EINVAL where the kernel or the file system lacks the flag.
int om_renameat2(int old_folder, const char *old_name, int new_folder, const char *new_name,
                 unsigned flags);

// What om_open_beneath does about links anywhere on the path.
enum { om_follow_links = 0, om_refuse_links = 1 };

// Opens what exists below `folder` (openat2 with RESOLVE_BENEATH). EXDEV: a link that is followed
// leaves the folder or is absolute. ELOOP: a link was refused, or links form a ring.
// ENOSYS: the kernel is older than 5.6 or a sandbox forbids the call.
int om_open_beneath(int folder, const char *path, int flags, int links);

// Waits until all that was written to the file system of an open file or folder is on its disk.
int om_sync_disk(int file);

// The magic number of the file system of something that exists (statfs); -1 when it cannot be known.
long long om_file_system_magic(const char *path);

// Locks all of a file for writing, without waiting, in a way that holds between two descriptors of one
// process (fcntl with F_OFD_SETLK).
int om_lock_file(int file);

// Reads the next entries of an open folder (getdents64) and returns their bytes, 0 at the end.
ssize_t om_read_entries(int folder, void *buffer, size_t size);

// Lets malloc keep freed blocks for the next call. Codecs ask for working memory and free it for
// every chunk; otherwise the kernel takes its pages back and clears new ones each time. The limits
// are those to which malloc raises its own when large blocks are freed. What one thread frees serves all
// others: no more threads have memory of their own than can run at once, since the many that wait for
// servers would each keep what they once received.
void om_keep_freed_memory(void);

// Makes a piece of whole pages larger and keeps its content, which is moved by the page table and never
// copied; `old` is NULL for a new one. NULL when there is no memory; then the old one is as it was.
void *om_grow_pages(void *old, size_t old_size, size_t size);

// Gives such a piece back to the kernel.
void om_free_pages(void *pages, size_t size);

// CPUs this process may run on, at least 1.
int om_affinity_count(void);

// CRC-32C (Castagnoli) of `count` bytes; `previous` is 0 or the result for the bytes before them.
uint32_t om_crc32c(uint32_t previous, const void *bytes, size_t count);

// The same without the CPU's instruction, for machines that lack it and for tests.
uint32_t om_crc32c_portable(uint32_t previous, const void *bytes, size_t count);

#endif
