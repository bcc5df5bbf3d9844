/*
 * sink_ops.h - what a kind of sink is made of.
 *
 * A kind that is a file or device of this machine builds on local_sink.h.  Any
 * other kind needs this header only: its own struct with a struct sink first,
 * and a table of sink_ops.  Not for other layers.
 */
#ifndef CW_SINK_SINK_OPS_H
#define CW_SINK_SINK_OPS_H

#include <stdatomic.h>

#include "sink/sink.h"

struct local_ops;

/* What the sink is prepared for. */
enum sink_room_kind {
    SINK_ROOM_NEW,    /* sink_prepare(): a disk of sink->virtual_bytes */
    SINK_ROOM_STREAM, /* sink_prepare_stream() */
    SINK_ROOM_RESUME, /* sink_resume() */
    SINK_ROOM_ADOPT,  /* sink_adopt() */
    SINK_ROOM_SETTLE, /* sink_settle(): size.disk_bytes is known now */
};

struct sink_room {
    enum sink_room_kind kind;
    uint64_t min_bytes;  /* STREAM: smallest disk that will be made */
    uint64_t *max_bytes; /* STREAM: set to the largest there is room for */
    uint64_t disk_bytes; /* RESUME: size of the disk that was begun */
    bool older;          /* ADOPT: also a file with the final name */
};

struct sink_ops {
    const char *kind; /* "file", "block"; for logs and reports */

    /* The struct is a local_sink and has these too; NULL: it is not. */
    const struct local_ops *local;

    /*
     * Makes room, and sets size, zero_min, reads_zero and preallocation.
     * Returns 0, -1 with *err, or for ADOPT 1 (taken over) or 0 (nothing to
     * take over).  A kind that keeps nothing gets NEW, STREAM and SETTLE only.
     */
    int (*prepare)(struct sink *sink, const struct sink_room *room,
                   struct error *err);

    /* Starts io, which completes from io_queue_reap(queue): hand it on with
     * io_queue_submit(), or post its result with io_queue_post(). */
    void (*write)(struct sink *sink, struct io_queue *queue, struct io *io);

    /* Makes the range read as zero.  Any thread.  Sets *err by sink_fail_at(). */
    int (*zero)(struct sink *sink, uint64_t offset, uint64_t length,
                struct error *err);

    /* Makes all earlier writes durable.  Returns 0 or -errno. */
    int (*flush)(struct sink *sink);

    /* Gives the finished disk its name.  NULL: it has it already. */
    int (*commit)(struct sink *sink, struct error *err);

    /* As sink_discard().  NULL: nothing can be dropped. */
    void (*discard)(struct sink *sink);

    /* Frees sink.  Tolerates a half-opened one. */
    void (*close)(struct sink *sink);
};

/* First in the struct of each kind.  Constant once prepared, except for the
 * atomic fields. */
struct sink {
    const struct sink_ops *ops;
    struct sink_options options;
    uint64_t virtual_bytes;        /* of the source's disk */
    atomic_bool stop;              /* as sink_stop() */
    atomic_bool is_broken;         /* a write or flush failed: final */
    atomic_bool is_touched;        /* lanes may have written: no longer new */
    _Atomic uint64_t copied_bytes; /* as sink_copied_bytes() */

    /* Of a kind that takes a directory: its index, owned. */
    bool takes_tree;
    struct tree_index *tree;
    const char *content_path; /* as sink_content_path(), unless local */

    /* prepared */
    struct sizing_verdict size;
    uint64_t zero_min;         /* as sink_zero_min() */
    const char *reads_zero;    /* why zeros need nothing, or NULL */
    const char *preallocation; /* "off", "falloc", "full" */
    char preallocation_why[96];

    /* finished */
    uint64_t allocated_bytes;
};

/* ERROR_REFUSED: a disk comes, and the sink takes a directory.  Returns -1. */
int sink_refuse_disk(const struct sink *sink, struct error *err);

/* Sets "<verb> <length> bytes at <offset> of <path>: <strerror(-r)>", with the
 * error kind for r.  Returns -1. */
int sink_fail_at(struct sink *sink, int r, const char *verb, uint64_t length,
                 uint64_t offset, struct error *err);

#endif
