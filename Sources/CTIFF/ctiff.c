#include "ctiff.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>

// The functions of libtiff that are used. Linking would load a dozen libraries at every start.
static struct {
  TIFF *(*client_open)(const char *, const char *, thandle_t, TIFFReadWriteProc, TIFFReadWriteProc,
                       TIFFSeekProc, TIFFCloseProc, TIFFSizeProc, TIFFMapFileProc, TIFFUnmapFileProc);
  void (*close)(TIFF *);
  TIFFErrorHandler (*set_error_handler)(TIFFErrorHandler);
  TIFFErrorHandlerExt (*set_error_handler_ext)(TIFFErrorHandlerExt);
  TIFFErrorHandler (*set_warning_handler)(TIFFErrorHandler);
  int (*last_directory)(TIFF *);
  int (*read_directory)(TIFF *);
  int (*set_sub_directory)(TIFF *, uint64_t);
  uint64_t (*current_dir_offset)(TIFF *);
  int (*get_field)(TIFF *, uint32_t, ...);
  int (*get_field_defaulted)(TIFF *, uint32_t, ...);
  int (*set_field)(TIFF *, uint32_t, ...);
  int (*tag_list_count)(TIFF *);
  uint32_t (*tag_list_entry)(TIFF *, int);
  int (*is_tiled)(TIFF *);
  int (*is_byte_swapped)(TIFF *);
  int (*is_codec_configured)(uint16_t);
  uint64_t (*tile_size)(TIFF *);
  uint64_t (*v_strip_size)(TIFF *, uint32_t);
  uint32_t (*number_of_strips)(TIFF *);
  uint32_t (*number_of_tiles)(TIFF *);
  tmsize_t (*read_encoded_tile)(TIFF *, uint32_t, void *, tmsize_t);
  tmsize_t (*read_encoded_strip)(TIFF *, uint32_t, void *, tmsize_t);
  uint64_t (*strile_offset)(TIFF *, uint32_t);
  uint64_t (*strile_byte_count)(TIFF *, uint32_t);
  // since 4.5; NULL before
  void *(*options_new)(void);
  void (*options_free)(void *);
  void (*options_limit)(void *, tmsize_t);
  TIFF *(*client_open_ext)(const char *, const char *, thandle_t, TIFFReadWriteProc,
                           TIFFReadWriteProc, TIFFSeekProc, TIFFCloseProc, TIFFSizeProc,
                           TIFFMapFileProc, TIFFUnmapFileProc, void *);
} tiff;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char problem[256];

struct file {
  TIFF *tiff;
  void *context;
  om_tiff_source source;
  uint64_t size;
  uint64_t position;
  char text[400];
};

static int find(void *library, void *function, const char *name) {
  void *found = dlsym(library, name);
  if (found == NULL) snprintf(problem, sizeof problem, "libtiff has no function %s", name);
  // ISO C has no cast from an object to a function.
  memcpy(function, &found, sizeof found);
  return found != NULL;
}

// Errors belong to the file that is read; the first one says most.
static void note(thandle_t handle, const char *module, const char *format, va_list arguments) {
  struct file *file = (struct file *)handle;
  (void)module;
  if (file == NULL || file->text[0] != 0) return;
  vsnprintf(file->text, sizeof file->text, format, arguments);
}

static void load(void) {
  void *library = dlopen("libtiff.so.6", RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) {
    const char *reason = dlerror();
    snprintf(problem, sizeof problem, "%s", reason == NULL ? "it cannot be loaded" : reason);
    // Releases before 4.5 carry another number.
    library = dlopen("libtiff.so.5", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) return;
    problem[0] = 0;
  }
  int found = find(library, &tiff.client_open, "TIFFClientOpen") &&
              find(library, &tiff.close, "TIFFClose") &&
              find(library, &tiff.set_error_handler, "TIFFSetErrorHandler") &&
              find(library, &tiff.set_error_handler_ext, "TIFFSetErrorHandlerExt") &&
              find(library, &tiff.set_warning_handler, "TIFFSetWarningHandler") &&
              find(library, &tiff.last_directory, "TIFFLastDirectory") &&
              find(library, &tiff.read_directory, "TIFFReadDirectory") &&
              find(library, &tiff.set_sub_directory, "TIFFSetSubDirectory") &&
              find(library, &tiff.current_dir_offset, "TIFFCurrentDirOffset") &&
              find(library, &tiff.get_field, "TIFFGetField") &&
              find(library, &tiff.get_field_defaulted, "TIFFGetFieldDefaulted") &&
              find(library, &tiff.set_field, "TIFFSetField") &&
              find(library, &tiff.tag_list_count, "TIFFGetTagListCount") &&
              find(library, &tiff.tag_list_entry, "TIFFGetTagListEntry") &&
              find(library, &tiff.is_tiled, "TIFFIsTiled") &&
              find(library, &tiff.is_byte_swapped, "TIFFIsByteSwapped") &&
              find(library, &tiff.is_codec_configured, "TIFFIsCODECConfigured") &&
              find(library, &tiff.tile_size, "TIFFTileSize64") &&
              find(library, &tiff.v_strip_size, "TIFFVStripSize64") &&
              find(library, &tiff.number_of_strips, "TIFFNumberOfStrips") &&
              find(library, &tiff.number_of_tiles, "TIFFNumberOfTiles") &&
              find(library, &tiff.read_encoded_tile, "TIFFReadEncodedTile") &&
              find(library, &tiff.read_encoded_strip, "TIFFReadEncodedStrip") &&
              find(library, &tiff.strile_offset, "TIFFGetStrileOffset") &&
              find(library, &tiff.strile_byte_count, "TIFFGetStrileByteCount");
  if (!found) return;
  int limits = find(library, &tiff.options_new, "TIFFOpenOptionsAlloc") &&
               find(library, &tiff.options_free, "TIFFOpenOptionsFree") &&
               find(library, &tiff.options_limit, "TIFFOpenOptionsSetMaxSingleMemAlloc") &&
               find(library, &tiff.client_open_ext, "TIFFClientOpenExt");
  if (!limits) tiff.client_open_ext = NULL;
  problem[0] = 0;
  tiff.set_error_handler(NULL);
  tiff.set_warning_handler(NULL);
  tiff.set_error_handler_ext(note);
}

int om_tiff_load(const char **reason) {
  pthread_once(&once, load);
  *reason = problem;
  return problem[0] == 0 ? 0 : -1;
}

static tmsize_t read_bytes(thandle_t handle, void *buffer, tmsize_t count) {
  struct file *file = (struct file *)handle;
  if (count <= 0 || file->position >= file->size) return 0;
  uint64_t rest = file->size - file->position;
  size_t wanted = (uint64_t)count < rest ? (size_t)count : (size_t)rest;
  if (file->source(file->context, file->position, buffer, wanted) != 0) return -1;
  file->position += wanted;
  return (tmsize_t)wanted;
}

static tmsize_t write_bytes(thandle_t handle, void *buffer, tmsize_t count) {
  (void)handle, (void)buffer, (void)count;
  return -1;
}

static toff_t seek_bytes(thandle_t handle, toff_t offset, int from) {
  struct file *file = (struct file *)handle;
  switch (from) {
  case SEEK_SET: file->position = offset; break;
  case SEEK_CUR: file->position += offset; break;
  default: file->position = file->size + offset;
  }
  return file->position;
}

static int close_bytes(thandle_t handle) {
  (void)handle;
  return 0;
}

static toff_t size_bytes(thandle_t handle) { return ((struct file *)handle)->size; }

static int map_bytes(thandle_t handle, void **start, toff_t *size) {
  (void)handle, (void)start, (void)size;
  return 0;
}

static void unmap_bytes(thandle_t handle, void *start, toff_t size) {
  (void)handle, (void)start, (void)size;
}

void *om_tiff_open(const char *name, void *context, uint64_t size, om_tiff_source source, int64_t most,
                   char *text, size_t text_size) {
  struct file *file = calloc(1, sizeof *file);
  if (file == NULL) {
    snprintf(text, text_size, "no memory");
    return NULL;
  }
  file->context = context;
  file->source = source;
  file->size = size;
  // m: no memory map, which would crash where a file shrinks; c: strips as they are; D: where they
  // lie is read with the first one.
  const char *mode = "rmcD";
  if (tiff.client_open_ext != NULL) {
    void *options = tiff.options_new();
    if (options != NULL) {
      tiff.options_limit(options, (tmsize_t)most);
      file->tiff = tiff.client_open_ext(name, mode, file, read_bytes, write_bytes, seek_bytes,
                                        close_bytes, size_bytes, map_bytes, unmap_bytes, options);
      tiff.options_free(options);
    }
  } else {
    file->tiff = tiff.client_open(name, mode, file, read_bytes, write_bytes, seek_bytes, close_bytes,
                                  size_bytes, map_bytes, unmap_bytes);
  }
  if (file->tiff != NULL) return file;
  snprintf(text, text_size, "%s", file->text);
  free(file);
  return NULL;
}

void om_tiff_close(void *handle) {
  struct file *file = handle;
  tiff.close(file->tiff);
  free(file);
}

const char *om_tiff_problem(void *handle) { return ((struct file *)handle)->text; }

int om_tiff_is_last(void *handle) { return tiff.last_directory(((struct file *)handle)->tiff); }

int om_tiff_next(void *handle) {
  struct file *file = handle;
  file->text[0] = 0;
  return tiff.read_directory(file->tiff);
}

// JPEG of colours is stored as brightness and differences, which nobody wants to have.
static void ask_for_colours(TIFF *file) {
  uint16_t compression = 0, photometric = 0;
  tiff.get_field_defaulted(file, TIFFTAG_COMPRESSION, &compression);
  tiff.get_field(file, TIFFTAG_PHOTOMETRIC, &photometric);
  if (compression == COMPRESSION_JPEG && photometric == PHOTOMETRIC_YCBCR)
    tiff.set_field(file, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
}

int om_tiff_go(void *handle, uint64_t directory) {
  struct file *file = handle;
  file->text[0] = 0;
  if (!tiff.set_sub_directory(file->tiff, directory)) return 0;
  ask_for_colours(file->tiff);
  return 1;
}

// Tags of formats that are stored as TIFF but cannot be told from their pages alone.
static uint32_t foreign_tag(TIFF *file) {
  static const uint32_t known[] = {33628, 33629, 34361, 34412, 34118, 34680, 34682};
  int count = tiff.tag_list_count(file);
  for (int i = 0; i < count; i++) {
    uint32_t tag = tiff.tag_list_entry(file, i);
    for (size_t k = 0; k < sizeof known / sizeof *known; k++)
      if (tag == known[k]) return tag;
  }
  return 0;
}

int om_tiff_page(void *handle, struct om_tiff_page *page) {
  struct file *file = handle;
  TIFF *t = file->tiff;
  memset(page, 0, sizeof *page);
  page->directory = tiff.current_dir_offset(t);
  if (!tiff.get_field(t, TIFFTAG_IMAGEWIDTH, &page->width)) return 0;
  if (!tiff.get_field(t, TIFFTAG_IMAGELENGTH, &page->height)) return 0;
  tiff.get_field_defaulted(t, TIFFTAG_BITSPERSAMPLE, &page->bits);
  tiff.get_field_defaulted(t, TIFFTAG_SAMPLESPERPIXEL, &page->samples);
  tiff.get_field_defaulted(t, TIFFTAG_SAMPLEFORMAT, &page->format);
  tiff.get_field_defaulted(t, TIFFTAG_PLANARCONFIG, &page->planar);
  tiff.get_field_defaulted(t, TIFFTAG_COMPRESSION, &page->compression);
  tiff.get_field_defaulted(t, TIFFTAG_FILLORDER, &page->fill_order);
  tiff.get_field_defaulted(t, TIFFTAG_SUBFILETYPE, &page->subfile);
  tiff.get_field(t, TIFFTAG_PHOTOMETRIC, &page->photometric);
  uint32_t depth = 1;
  tiff.get_field_defaulted(t, TIFFTAG_IMAGEDEPTH, &depth);
  page->depth = depth > UINT16_MAX ? UINT16_MAX : (uint16_t)depth;
  float resolution = 0;
  if (tiff.get_field(t, TIFFTAG_XRESOLUTION, &resolution)) page->x_resolution = resolution;
  if (tiff.get_field(t, TIFFTAG_YRESOLUTION, &resolution)) page->y_resolution = resolution;
  if (tiff.is_tiled(t)) {
    tiff.get_field(t, TIFFTAG_TILEWIDTH, &page->tile_width);
    tiff.get_field(t, TIFFTAG_TILELENGTH, &page->tile_height);
    if (page->tile_width == 0 || page->tile_height == 0) return 0;
  } else {
    uint32_t rows = 0;
    tiff.get_field_defaulted(t, TIFFTAG_ROWSPERSTRIP, &rows);
    page->rows_per_strip = rows == 0 || rows > page->height ? page->height : rows;
  }
  page->is_swapped = tiff.is_byte_swapped(t);
  page->is_decodable = tiff.is_codec_configured(page->compression);
  page->foreign = foreign_tag(t);
  return 1;
}

const char *om_tiff_description(void *handle) {
  const char *text = NULL;
  if (!tiff.get_field(((struct file *)handle)->tiff, TIFFTAG_IMAGEDESCRIPTION, &text)) return NULL;
  return text;
}

static uint32_t part_count(TIFF *file) {
  return tiff.is_tiled(file) ? tiff.number_of_tiles(file) : tiff.number_of_strips(file);
}

uint64_t om_tiff_part_size(void *handle, uint32_t part) {
  struct file *file = handle;
  TIFF *t = file->tiff;
  file->text[0] = 0;
  if (part >= part_count(t)) return 0;
  if (tiff.is_tiled(t)) return tiff.tile_size(t);
  uint32_t height = 0, rows = 0;
  tiff.get_field(t, TIFFTAG_IMAGELENGTH, &height);
  tiff.get_field_defaulted(t, TIFFTAG_ROWSPERSTRIP, &rows);
  if (height == 0) return 0;
  if (rows == 0 || rows > height) rows = height;
  uint32_t per_plane = (height - 1) / rows + 1;
  uint32_t first = part % per_plane * rows;
  return tiff.v_strip_size(t, height - first < rows ? height - first : rows);
}

int om_tiff_read_part(void *handle, uint32_t part, void *buffer, uint64_t size) {
  struct file *file = handle;
  file->text[0] = 0;
  if (part >= part_count(file->tiff)) return -1;
  tmsize_t count = tiff.is_tiled(file->tiff)
                       ? tiff.read_encoded_tile(file->tiff, part, buffer, (tmsize_t)size)
                       : tiff.read_encoded_strip(file->tiff, part, buffer, (tmsize_t)size);
  return count >= 0 && (uint64_t)count == size ? 0 : -1;
}

uint64_t om_tiff_offset(void *handle, uint32_t part) {
  return tiff.strile_offset(((struct file *)handle)->tiff, part);
}

uint64_t om_tiff_byte_count(void *handle, uint32_t part) {
  return tiff.strile_byte_count(((struct file *)handle)->tiff, part);
}
