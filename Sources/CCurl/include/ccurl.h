// HTTP through libcurl, which is loaded when the first request is made.
//
// Nothing of curl.h is visible here. A handle belongs to one thread at a time; handles keep their
// connections, and share names and TLS sessions with each other.
#ifndef CCURL_H
#define CCURL_H

#include <stddef.h>

// Loads libcurl once; 0 when it is there. Otherwise *reason says why it is not.
int om_http_load(const char **reason);

// A new handle; NULL when there is no memory.
void *om_http_new(void);
// Closes a handle with its connections.
void om_http_free(void *handle);

// Which addresses a request may reach besides ordinary ones.
enum { om_http_link_local = 1, om_http_metadata_service = 2 };

// How a request ended, as far as callers must tell apart.
enum {
  om_http_done,
  // a body or head callback wanted no more
  om_http_stopped,
  // the address belongs to those that must not be reached
  om_http_guarded,
  // the name of the host is not known
  om_http_unknown_host,
  // nobody answers there
  om_http_no_connection,
  // the connection broke, or the body is shorter than announced
  om_http_broken,
  // the server was silent, or nearly so, for too long
  om_http_silent,
  // the certificate of the server cannot be trusted, or certificates cannot be read
  om_http_untrusted,
  // anything else
  om_http_failed
};

// One request. Headers are whole lines; the list ends with NULL.
struct om_http_request {
  const char *url;
  const char *const *headers;
  // Whether only the head of the answer is asked for.
  int head_only;
  // What is asked for, where it is neither a value nor its head (`PUT`); NULL otherwise.
  const char *method;
  // What is sent with it; NULL for nothing. It must stay as it is until the request has ended.
  const void *payload;
  size_t payload_count;
  long connect_milliseconds;
  // How long fewer than 1024 bytes may come in a second.
  long idle_seconds;
  // Of om_http_link_local and om_http_metadata_service.
  int reachable;
  void *context;
  // Called for every line of the head, and for bytes of the body; anything but 0 stops the request.
  int (*head)(void *context, const char *line, size_t count);
  int (*body)(void *context, const void *bytes, size_t count);
};

// Makes a request and waits for its end. *status is the last status, 0 without any; `text` gets what
// libcurl says about a failure.
int om_http_perform(void *handle, const struct om_http_request *request, long *status, char *text,
                    size_t text_size);

// Breaks off all requests within a second, and those to come.
void om_http_end(void);

// Seconds since 1970 of a date in a header; -1 when it is none.
long long om_http_date(const char *text);

#endif
