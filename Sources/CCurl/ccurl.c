#define _GNU_SOURCE
#include "ccurl.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// The functions of libcurl that are used. Linking would load some forty libraries at every start.
static struct {
  CURLcode (*global_init)(long);
  CURL *(*easy_init)(void);
  void (*easy_cleanup)(CURL *);
  void (*easy_reset)(CURL *);
  CURLcode (*easy_setopt)(CURL *, CURLoption, ...);
  CURLcode (*easy_perform)(CURL *);
  CURLcode (*easy_getinfo)(CURL *, CURLINFO, ...);
  const char *(*easy_strerror)(CURLcode);
  struct curl_slist *(*slist_append)(struct curl_slist *, const char *);
  void (*slist_free_all)(struct curl_slist *);
  CURLSH *(*share_init)(void);
  CURLSHcode (*share_setopt)(CURLSH *, CURLSHoption, ...);
  time_t (*getdate)(const char *, const time_t *);
} curl;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char problem[256];
static CURLSH *share;
static pthread_mutex_t share_locks[CURL_LOCK_DATA_LAST];

static void lock_share(CURL *handle, curl_lock_data data, curl_lock_access access, void *context) {
  (void)handle, (void)access, (void)context;
  pthread_mutex_lock(&share_locks[data]);
}

static void unlock_share(CURL *handle, curl_lock_data data, void *context) {
  (void)handle, (void)context;
  pthread_mutex_unlock(&share_locks[data]);
}

static int find(void *library, void *function, const char *name) {
  void *found = dlsym(library, name);
  if (found == NULL) snprintf(problem, sizeof problem, "libcurl has no function %s", name);
  // ISO C has no cast from an object to a function.
  memcpy(function, &found, sizeof found);
  return found != NULL;
}

static void load(void) {
  void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) library = dlopen("libcurl-gnutls.so.4", RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) {
    const char *reason = dlerror();
    snprintf(problem, sizeof problem, "%s", reason == NULL ? "it cannot be loaded" : reason);
    return;
  }
  int found = find(library, &curl.global_init, "curl_global_init") &&
              find(library, &curl.easy_init, "curl_easy_init") &&
              find(library, &curl.easy_cleanup, "curl_easy_cleanup") &&
              find(library, &curl.easy_reset, "curl_easy_reset") &&
              find(library, &curl.easy_setopt, "curl_easy_setopt") &&
              find(library, &curl.easy_perform, "curl_easy_perform") &&
              find(library, &curl.easy_getinfo, "curl_easy_getinfo") &&
              find(library, &curl.easy_strerror, "curl_easy_strerror") &&
              find(library, &curl.slist_append, "curl_slist_append") &&
              find(library, &curl.slist_free_all, "curl_slist_free_all") &&
              find(library, &curl.share_init, "curl_share_init") &&
              find(library, &curl.share_setopt, "curl_share_setopt") &&
              find(library, &curl.getdate, "curl_getdate");
  if (!found) return;
  if (curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    snprintf(problem, sizeof problem, "libcurl does not start");
    return;
  }
  for (int i = 0; i < CURL_LOCK_DATA_LAST; i++) pthread_mutex_init(&share_locks[i], NULL);
  share = curl.share_init();
  if (share == NULL) return;
  curl.share_setopt(share, CURLSHOPT_LOCKFUNC, lock_share);
  curl.share_setopt(share, CURLSHOPT_UNLOCKFUNC, unlock_share);
  curl.share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
  curl.share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
}

int om_http_load(const char **reason) {
  pthread_once(&once, load);
  *reason = problem;
  return problem[0] == 0 ? 0 : -1;
}

// Whether nothing that comes is of use any more.
static atomic_int is_ending;

void om_http_end(void) { atomic_store(&is_ending, 1); }

// libcurl asks here now and then, at least once in a second, whether it shall go on.
static int go_on(void *context, curl_off_t down_all, curl_off_t down, curl_off_t up_all,
                 curl_off_t up) {
  (void)context, (void)down_all, (void)down, (void)up_all, (void)up;
  return atomic_load_explicit(&is_ending, memory_order_relaxed);
}

void *om_http_new(void) { return curl.easy_init(); }

void om_http_free(void *handle) { curl.easy_cleanup(handle); }

long long om_http_date(const char *text) { return (long long)curl.getdate(text, NULL); }

// Addresses that programs on a machine use to ask it for its own secrets.
static int kind_of_v4(uint32_t address) {
  if (address == 0xA9FEA9FE || address == 0xA9FEAA02 || address == 0x646464C8)
    return om_http_metadata_service;
  return address >> 16 == 0xA9FE ? om_http_link_local : 0;
}

static int kind_of_address(const struct sockaddr *address) {
  if (address->sa_family == AF_INET)
    return kind_of_v4(ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr));
  if (address->sa_family != AF_INET6) return 0;
  const struct in6_addr *v6 = &((const struct sockaddr_in6 *)address)->sin6_addr;
  const unsigned char *bytes = v6->s6_addr;
  static const unsigned char service[16] = {0xfd, 0, 0x0e, 0xc2, [14] = 0x02, [15] = 0x54};
  if (memcmp(bytes, service, 16) == 0) return om_http_metadata_service;
  if (IN6_IS_ADDR_V4MAPPED(v6) || IN6_IS_ADDR_V4COMPAT(v6))
    return kind_of_v4((uint32_t)bytes[12] << 24 | (uint32_t)bytes[13] << 16 |
                      (uint32_t)bytes[14] << 8 | bytes[15]);
  return IN6_IS_ADDR_LINKLOCAL(v6) ? om_http_link_local : 0;
}

struct exchange {
  const struct om_http_request *request;
  int is_guarded;
  int is_stopped;
};

// libcurl asks here for a socket to an address that it has looked up: the last moment to refuse one.
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *to) {
  struct exchange *exchange = context;
  (void)purpose;
  if (kind_of_address(&to->addr) & ~exchange->request->reachable) {
    exchange->is_guarded = 1;
    return CURL_SOCKET_BAD;
  }
  return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

static size_t take_head(char *bytes, size_t size, size_t count, void *context) {
  struct exchange *exchange = context;
  const struct om_http_request *request = exchange->request;
  if (request->head(request->context, bytes, size * count) == 0) return size * count;
  exchange->is_stopped = 1;
  return 0;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *context) {
  struct exchange *exchange = context;
  const struct om_http_request *request = exchange->request;
  if (request->body(request->context, bytes, size * count) == 0) return size * count;
  exchange->is_stopped = 1;
  return 0;
}

static int outcome(CURLcode code, const struct exchange *exchange) {
  if (exchange->is_guarded) return om_http_guarded;
  if (exchange->is_stopped) return om_http_stopped;
  switch (code) {
  case CURLE_OK: return om_http_done;
  case CURLE_COULDNT_RESOLVE_HOST:
  case CURLE_COULDNT_RESOLVE_PROXY: return om_http_unknown_host;
  case CURLE_COULDNT_CONNECT: return om_http_no_connection;
  case CURLE_OPERATION_TIMEDOUT: return om_http_silent;
  case CURLE_PARTIAL_FILE:
  case CURLE_GOT_NOTHING:
  case CURLE_SEND_ERROR:
  case CURLE_RECV_ERROR:
  case CURLE_SSL_CONNECT_ERROR: return om_http_broken;
  case CURLE_PEER_FAILED_VERIFICATION:
  case CURLE_SSL_CERTPROBLEM:
  case CURLE_SSL_CACERT_BADFILE:
  case CURLE_SSL_ISSUER_ERROR: return om_http_untrusted;
  default: return om_http_failed;
  }
}

// The files of certificates that users name as they do for other programs.
static void set_certificates(CURL *handle) {
  const char *names[] = {"CURL_CA_BUNDLE", "AWS_CA_BUNDLE", "SSL_CERT_FILE"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    const char *path = getenv(names[i]);
    if (path == NULL || *path == 0) continue;
    curl.easy_setopt(handle, CURLOPT_CAINFO, path);
    break;
  }
  const char *folder = getenv("SSL_CERT_DIR");
  if (folder != NULL && *folder != 0) curl.easy_setopt(handle, CURLOPT_CAPATH, folder);
}

static void set_rules(CURL *handle, const struct om_http_request *request) {
  curl.easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  if (curl.easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https") != CURLE_OK) {
    // before 7.85 a set of bits: 1 for http, 2 for https
    curl.easy_setopt(handle, (CURLoption)181, 3L);
  }
  curl.easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
  curl.easy_setopt(handle, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
  curl.easy_setopt(handle, CURLOPT_PATH_AS_IS, 1L);
  curl.easy_setopt(handle, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl.easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 1L);
  curl.easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 2L);
  curl.easy_setopt(handle, CURLOPT_TCP_KEEPALIVE, 1L);
  curl.easy_setopt(handle, CURLOPT_BUFFERSIZE, 256L << 10);
  curl.easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, go_on);
  curl.easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
  curl.easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, request->connect_milliseconds);
  // A server that sends a byte now and then is as silent as one that sends none.
  curl.easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, 1024L);
  curl.easy_setopt(handle, CURLOPT_LOW_SPEED_TIME, request->idle_seconds);
  set_certificates(handle);
}

int om_http_perform(void *handle, const struct om_http_request *request, long *status, char *text,
                    size_t text_size) {
  struct exchange exchange = {.request = request};
  char error[CURL_ERROR_SIZE] = "";
  struct curl_slist *headers = NULL;
  *status = 0;
  if (atomic_load(&is_ending)) {
    snprintf(text, text_size, "the program ends");
    return om_http_failed;
  }
  for (const char *const *line = request->headers; *line != NULL; line++) {
    struct curl_slist *longer = curl.slist_append(headers, *line);
    if (longer == NULL) {
      // A request without one of its headers would be another request.
      curl.slist_free_all(headers);
      snprintf(text, text_size, "no memory");
      return om_http_failed;
    }
    headers = longer;
  }
  curl.easy_reset(handle);
  set_rules(handle, request);
  curl.easy_setopt(handle, CURLOPT_SHARE, share);
  curl.easy_setopt(handle, CURLOPT_URL, request->url);
  curl.easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
  curl.easy_setopt(handle, CURLOPT_NOBODY, (long)request->head_only);
  if (request->payload != NULL) {
    curl.easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->payload_count);
    curl.easy_setopt(handle, CURLOPT_POSTFIELDS, request->payload);
  }
  if (request->method != NULL) curl.easy_setopt(handle, CURLOPT_CUSTOMREQUEST, request->method);
  curl.easy_setopt(handle, CURLOPT_ERRORBUFFER, error);
  curl.easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, open_socket);
  curl.easy_setopt(handle, CURLOPT_OPENSOCKETDATA, &exchange);
  curl.easy_setopt(handle, CURLOPT_HEADERFUNCTION, take_head);
  curl.easy_setopt(handle, CURLOPT_HEADERDATA, &exchange);
  curl.easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_body);
  curl.easy_setopt(handle, CURLOPT_WRITEDATA, &exchange);
  CURLcode code = curl.easy_perform(handle);
  curl.easy_getinfo(handle, CURLINFO_RESPONSE_CODE, status);
  curl.easy_reset(handle);
  curl.slist_free_all(headers);
  snprintf(text, text_size, "%s", error[0] != 0 ? error : curl.easy_strerror(code));
  return outcome(code, &exchange);
}
