/* sink_private.h - shared by the files of the sink: the ops of each kind of
 * target, and the state that lanes read.  Not for other layers. */
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

    /* As prepare, but keeps existing data, disk_bytes in all. */
    int (*resume)(struct sink *sink, uint64_t disk_bytes, struct error *err);

    /* As sink_prepare_stream(), except for what that sets in *sink. */
    int (*prepare_stream)(struct sink *sink, uint64_t min_bytes,
                          uint64_t *max_bytes, struct error *err);

    /* Makes the disk disk_bytes long.  NULL: its size is fixed. */
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

    /* Gives the finished disk its name.  NULL: it has it already. */
    int (*commit)(struct sink *sink, struct error *err);

    /* Frees sink.  Tolerates a half-opened one. */
    void (*close)(struct sink *sink);
};

/* First in the struct of each kind.  Constant once prepared, except for the
 * atomic fields. */
struct sink {
    const struct sink_ops *ops;
    struct sink_options options;
    struct file file;
    uint64_t virtual_bytes; /* of the source's disk */
    atomic_bool stop;       /* as sink_stop() */
    atomic_bool is_broken;  /* a write or flush failed: final */
    atomic_bool is_touched; /* lanes may have written: no longer new */

    /* prepared */
    struct sizing_verdict size;
    struct zeroer zeroer;
    uint64_t zero_min;      /* as sink_zero_min() */
    uint64_t end_bytes;     /* beyond virtual_bytes, zero up to here */
    const char *reads_zero; /* why zeros need nothing, or NULL */
    const char *preallocation;
    char preallocation_why[96];

    /* Data of an interrupted upload, which will arrive again, may extend up to
     * here; 0: nothing is compared. */
    uint64_t left_bytes;
    _Atomic unsigned misses; /* failed comparisons in a row */

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

/* Fails with ERROR_REFUSED if a running machine, or a mount of its content,
 * uses the file or device.  It must then neither change nor be removed. */
int sink_check_guest(const char *path, struct error *err);

/* As sink_identify(), of a file or a device. */
int identify_file(int fd, const char *path, char *identity, struct error *err);
void identify_device(dev_t device, uint64_t size_bytes, char *identity);

/* preallocate.c: decides and applies --preallocate; sets preallocation and its
 * why, and reads_zero, zero_min and the zeroer. */
int preallocate_file(struct sink *sink, struct error *err);
void preallocate_block(struct sink *sink);

/*
 * Lets sink_holds() compare the first bytes of the disk, which an interrupted
 * upload may have written.  It compares with the disk and not with the page
 * cache, which may hold what could not be written.  False: no comparison,
 * because every block is to be reserved, or the disk does not accept writes.
 */
bool sink_keep_left(struct sink *sink, uint64_t bytes);

/* Nothing is assumed to read as zero any longer. */
void sink_distrust_zeros(struct sink *sink);

/* zeroer_apply(), with its failure as *err. */
int sink_zero_now(struct sink *sink, uint64_t offset, uint64_t length,
                  struct error *err);

/* Sets "<verb> <length> bytes at <offset> of <path>: <strerror(-r)>", with the
 * error kind for r.  Returns -1. */
int sink_fail_at(struct sink *sink, int r, const char *verb, uint64_t length,
                 uint64_t offset, struct error *err);

/* Out of space, whichever errno the filesystem uses. */
static inline bool sink_is_no_space(int r)
{
    return r == -ENOSPC || r == -EDQUOT;
}

#endif
