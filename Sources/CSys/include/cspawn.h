// Starting other programs, in ways that posix_spawn does not know.
#ifndef CSPAWN_H
#define CSPAWN_H

#include <stddef.h>
#include <sys/types.h>

// Starts a program in a process group of its own. It gets the descriptors of `files` as 0, 1, 2, …
// and no others, default signals, and is killed when this process ends, however it ends.
//
// The numbers in `files` must be larger than their count. Any thread; returns the number of the
// process, or -1 with the reason in errno when it cannot be started.
pid_t om_spawn(const char *path, char *const argv[], char *const environment[], const int *files,
               int file_count);

// A nameless file in memory; -1 with the reason in errno.
int om_memory_file(const char *name);

// A pipe whose ends no child inherits: ends[0] is read, ends[1] is written.
int om_pipe(int ends[2]);

// Whether a process of ours has ended, without forgetting it: 1 when it has, with its exit code or
// minus the number of its signal in `status`; 0 when it has not; -1 when it cannot be known.
int om_has_ended(pid_t process, int *status);

#endif
