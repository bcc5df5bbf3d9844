/*
 * sink_private.h - what the rooms of the sink share: the ops a kind of
 * target provides, and the facts lanes read.  Not for other layers.
 */
#ifndef CW_SINK_SINK_PRIVATE_H
#define CW_SINK_SINK_PRIVATE_H

#include <errno.h>

#include "sink/sink.h"
#include "sink/target_path.h"
#include "sink/zero.h"

struct sink_ops {
    const char *kind; /* "file", "block" */

    /* Plans, makes room, and sets every field below "prepared". */
    int (*prepare)(struct sink *sink, struct error *err);

    /* As prepare, but keeps what is there, disk_bytes in all. */
    int (*resume)(struct sink *sink, uint64_t disk_bytes, struct error *err);

    /* As sink_prepare_stream(), but for what it sets in *sink. */
    int (*prepare_stream)(struct sink *sink, uint64_t min_bytes,
                          uint64_t *max_bytes, struct error *err);

    /* Makes the disk disk_bytes long.  NULL: it has the size it has. */
    int (*resize)(struct sink *sink, uint64_t disk_bytes, struct error *err);

    /* As sink_discard().  NULL: nothing can be dropped. */
    void (*discard)(struct sink *sink);

    /* As sink_available(). */
    int (*available)(struct sink *sink, uint64_t *bytes, struct error *err);

    /* As sink_adopt(). */
    int (*adopt)(struct sink *sink, bool older, struct error *err);

    /* As sink_content_path(). */
    const char *(*content_path)(const struct sink *sink);

    /* As sink_identify(). */
    int (*identify)(const struct sink *sink, char *identity, struct error *err);

    /* Makes the finished disk appear under its name.  NULL: it already is. */
    int (*commit)(struct sink *sink, struct error *err);

    /* Frees sink.  Tolerates a half-opened one. */
    void (*close)(struct sink *sink);
};

/* First in the struct of each kind.  Constant once prepared, but for what is
 * atomic inside. */
struct sink {
    const struct sink_ops *ops;
    struct sink_options options;
    struct file file;
    uint64_t virtual_bytes; /* of the source's disk */
    atomic_bool stop;       /* as sink_stop() */
    atomic_bool is_broken;  /* a write or flush failed: final */
    atomic_bool is_touched; /* lanes may have written: not new any more */

    /* prepared */
    struct sizing_verdict size;
    struct zeroer zeroer;
    uint64_t zero_min;      /* as sink_zero_least() */
    uint64_t end_bytes;     /* beyond virtual_bytes, zero up to here */
    const char *reads_zero; /* why zeros need nothing, or NULL */
    const char *preallocation;
    char preallocation_why[96];

    /* Up to here an interrupted upload may have left what comes again; 0:
     * nothing is compared. */
    uint64_t left_bytes;
    _Atomic unsigned misses; /* comparisons that failed, one after the other */

    /* finished */
    uint64_t allocated_bytes;
};

/* Zero ranges shorter than this cost more as a call than as bytes. */
#define SINK_ZERO_MIN_BYTES (UINT64_C(64) << 10)

int sink_open_file(const struct sink_options *options,
                   const struct target_path *place, struct sink **sink,
                   struct error *err);
int sink_plan_file(const struct sink_options *options,
                   const struct target_path *place, uint64_t virtual_bytes,
                   struct sizing_verdict *verdict, struct error *err);

int sink_open_block(const struct sink_options *options,
                    const struct target_path *place, struct sink **sink,
                    struct error *err);
int sink_plan_block(const struct sink_options *options,
                    const struct target_path *place, uint64_t virtual_bytes,
                    struct sizing_verdict *verdict, struct error *err);

/* ERROR_REFUSED: a running machine, or a mount of what lies on it, uses the
 * file or device, which must neither change under it nor be taken away. */
int sink_check_guest(const char *path, struct error *err);

/* As sink_identify(), of a file or a device. */
int identify_file(int fd, const char *path, char *identity, struct error *err);
void identify_device(dev_t device, uint64_t size_bytes, char *identity);

/* preallocate.c: decides and applies --preallocate; sets preallocation and
 * its why, and reads_zero, zero_least and the zeroer. */
int preallocate_file(struct sink *sink, struct error *err);
void preallocate_block(struct sink *sink);

/*
 * What is in the first bytes of the disk may be what an interrupted upload
 * wrote: sink_holds() compares, with the disk and not with the page cache,
 * which may hold what could not be written.  False: it is not compared, as
 * every block is to be reserved, or the disk does not take what it was given.
 */
bool sink_keep_left(struct sink *sink, uint64_t bytes);

/* Nothing is taken to read as zero any more. */
void sink_distrust_zeros(struct sink *sink);

/* zeroer_apply() with its failure in words. */
int sink_zero_now(struct sink *sink, uint64_t offset, uint64_t length,
                  struct error *err);

/* "<verb> <length> bytes at <offset> of <path>: <strerror(-r)>", of the kind
 * that r calls for.  Returns -1. */
int sink_fail_at(struct sink *sink, int r, const char *verb, uint64_t length,
                 uint64_t offset, struct error *err);

/* No room, whatever the filesystem calls it. */
static inline bool sink_is_no_space(int r)
{
    return r == -ENOSPC || r == -EDQUOT;
}

#endif
