/*
 * clonewire.h - clone one VM disk from a source process to a target process.
 *
 * The embedding API, and what the two programs themselves are made of:
 *
 *     struct cw_error error;
 *     struct cw_summary summary;
 *     struct cw_job *job = cw_source_open(&options, &error);
 *
 *     if (!job || cw_run(job, &summary, &error) < 0)
 *         fprintf(stderr, "%s\n", error.text);
 *     cw_close(job);
 *
 * cw_run() blocks until the clone is equal and durable, or has failed.  Only
 * cw_stop() may be called meanwhile, from any thread or signal handler.
 * Callbacks come on threads of the library and must not call back into it.
 *
 * All strings in options are borrowed until cw_close().  Zero or NULL means
 * the default that docs/options.md gives.
 */
#ifndef CLONEWIRE_CLONEWIRE_H
#define CLONEWIRE_CLONEWIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "0.1.0" */
const char *cw_version(void);

/* ---- what both ends need ---- */

/*
 * Who we are and whom we trust: X.509 (cert_file, key_file, ca_file) or a
 * pre-shared key (psk_file), PEM and "identity:hex" files.
 */
struct cw_security {
    const char *cert_file;
    const char *key_file;
    const char *ca_file;
    const char *psk_file;
    const char *psk_identity; /* source: which line; NULL: the only one */
    const char *peer_name;    /* SAN or CN the peer must carry */
    bool allow_tls12;

    /*
     * Certificates only.  Target: also take uploads, and the clones of
     * KubeVirt CDI, by HTTP/1.1 on the same port; peer_name is then the very
     * common name such a client must have.  Source: also offer HTTP/1.1.
     */
    bool http;
    bool http_only;      /* source: offer nothing else */
    const char *ciphers; /* names, ":" or "," between; NULL: our own */
    const char *groups;

    /*
     * Instead of all these: a code that cw_pairing_make() made on the
     * target, for one job.  Read while the job is opened, and not kept: the
     * caller may then wipe it.
     */
    const char *pairing_code;
};

#define CW_PAIRING_CHARS 72

enum cw_io_engine {
    CW_IO_ENGINE_AUTO,
    CW_IO_ENGINE_URING,
    CW_IO_ENGINE_THREADS
};

/* How disk bytes move; auto takes the first of these that works. */
enum cw_io_mode {
    CW_IO_MODE_AUTO,
    CW_IO_MODE_DIRECT,
    CW_IO_MODE_DONTCACHE,
    CW_IO_MODE_BUFFERED
};

/* Holes that a filesystem says a file has: skipped unread? */
enum cw_holes {
    CW_HOLES_AUTO,  /* unless something else it says contradicts that */
    CW_HOLES_TRUST, /* yes */
    CW_HOLES_SCAN   /* no: all of the file is read */
};

enum cw_digest {
    CW_DIGEST_DEFAULT,
    CW_DIGEST_XXH3_128,
    CW_DIGEST_SHA256
};

enum cw_log_level {
    CW_LOG_ERROR,
    CW_LOG_WARN,
    CW_LOG_INFO,
    CW_LOG_DEBUG
};

enum cw_phase {
    CW_PHASE_STARTING, /* opening, listening, connecting */
    CW_PHASE_PLANNING, /* mapping the source, sizing the target */
    CW_PHASE_COPYING,
    CW_PHASE_FLUSHING,  /* zeroing the tail, fsync */
    CW_PHASE_VERIFYING, /* comparing digests, reading back, the final name */
    CW_PHASE_DONE,      /* durable and equal: the only 100 % */
};

struct cw_progress {
    enum cw_phase phase;
    uint64_t disk_bytes;     /* size of the disk; 0 while unknown */
    uint64_t total_bytes;    /* mapped data, known before the first byte */
    uint64_t handled_bytes;  /* of it: moved, or found to be zero */
    uint64_t data_bytes;     /* moved */
    uint64_t zero_bytes;     /* zeros that were not moved */
    uint64_t zeroed_bytes;   /* zeros the target's disk had to make */
    uint64_t verified_bytes; /* of the disk, read back when it was written */
    uint64_t elapsed_ns;     /* since copying began */
    unsigned lanes;
};

/* "copying"; for messages.  Never NULL. */
const char *cw_phase_name(enum cw_phase phase);

struct cw_error; /* below */

struct cw_events {
    void (*log)(void *opaque, enum cw_log_level level, const char *line);
    /* About four times a second while running, and at each phase. */
    void (*progress)(void *opaque, const struct cw_progress *progress);
    /* Target: now listening on address ("0.0.0.0:8443"), once for each. */
    void (*listening)(void *opaque, const char *address);
    /* Target: where others can call it ("10.0.0.7:8443"), once; the time to
     * hand out the pairing code.  0; or -errno: it could not be, and the job
     * ends, as no source can come. */
    int (*reachable)(void *opaque, const char *const *addresses,
                     unsigned count);
    /* The job has failed, and both ends know; but it cannot end, as a disk
     * gives nothing back.  The process is to end without it: better not
     * return.  NULL: wait for ever. */
    void (*stuck)(void *opaque, const struct cw_error *error);
    void *opaque;
    enum cw_log_level log_level; /* least urgent level wanted */
    /* Serve /healthz, /readyz and /metrics by HTTPS on "host:port"; NULL:
     * do not. */
    const char *metrics_listen;
    /* Serve there, at every path, the progress that KubeVirt CDI's controller
     * asks a source for, of this owner; a port that is taken is then no
     * error.  NULL: do not. */
    const char *cdi_owner_uid;
    /* Write a receipt of a clone that succeeded to this file; NULL: do not. */
    const char *receipt;
};

/* As cw_tuning.retry_ns: a lost connection ends the clone. */
#define CW_RETRY_OFF UINT64_MAX

struct cw_tuning {
    enum cw_io_engine io_engine;
    enum cw_io_mode io_mode;
    enum cw_holes holes;
    unsigned lanes;           /* 0: from CPUs and cgroup quota */
    const char *congestion;   /* TCP_CONGESTION, NULL: the system's */
    const char *bind_address; /* source: dial from it, NULL: any */
    const char *bind_device;  /* both: by this interface alone */
    uint64_t dead_peer_ns;    /* silence that means the peer is dead */
    /* How long a lost connection is dialled (source) or waited for (target)
     * again before the clone fails; progress begins it anew. */
    uint64_t retry_ns; /* or CW_RETRY_OFF */
    uint64_t stall_ns; /* so long without any progress is a failure */
};

/* ---- source ---- */

/* What the image holds, and what that is wrapped in; auto looks. */
enum cw_format {
    CW_FORMAT_AUTO,
    CW_FORMAT_RAW,
    CW_FORMAT_QCOW2
};
enum cw_compression {
    CW_COMPRESSION_AUTO,
    CW_COMPRESSION_NONE,
    CW_COMPRESSION_GZIP,
    CW_COMPRESSION_XZ
};

/* What an earlier run left of the same job. */
enum cw_resume {
    CW_RESUME_AUTO,    /* go on with it; both sides read it and compare */
    CW_RESUME_OFF,     /* begin anew */
    CW_RESUME_COMPARE, /* as auto, with no regard to the checkpoint */
    CW_RESUME_TRUST,   /* as auto, but what is proved unchanged is not read */
};

/* Of data on the network; auto: while that is slow enough to gain by it. */
enum cw_compress {
    CW_COMPRESS_AUTO,
    CW_COMPRESS_OFF,
    CW_COMPRESS_ZSTD
};

struct cw_source_options {
    const char *image;  /* file or block device */
    const char *target; /* "host:port" */
    struct cw_security security;
    struct cw_tuning tuning;
    struct cw_events events;
    enum cw_digest digest;
    enum cw_format format;
    enum cw_compression compression; /* of the image */
    enum cw_compress compress;       /* of what is sent */
    uint64_t stream_bytes;           /* a gzip file holds, 0: find out */
    const char *backing_dir;         /* may hold backing files; NULL: refuse */
    unsigned cross_check;        /* qcow2 clusters to compare with libqcow */
    uint64_t connect_timeout_ns; /* keep trying for so long */
    uint64_t bytes_per_second;   /* most to send; 0: no limit */
    const char *rate_file;       /* NULL, or: says that, and is read again by
                            * cw_reload() */
    bool allow_in_use;           /* read an image that others may be writing */
    enum cw_resume resume;       /* TRUST, or compare with what is held */
    bool delta; /* the target has an older copy: send what differs */
    /* NULL, or a file: JSON list of what has changed since the older copy was
     * made ({"offset", "length"}, bytes).  Only that is read; a delta. */
    const char *changed_extents;
    const char *job_id; /* NULL: from image and target, so that the same
                         * command resumes what it began */
};

/* ---- a source by HTTP, as KubeVirt CDI's cloner is one ---- */

struct cw_volume_options {
    const char *path; /* disk, or directory of a filesystem volume */
    bool is_tree;     /* the latter: all that is in it, as a tar stream */
    /* How to read a disk that is no raw one; of it, what is about the image
     * is used.  NULL: raw. */
    const struct cw_source_options *disk;
    const char *url; /* https://host:port/path of an upload server */
    struct cw_security security; /* of it, http is implied */
    struct cw_tuning tuning;
    struct cw_events events;
    uint64_t connect_timeout_ns; /* keep trying for so long */
    uint64_t total_bytes; /* about so much, for the progress; 0: find out */
    bool dense;           /* holes of files travel as zeros */
    bool allow_in_use;
};

/* ---- target ---- */

enum cw_preallocate {
    CW_PREALLOCATE_OFF,
    CW_PREALLOCATE_FALLOC,
    CW_PREALLOCATE_FULL,
    CW_PREALLOCATE_AUTO
};

struct cw_target_options {
    const char *destination; /* file to make, or block device */
    const char *listen;      /* "host:port", ":0" */
    struct cw_security security;
    struct cw_tuning tuning;
    struct cw_events events;
    bool overwrite;         /* an existing file may be replaced */
    bool keep_tail;         /* leave a larger device's tail as it is */
    bool target_is_zero;    /* the device reads zero already */
    bool refuse_compressed; /* take data only as it is */
    bool overcommit;        /* sparse file larger than the free space */
    bool once;              /* end after the first clone, even a failed one */
    /* When to give up if no source came: nanoseconds since 1970, UTC; 0:
     * never. */
    uint64_t deadline_unix_ns;
    enum cw_preallocate preallocate;
    enum cw_resume resume;
    bool delta;             /* an older copy is there: send what differs */
    bool verify_readback;   /* read the disk back before success */
    uint64_t checkpoint_ns; /* between checkpoints */
    bool only_resume;      /* a device: overwrite only what is blank, or what is
                       * recognized as begun by the source that comes */
    const char *state_dir; /* for checkpoints; NULL: beside a file's partial */
    uint32_t fs_overhead_ppm;
    /* Of the volume, as it was requested: a disk in a file is grown to what
     * of it is for the disk, and an upload must fit into it.  0: neither. */
    uint64_t volume_bytes;
    uint64_t size_bytes; /* guest disk size, 0: the source's */
    bool size_max;       /* grow to what the volume offers */
    /* With a pairing code: how long it waits for its source. */
    uint64_t pairing_valid_ns;
};

/* ---- running ---- */

/* The numbers behind "does not fit"; all 0 for every other error. */
struct cw_space {
    uint64_t need_bytes;
    uint64_t have_bytes;
    uint64_t usable_bytes;    /* the largest disk that would fit */
    uint64_t shortfall_bytes; /* need - have */
    uint64_t volume_bytes;    /* smallest volume to request */
};

struct cw_error {
    int status;       /* exit status, docs/operations.md */
    const char *kind; /* "no-space"; static */
    const char *hint; /* what to do about it; static, NULL: unknown */
    int errnum;       /* errno, or 0 */
    uint64_t offset;  /* of the disk, or UINT64_MAX */
    bool retryable;
    bool from_peer; /* it happened on the other side */
    struct cw_space space;
    char text[512]; /* one line, no newline */
};

struct cw_summary {
    uint64_t disk_bytes;
    uint64_t padding_bytes;  /* of it, zeros that make whole sectors */
    uint64_t data_bytes;     /* moved */
    uint64_t zero_bytes;     /* not moved */
    uint64_t same_bytes;     /* not moved: the target held them already */
    uint64_t verified_bytes; /* of the source's disk: read and digested */
    uint64_t unread_bytes;   /* the rest, taken on trust as it was told to */
    /* Of the target's disk: held from before, as its record says, and neither
     * read again nor sent. */
    uint64_t unverified_bytes;
    uint64_t wire_bytes;          /* on the network, TLS included */
    uint64_t compressed_bytes;    /* of data_bytes, what went compressed, */
    uint64_t compressed_to_bytes; /* and what that became */
    uint64_t allocated_bytes;     /* file target: space it takes */
    uint64_t elapsed_ns;          /* from HELLO to durable */
    uint64_t wait_disk_ns;        /* summed over lanes */
    uint64_t wait_net_ns;
    unsigned lanes;
    unsigned reconnects;
    const char *io_engine;     /* "io_uring", "threads"; static */
    const char *io_mode;       /* "direct", "dontcache", "buffered"; static */
    bool reads_holes;          /* source: holes of its file were read, too */
    const char *zero_method;   /* target: "hole", "punch-hole", ...; static */
    const char *preallocation; /* target: applied; static */
    char preallocation_why[96];
    const char *arrival; /* target: "clonewire", by HTTP "clone" or "upload";
                          * static */
    char image_format[64];
    char tls[64];         /* "TLSv1.3 TLS_AES_128_GCM_SHA256" */
    char peer[128];       /* address and name */
    char limited_by[160]; /* who was waited for: \"target writes: 71 % ...\" */
    char digest[96];      /* "xxh3-128:<64 hex digits>" */
};

/* ---- asking, without a peer ---- */

struct cw_inspection {
    char format[64];             /* "raw", "qcow2 in xz" */
    uint64_t virtual_bytes;      /* what the guest sees */
    uint64_t data_bytes;         /* of it, mapped as data */
    uint64_t zero_bytes;         /* of it, known to be zero */
    uint64_t allocated_bytes;    /* taken by the image itself */
    uint64_t file_volume_bytes;  /* filesystem volume to request */
    uint64_t block_volume_bytes; /* block volume to request */
    uint32_t fs_overhead_ppm;    /* that the former counts with */
};

/*
 * Looks at options->image (the rest of the options but its format is not
 * used).  0, or -1 with *error filled.
 */
int cw_source_inspect(const struct cw_source_options *options,
                      uint32_t fs_overhead_ppm,
                      struct cw_inspection *inspection, struct cw_error *error);

/*
 * Calls each for the extents of the disk in options->image, in order and
 * without gaps, data and zeros in turn; a negative answer ends it.  0, or -1
 * with *error filled.
 */
int cw_source_map(const struct cw_source_options *options,
                  int (*each)(void *opaque, uint64_t offset, uint64_t length,
                              bool is_zero),
                  void *opaque, struct cw_error *error);

struct cw_plan {
    bool is_block_device;
    uint64_t disk_bytes; /* of the guest disk that would be made */
    struct cw_space space;
    uint32_t fs_overhead_ppm;
};

/*
 * Would a disk of source_bytes fit options->destination?  Writes nothing.
 * 0: yes; -1: no, or unknown: *error says why, *plan has the numbers if the
 * answer is "no-space".
 */
int cw_target_plan(const struct cw_target_options *options,
                   uint64_t source_bytes, struct cw_plan *plan,
                   struct cw_error *error);

/*
 * Makes a new pairing code, a secret of 256 bits, "cw1-...".  The source
 * needs it and one address of the target: people paste "cw1-...@host:port".
 */
int cw_pairing_make(char code[CW_PAIRING_CHARS], struct cw_error *error);

#define CW_DIGEST_CHARS 96

/* Writes "xxh3-128:<64 hex digits>" of the disk in options->image to text. */
int cw_source_digest(const struct cw_source_options *options,
                     char text[CW_DIGEST_CHARS], struct cw_error *error);

/*
 * The same of the raw disk at options->destination: of options->size_bytes
 * from its beginning, where that is not 0.
 */
int cw_target_digest(const struct cw_target_options *options,
                     enum cw_digest digest, char text[CW_DIGEST_CHARS],
                     struct cw_error *error);

/* What a receipt says. */
struct cw_receipt {
    uint64_t disk_bytes;    /* of the disk that was cloned */
    uint64_t ended_unix_ns; /* when that was; nanoseconds since 1970, UTC */
    char digest[CW_DIGEST_CHARS];
};

/*
 * Is the disk in options->image the one that the receipt in the file at path
 * is of?  0: yes.  -1 with *error filled: no ("mismatch"), or it cannot be
 * told; each, unless it is NULL, is called for every range that differs, as
 * of cw_source_map().  *receipt is filled as soon as it is read.
 */
int cw_source_check_receipt(
    const struct cw_source_options *options, const char *path,
    int (*each)(void *opaque, uint64_t offset, uint64_t length), void *opaque,
    struct cw_receipt *receipt, struct cw_error *error);

/* The same of the raw disk at options->destination, which may be larger. */
int cw_target_check_receipt(
    const struct cw_target_options *options, const char *path,
    int (*each)(void *opaque, uint64_t offset, uint64_t length), void *opaque,
    struct cw_receipt *receipt, struct cw_error *error);

/* What is about to be overwritten. */
struct cw_destination {
    bool is_block_device; /* all else is of a device */
    bool is_blank;        /* nothing on it that anybody could miss */
    uint64_t size_bytes;
    char model[96];     /* "Samsung SSD 870", or "" */
    char serial[96];    /* or "" */
    char contents[160]; /* "ext4 filesystem \"root\"", "nothing", ... */
};

/* Looks at options->destination and changes nothing.  0, or -1: *error. */
int cw_target_look(const struct cw_target_options *options,
                   struct cw_destination *destination, struct cw_error *error);

/*
 * Does options->destination, a block device, hold a clone that was begun
 * before, by the checkpoint in options->state_dir?  Then that job may go on
 * without asking the user.
 */
bool cw_target_is_begun(const struct cw_target_options *options);

/*
 * Would writing to one of two paths change what the other names?  So where
 * both name one file or device, by whatever links, or one is a loop device
 * over the other or another layer of it, or both name the same new file.
 * False also where nothing is known.
 */
bool cw_paths_overlap(const char *a, const char *b);

/* Something that this machine can or cannot do. */
struct cw_finding {
    const char *name; /* "io_uring"; static */
    bool is_good;
    char found[256];
    char advice[192]; /* what to do about it, or "" */
};

#define CW_FINDINGS 16

/* Tries out what works here, and on path unless it is NULL; changes
 * nothing.  Returns how many findings there are. */
unsigned cw_doctor(const char *path, struct cw_finding findings[CW_FINDINGS]);

struct cw_job;

/* NULL with *error filled on failure.  Owned by the caller. */
struct cw_job *cw_source_open(const struct cw_source_options *options,
                              struct cw_error *error);
struct cw_job *cw_target_open(const struct cw_target_options *options,
                              struct cw_error *error);

/*
 * Sends options->path by HTTP, unless the target speaks clonewire/1 and what
 * is to be sent is one disk: then cw_run() returns 1 and has sent nothing,
 * for the caller to open a source of that disk (of a directory, of the
 * CW_VOLUME_DISK_NAME in it) instead, which is faster, and resumes.  Success,
 * by HTTP, is the target's word: there are no digests.
 */
struct cw_job *cw_volume_open(const struct cw_volume_options *options,
                              struct cw_error *error);

#define CW_VOLUME_DISK_NAME "disk.img" /* the one disk of such a directory */

/*
 * A copy within this machine: source's image to target's destination, with
 * source's digest, tuning and events.  Of both, what is about the network is
 * not used.
 */
struct cw_job *cw_local_open(const struct cw_source_options *source,
                             const struct cw_target_options *target,
                             struct cw_error *error);

/*
 * Runs the job to its end, once.  0: the copy is equal and durable and
 * *summary is filled.  -1: *error says why; the peer was told the same.
 * 1: target: no source came by the deadline, so there is no copy.
 */
int cw_run(struct cw_job *job, struct cw_summary *summary,
           struct cw_error *error);

/* Asks a running job to stop cleanly within seconds.  Async-signal-safe. */
void cw_stop(struct cw_job *job);

/* Asks a running job to read its certificates and keys again.
 * Async-signal-safe. */
void cw_reload(struct cw_job *job);

/* Asks a running job to log how far it is.  Async-signal-safe. */
void cw_report(struct cw_job *job);

/* Tolerates NULL. */
void cw_close(struct cw_job *job);

#ifdef __cplusplus
}
#endif

#endif
