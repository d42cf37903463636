/* What the program takes from a glibc newer than 2.34, so that it runs with 2.34 too. */
#include <math.h>
#include <stdint.h>
#include <sys/random.h>

/* Since 2.35 under a version of its own; the result is the same. */
float hypotf(float x, float y) {
  if (isinf(x) || isinf(y)) return INFINITY;
  return (float)sqrt((double)x * x + (double)y * y);
}

/* Since 2.36; libstdc++ seeds its random numbers with it, which nothing here uses. */
uint32_t arc4random(void) {
  uint32_t number = 0;
  while (getrandom(&number, sizeof number, 0) != sizeof number) continue;
  return number;
}
