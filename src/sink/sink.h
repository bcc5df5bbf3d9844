/*
 * sink.h - the destination of the disk: a regular file or a block device,
 * always raw.
 *
 *   sink_open      checks that it may be written, opens, locks
 *   sink_prepare   checks that the disk fits, sizes and preallocates
 *   sink_lane_*    one handle per lane: writes and zeros
 *   sink_finish    zeroes the tail, puts everything on stable storage
 *   sink_commit    gives the file its final name; the disk is then there
 *   sink_close     a sink that was not committed leaves only its partial
 *
 * A sink belongs to the main thread; its lane handles belong to their lanes.
 */
#ifndef CW_SINK_SINK_H
#define CW_SINK_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "clonewire/clonewire.h"
#include "io/file.h"
#include "io/io_queue.h"
#include "plan/sizing.h"

struct sink;
struct sink_lane;
struct tree_index;

struct sink_options {
    const char *path;     /* borrowed; the final name, or a block device */
    enum cw_io_mode mode; /* requested */
    bool overwrite;       /* an existing regular file may be replaced */
    bool keep_tail;       /* do not zero a device beyond the disk */
    bool target_is_zero;  /* trust (and sample) that a device reads zero */
    bool overcommit;      /* a sparse file may exceed the volume */
    enum cw_preallocate preallocate;
    uint32_t overhead_ppm; /* filesystem's own share, files only */
    uint64_t size_bytes;   /* requested size of the guest disk, 0: source's */
    bool size_max;         /* grow to the size that the volume offers */
    enum cw_delta delta;   /* an existing file is the older disk */
    bool keep_setid;       /* of a directory: as in tar/extract.h */
    bool finished;         /* an existing file is our own: only sink_resume() */
    uint64_t data_bytes;   /* as sink_set_source() */
    unsigned file_mode;
};

/* What was found and done; for logs, the summary and tests. */
struct sink_report {
    const char *kind;         /* "file" or "block" */
    enum cw_io_mode mode;     /* how data is written */
    uint64_t disk_bytes;      /* size of the guest disk */
    uint64_t allocated_bytes; /* st_blocks * 512 after the finish; 0: device */
    uint32_t sector_bytes;    /* logical sector the guest will see */
    struct sizing_verdict size; /* filled also when prepare refused */
    /* Method in use: "hole" (nothing to do), "trusted" (--target-is-zero),
     * "punch-hole", "compare", "zero-range", "zeroout", "write". */
    const char *zero_method;
    const char *preallocation;  /* applied: "off", "falloc", "full" */
    char preallocation_why[96]; /* why it differs; may be empty */
};

/*
 * Reports what sink_prepare() would decide.  Writes nothing: no partial is
 * created, no device is claimed.  Errors as of sink_open() and sink_prepare();
 * with ERROR_NO_SPACE *verdict is filled.
 */
int sink_plan(const struct sink_options *options, uint64_t virtual_bytes,
              struct sizing_verdict *verdict, struct error *err);

/*
 * Opens the target for writing, exclusively.  A directory takes a directory.
 *
 * ERROR_REFUSED: exists (no overwrite), is mounted, in use, a directory with
 * files (neither overwrite nor delta), or another target writes it; ERROR_TARGET_IO: a system call failed.  On success
 * the caller owns *sink.
 */
int sink_open(const struct sink_options *options, struct sink **sink,
              struct error *err);

/*
 * What is known of the next disk before it is prepared.  data_bytes: what it
 * surely takes in a sparse file, 0: unknown.  file_mode: the permission bits
 * (0777) that its file gets with its name, and the owner of a new file, also
 * where it replaces another; 0: as that file, or as any new one.
 */
void sink_set_source(struct sink *sink, uint64_t data_bytes,
                     unsigned file_mode);

/*
 * Says what comes, before the sink is prepared: a directory of this index,
 * which is moved, or NULL, a disk.  ERROR_REFUSED: the sink takes the other.
 */
int sink_set_tree(struct sink *sink, struct tree_index *index,
                  struct error *err);

/* The index of the directory that comes; NULL: a disk. */
const struct tree_index *sink_tree(const struct sink *sink);

/* Is it a directory, which takes a directory? */
bool sink_takes_tree(const struct sink *sink);

/* Makes room for a disk of virtual_bytes.  Fails with ERROR_NO_SPACE before
 * anything is written, and reports need, available space and shortfall. */
int sink_prepare(struct sink *sink, uint64_t virtual_bytes, struct error *err);

/*
 * As sink_prepare(), for a disk whose size is known only at its end.
 * *max_bytes is the largest size there is room for. min_bytes is the smallest
 * disk that will be made (at most *max_bytes; reserved now if anything is).
 * Data of an interrupted run stays, for sink_holds().  An older file of that
 * name is removed first: whether there is room for both cannot be known.
 */
int sink_prepare_stream(struct sink *sink, uint64_t min_bytes,
                        uint64_t *max_bytes, struct error *err);

/* Call after sink_prepare_stream() and the last lane: the disk turned out to
 * have virtual_bytes.  It is made at least min_bytes long, with zeros. */
int sink_settle(struct sink *sink, uint64_t virtual_bytes, uint64_t min_bytes,
                struct error *err);

/*
 * Drops what was written, after a failed attempt that will not be continued.
 * Clears the state of failed writes: the next sink_prepare*() starts over.
 * Data on a device stays.
 */
void sink_discard(struct sink *sink);

/* Space that the volume of the sink can still give to a disk.
 * ERROR_TARGET_IO. */
int sink_available(struct sink *sink, uint64_t *bytes, struct error *err);

/* The largest disk there is room for, by sizing_max().  ERROR_TARGET_IO. */
int sink_max_bytes(struct sink *sink, uint64_t *bytes, struct error *err);

/*
 * Is there room for a disk of virtual_bytes, if all that an earlier run or an
 * older disk takes were free?  Writes and allocates nothing.  As sizing_plan();
 * ERROR_TARGET_IO.  0 of a kind that does not know.
 */
int sink_check_room(struct sink *sink, uint64_t virtual_bytes,
                    struct error *err);

/* Size of the text that sink_identify() writes, NUL included. */
#define SINK_IDENTITY_BYTES 128U

/*
 * Identifies the file or device that is written.  The text stays the same
 * after a restart, and on another machine if the volume has moved there.  It
 * differs for another disk under the same name.  ERROR_TARGET_IO.
 */
int sink_identify(const struct sink *sink, char identity[SINK_IDENTITY_BYTES],
                  struct error *err);

/* Returns the file_stamp() of the sink, which changes with every write.  "":
 * there is none. */
void sink_stamp(const struct sink *sink, char stamp[FILE_STAMP_BYTES]);

/* Describes the content of a device, as blkid_probe_describe(). */
bool sink_describe(const struct sink *sink, char *buf, size_t len);

/* Does every sampled block of a device from begin on read as zero? */
bool sink_tail_is_blank(const struct sink *sink, uint64_t begin);

/* As blkid_probe_starts(), for a device. */
size_t sink_partition_starts(const struct sink *sink, uint64_t *starts,
                             size_t max);

/* As sink_identify(), of path, without a sink.  False: it has no identity. */
bool sink_identify_path(const char *path, char identity[SINK_IDENTITY_BYTES]);

/*
 * Path for a record about an unfinished disk: in directory, or if that is
 * NULL, beside a file's partial.  Owned by the caller; NULL: nowhere (a device
 * and no directory), or out of memory.
 */
char *sink_state_path(const struct sink *sink, const char *directory);

/*
 * As sink_prepare(), for a disk that was begun before, with disk_bytes in all.
 * Existing data stays.  ERROR_REFUSED: the sink has another size, so it is not
 * the disk that was begun; nothing has been changed.
 */
int sink_resume(struct sink *sink, uint64_t virtual_bytes, uint64_t disk_bytes,
                struct error *err);

/*
 * As sink_prepare(), but keeps any existing data: the content of a device,
 * what an interrupted run left, or, if older is set and the file with the
 * final name may be replaced, that file: the partial gets its content (by
 * options.delta), or it is renamed to the partial's name.  Returns 1, or 0 if there is nothing to keep and nothing was
 * done.
 */
int sink_adopt(struct sink *sink, uint64_t virtual_bytes, bool older,
               struct error *err);

bool sink_is_device(const struct sink *sink);

/* The path at which the content can be read while it is written: the partial
 * or the device.  Borrowed. */
const char *sink_content_path(const struct sink *sink);

/* Drops the durable part of the content from the page cache, so that reads
 * come from the disk. */
void sink_drop_cache(const struct sink *sink);

/* Makes all earlier writes durable.  Any thread.  A failure (ERROR_TARGET_IO,
 * ERROR_NO_SPACE) is final: see sink_finish(). */
int sink_flush(struct sink *sink, struct error *err);

/* Lets the next attempt continue on a prepared sink after one failed.  Nothing
 * is assumed to read as zero any longer; sink_stop() is reset. */
void sink_reuse(struct sink *sink);

/* Opens the handle of one lane, which submits to queue (borrowed).  The sink
 * must be prepared.  NULL: out of memory. */
struct sink_lane *sink_lane_open(struct sink *sink, struct io_queue *queue);

/* Starts writing io->len bytes at io->offset of the disk. io completes from
 * io_queue_reap().  The caller sets buf, op and owner. */
void sink_write(struct sink_lane *lane, struct io *io);

/*
 * Does the disk already hold the bytes of io, which is not submitted?  After
 * sink_prepare_stream(), this reads and compares, so that data of an
 * interrupted upload is not written again.  Blocks while it reads.  After
 * SINK_MISSES_MAX mismatches in a row it returns false without reading.
 */
bool sink_holds(struct sink_lane *lane, const struct io *io);

/* An upload has up to 8 chunks in flight; a kill leaves them in any state. */
#define SINK_MISSES_MAX 64U

/* Checks the result of a reaped io.  An error becomes ERROR_TARGET_IO or
 * ERROR_NO_SPACE, with its offset; success keeps the page cache small. */
int sink_written(struct sink_lane *lane, const struct io *io,
                 struct error *err);

/*
 * The shortest zero range worth a sink_zero(); shorter ones are better written
 * with the data around them. 0: zeros need no work (they already read as
 * zero); UINT64_MAX: every zero must be written (preallocate=full).  Known
 * once the sink is prepared.
 */
uint64_t sink_zero_min(const struct sink *sink);

/*
 * Makes [offset, offset+length) read as zero, now or by sink_lane_finish():
 * adjacent ranges are merged into one call.  Zeros that already read as zero
 * cost nothing.  Blocks while the device zeroes.  Fails with ERROR_TARGET_IO
 * or ERROR_NO_SPACE.
 */
int sink_zero(struct sink_lane *lane, uint64_t offset, uint64_t length,
              struct error *err);

/* Applies pending sink_zero() ranges.  All writes must have been reaped. */
int sink_lane_finish(struct sink_lane *lane, struct error *err);

/* Tolerates NULL. */
void sink_lane_close(struct sink_lane *lane);

/* Call after the last lane has finished: zeroes the tail, then fdatasync.  All
 * bytes are then durable.  May take long; safe on any one thread. */
int sink_finish(struct sink *sink, struct error *err);

/* Gives the file its final name and makes that durable.  After success the
 * disk is whole and in place.  Does nothing for a device. */
int sink_commit(struct sink *sink, struct error *err);

/*
 * Makes content and name durable, if an earlier process named the file and may
 * have been killed before that was durable.  ERROR_TARGET_IO, ERROR_NO_SPACE.
 */
int sink_confirm(struct sink *sink, struct error *err);

/* Bytes of an older disk that sink_adopt() has copied so far, for progress.  Any
 * thread. */
uint64_t sink_copied_bytes(const struct sink *sink);

/* Asks copying and zeroing, current or future, to give up within seconds with
 * ERROR_CANCELLED.  Any thread. */
void sink_stop(struct sink *sink);

/* Bytes zeroed on the target so far, the tail included, for progress.  Any
 * thread. */
uint64_t sink_zeroed_bytes(const struct sink *sink);

void sink_get_report(const struct sink *sink, struct sink_report *report);

/* Tolerates NULL and half-opened. */
void sink_close(struct sink *sink);

#endif
