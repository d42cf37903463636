// TIFF files through libtiff, which is loaded when the first one is opened.
//
// Nothing of tiffio.h is visible here. A file belongs to one thread at a time. Bytes are read by a
// function of the caller, so a file may lie anywhere.
#ifndef CTIFF_H
#define CTIFF_H

#include <stddef.h>
#include <stdint.h>

// Loads libtiff once; 0 when it is there. Otherwise *reason says why it is not.
int om_tiff_load(const char **reason);

// Fills a buffer with the bytes at a place; anything but 0 says that this did not work.
typedef int (*om_tiff_source)(void *context, uint64_t at, void *buffer, size_t count);

// Opens a file at its first page; NULL when libtiff does not take it, and `text` says why. One allocation
// of libtiff may have `most` bytes.
void *om_tiff_open(const char *name, void *context, uint64_t size, om_tiff_source source, int64_t most,
                   char *text, size_t text_size);
void om_tiff_close(void *file);

// What libtiff said of the last call that did not work; empty when it said nothing.
const char *om_tiff_problem(void *file);

// Whether the page is the last one.
int om_tiff_is_last(void *file);
// Goes on to the next page; 0 when there is none that can be read.
int om_tiff_next(void *file);
// Goes to the page whose directory lies at an offset; 0 when there is none.
int om_tiff_go(void *file, uint64_t directory);

// What the tags of a page say.
struct om_tiff_page {
  // Where its directory lies in the file.
  uint64_t directory;
  uint32_t width, height;
  // 0 for a page of strips.
  uint32_t tile_width, tile_height;
  // Of a page of strips, at most its height.
  uint32_t rows_per_strip;
  uint16_t bits, samples, format;
  // 1 for samples side by side, 2 for a plane of each.
  uint16_t planar;
  uint16_t compression, photometric;
  uint32_t subfile;
  // 1 where the bits of a byte come in the usual order.
  uint16_t fill_order;
  uint16_t depth;
  double x_resolution, y_resolution;
  // Whether numbers of several bytes have them in the other order than this machine.
  int is_swapped;
  // Whether this libtiff can decode it.
  int is_decodable;
  // The first tag of a format of its own that needs another reader; 0 without any.
  uint32_t foreign;
};

// 0 when a tag that every page has is missing.
int om_tiff_page(void *file, struct om_tiff_page *page);

// The ImageDescription of the page; NULL without one.
const char *om_tiff_description(void *file);

// The bytes of a decoded tile or strip, the last strip too.
uint64_t om_tiff_part_size(void *file, uint32_t part);
// Decodes a tile or a strip into a buffer of exactly that size; 0 when it worked.
int om_tiff_read_part(void *file, uint32_t part, void *buffer, uint64_t size);
// Where a strip lies in the file, and its bytes there.
uint64_t om_tiff_offset(void *file, uint32_t part);
uint64_t om_tiff_byte_count(void *file, uint32_t part);

#endif
