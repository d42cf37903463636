#include "csys.h"

#include <pthread.h>
#include <string.h>

static uint32_t table[256];
static pthread_once_t table_once = PTHREAD_ONCE_INIT;

static void fill_table(void) {
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t remainder = byte;
    for (int bit = 0; bit < 8; bit++)
      remainder = remainder >> 1 ^ (remainder & 1 ? 0x82F63B78u : 0);
    table[byte] = remainder;
  }
}

uint32_t om_crc32c_portable(uint32_t previous, const void *bytes, size_t count) {
  pthread_once(&table_once, fill_table);
  const unsigned char *next = bytes;
  uint32_t state = ~previous;
  while (count-- > 0) state = state >> 8 ^ table[(state ^ *next++) & 0xFF];
  return ~state;
}

#if defined(__x86_64__)
#include <nmmintrin.h>

__attribute__((target("sse4.2"))) static uint32_t crc32c_sse42(uint32_t previous,
                                                               const void *bytes, size_t count) {
  const unsigned char *next = bytes;
  uint64_t state = ~previous;
  for (; count >= 8; count -= 8, next += 8) {
    uint64_t word;
    memcpy(&word, next, 8);
    state = _mm_crc32_u64(state, word);
  }
  uint32_t rest = (uint32_t)state;
  while (count-- > 0) rest = _mm_crc32_u8(rest, *next++);
  return ~rest;
}

uint32_t om_crc32c(uint32_t previous, const void *bytes, size_t count) {
  if (__builtin_cpu_supports("sse4.2")) return crc32c_sse42(previous, bytes, count);
  return om_crc32c_portable(previous, bytes, count);
}
#else
uint32_t om_crc32c(uint32_t previous, const void *bytes, size_t count) {
  return om_crc32c_portable(previous, bytes, count);
}
#endif
