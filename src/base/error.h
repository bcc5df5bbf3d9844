/*
 * error.h - one line that says what went wrong and helps to fix it.
 *
 * The deepest function that can name the object it works on calls error_set();
 * each caller that can add a new object calls error_wrap(); main() prints the
 * result once.  No function in between prints.
 */
#ifndef CW_BASE_ERROR_H
#define CW_BASE_ERROR_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The cause, as far as the caller can act on it.  The value is the exit status
 * of the process and the number in an ERROR message, so it never changes;
 * docs/operations.md lists them for users.
 */
enum error_kind {
    ERROR_NONE = 0,       /* no error has been recorded */
    ERROR_SYSTEM = 1,     /* memory, threads, descriptors: this machine */
    ERROR_USAGE = 2,      /* bad option or environment, no such input */
    ERROR_NO_SPACE = 10,  /* the target cannot hold the disk */
    ERROR_REFUSED = 11,   /* the target exists, is mounted or is in use */
    ERROR_CHANGED = 12,   /* the source is in use, or has changed */
    ERROR_FORMAT = 13,    /* the source image is damaged or unsupported */
    ERROR_MISMATCH = 14,  /* source and target digests differ */
    ERROR_TLS = 20,       /* handshake, certificate, name or key */
    ERROR_PROTOCOL = 21,  /* the peer violated the wire protocol */
    ERROR_BUSY = 22,      /* the target is serving another source */
    ERROR_SOURCE_IO = 30, /* the source disk failed; errnum says why */
    ERROR_TARGET_IO = 31, /* the target disk failed; errnum says why */
    ERROR_PEER = 40,      /* the peer gave up or was asked to stop */
    ERROR_TEMPORARY = 75, /* connection lost or not possible yet: try again */
    ERROR_CANCELLED = 130 /* stopped on request (SIGTERM exits 143) */
};

#define ERROR_NO_OFFSET UINT64_MAX

/* The numbers of a "does not fit" error; all 0 for every other error. */
struct error_space {
    uint64_t need_bytes;
    uint64_t have_bytes;
    uint64_t usable_bytes;    /* the largest disk that would fit */
    uint64_t shortfall_bytes; /* need - have */
    uint64_t volume_bytes;    /* smallest volume to request */
};

struct error {
    enum error_kind kind;
    int errnum;      /* errno value, 0 when none applies */
    uint64_t offset; /* on the disk; ERROR_NO_OFFSET when none applies */
    struct error_space space;
    bool from_peer; /* received from the other end */
    char text[512]; /* never empty once kind is set; truncated at the end */
};

/*
 * Records an error and replaces the previous contents of err.
 *
 * errnum: an errno value to append as ": <strerror>", or 0.  EMFILE and ENFILE
 * (no descriptor left) turn any kind into ERROR_SYSTEM: the file to be opened
 * is not at fault.
 *
 * Always returns -1, so that a failing function can end with "return
 * error_set(err, ...);".
 */
int error_set(struct error *err, enum error_kind kind, int errnum,
              const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Like error_set(), for an error at a byte offset of the disk. */
int error_set_at(struct error *err, enum error_kind kind, int errnum,
                 uint64_t offset, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/*
 * Like error_set(), for a file that the user names: without such a file
 * (ENOENT, ENOTDIR) the kind is ERROR_USAGE, as no disk and no key is at fault.
 */
int error_set_named(struct error *err, enum error_kind kind, int errnum,
                    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/*
 * Prepends "<context>: " to the text and keeps everything else.  Always
 * returns -1.
 */
int error_wrap(struct error *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The analyzer cannot see in error.c that they always return -1. */
#ifdef __clang_analyzer__
#define error_set(...)       (error_set(__VA_ARGS__), -1)
#define error_set_at(...)    (error_set_at(__VA_ARGS__), -1)
#define error_set_named(...) (error_set_named(__VA_ARGS__), -1)
#define error_wrap(...)      (error_wrap(__VA_ARGS__), -1)
#endif

/* By these words, CDI's controller and its tests recognize ERROR_NO_SPACE:
 * "DataVolume too small to contain image". */
#define ERROR_NO_SPACE_CDI \
    "effective image size is larger than the reported available storage"

/* May the same command succeed later without manual changes? */
bool error_is_retryable(enum error_kind kind);

/* The remedy for users, such as "stop the program that writes to it".  Never NULL. */
const char *error_hint(enum error_kind kind);

/* Is number a kind that this version knows?  For numbers from the peer. */
bool error_kind_is_known(uint32_t number);

/* The stable name for logs and JSON: "no-space".  Never NULL. */
const char *error_kind_name(enum error_kind kind);

#endif
