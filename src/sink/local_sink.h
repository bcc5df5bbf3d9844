/* local_sink.h - what files and devices of this machine share as sinks.  Not
 * for other layers. */
#ifndef CW_SINK_LOCAL_SINK_H
#define CW_SINK_LOCAL_SINK_H

#include <errno.h>

#include "sink/sink_ops.h"
#include "sink/target_path.h"
#include "sink/zero.h"

/* First in the struct of each local kind. */
struct local_sink {
    struct sink sink;
    struct file file;

    /* prepared */
    struct zeroer zeroer;
    uint64_t end_bytes; /* beyond virtual_bytes, zero up to here */

    /* Data of an interrupted upload, which will arrive again, may extend up to
     * here; 0: nothing is compared. */
    uint64_t left_bytes;
    _Atomic unsigned misses; /* failed comparisons in a row */
};

struct local_ops {
    /* What decides whether a disk fits, without its virtual_bytes, where an
     * earlier run's and an older disk's space counts as available.
     * ERROR_TARGET_IO. */
    int (*facts)(struct local_sink *local, struct sizing_facts *facts,
                 struct error *err);

    /* As sink_content_path(). */
    const char *(*content_path)(const struct local_sink *local);

    /* As sink_identify(). */
    int (*identify)(const struct local_sink *local, char *identity,
                    struct error *err);
};

/* Of a kind that has local_ops. */
static inline struct local_sink *local_of(struct sink *sink)
{
    return (struct local_sink *)sink;
}

/* sink_ops of both kinds. */
void local_sink_write(struct sink *sink, struct io_queue *queue, struct io *io);
int local_sink_zero(struct sink *sink, uint64_t offset, uint64_t length,
                    struct error *err);
int local_sink_flush(struct sink *sink);

/* Parts of sink.h's functions that do nothing for other kinds: zeroes the tail
 * of a larger device; makes a file's name durable; returns what a file
 * occupies; adds to a report. */
int sink_zero_tail(struct sink *sink, struct error *err);
int sink_sync_name(const struct sink *sink, struct error *err);
uint64_t sink_allocated_bytes(const struct sink *sink);
void sink_report_local(const struct sink *sink, struct sink_report *report);

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

/* May the directory be written to?  ERROR_REFUSED, ERROR_TARGET_IO. */
int sink_check_tree(const struct sink_options *options, struct error *err);
int sink_open_tree(const struct sink_options *options, struct sink **sink,
                   struct error *err);

/* Fails with ERROR_REFUSED if a running machine, or a mount of its content,
 * uses the file or device.  It must then neither change nor be removed. */
int sink_check_guest(const char *path, struct error *err);

/* As sink_identify(), of a file or a device. */
int identify_file(int fd, const char *path, char *identity, struct error *err);
void identify_device(dev_t device, uint64_t size_bytes, char *identity);

/* preallocate.c: decides and applies --preallocate; sets preallocation and its
 * why, and reads_zero, zero_min and the zeroer. */
int preallocate_file(struct local_sink *local, struct error *err);
void preallocate_block(struct local_sink *local);

/*
 * Lets sink_holds() compare the first bytes of the disk, which an interrupted
 * upload may have written.  It compares with the disk and not with the page
 * cache, which may hold what could not be written.  False: no comparison,
 * because every block is to be reserved, or the disk does not accept writes.
 */
bool sink_keep_left(struct local_sink *local, uint64_t bytes);

/* Nothing is assumed to read as zero any longer. */
void sink_distrust_zeros(struct sink *sink);

/* Out of space, whichever errno the filesystem uses. */
static inline bool sink_is_no_space(int r)
{
    return r == -ENOSPC || r == -EDQUOT;
}

#endif
