/* Tells ThreadSanitizer of Swift's Mutex.
 *
 * A Mutex that nobody holds is taken in code of ours, which the sanitizer sees; one that is held is
 * taken and given back in libswiftSynchronization, which is not instrumented, so that everything a
 * contended Mutex protects would look like a race. Preloaded, these two stand before the library's
 * (Swift 6.3, Linux).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>

#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"
#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *self

/* Absent in programs without the sanitizer, which get this library preloaded too. */
extern void __tsan_acquire(void *) __attribute__((weak));
extern void __tsan_release(void *) __attribute__((weak));

typedef SWIFT void (*lock_function)(uint32_t, SELF);
typedef SWIFT void (*unlock_function)(SELF);

SWIFT void om_lock(uint32_t thread, SELF) __asm__(LOCK);
SWIFT void om_unlock(SELF) __asm__(UNLOCK);

SWIFT void om_lock(uint32_t thread, SELF) {
  ((lock_function)dlsym(RTLD_NEXT, LOCK))(thread, self);
  if (__tsan_acquire) __tsan_acquire(self);
}

SWIFT void om_unlock(SELF) {
  if (__tsan_release) __tsan_release(self);
  ((unlock_function)dlsym(RTLD_NEXT, UNLOCK))(self);
}
