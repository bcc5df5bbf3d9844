/*
 * clonewire.h - clone one VM disk from a source process to a target process.
 *
 * The embedding API, on which the two programs are built:
 *
 *     struct cw_error error;
 *     struct cw_summary summary;
 *     struct cw_job *job = cw_source_open(&options, &error);
 *
 *     if (!job || cw_run(job, &summary, &error) < 0)
 *         fprintf(stderr, "%s\n", error.text);
 *     cw_close(job);
 *
 * cw_run() blocks until the clone is equal and durable, or has failed.  While
 * it runs, call only cw_stop(), cw_reload() and cw_report(), from any thread or
 * signal handler.  The library calls the callbacks on its own threads; they
 * must not call the library.
 *
 * All strings in options are borrowed until cw_close().  Zero or NULL selects
 * the default that docs/options.md gives for the option of that name.
 *
 * A pointer is required unless its comment says what NULL means; struct
 * cw_error may always be NULL.  A function that lacks one fails with status 2
 * ("usage") and names it.
 */
#ifndef CLONEWIRE_CLONEWIRE_H
#define CLONEWIRE_CLONEWIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* "0.1.0" */
const char *cw_version(void);

/* ---- options of both sides ---- */

/*
 * Identity of this side and trust in the other: X.509 (cert_file, key_file,
 * ca_file; PEM) or a pre-shared key (psk_file; lines of "identity:hex").
 */
struct cw_security {
    const char *cert_file;
    const char *key_file;
    const char *ca_file;
    const char *psk_file;
    const char *psk_identity; /* source: line to use; NULL: the only one */
    const char *peer_name;    /* SAN or CN that the peer must carry */
    bool allow_tls12;

    /*
     * Certificates only.  Target: also accept uploads and KubeVirt CDI clones
     * over HTTP/1.1 on the same port; peer_name is then the exact common name
     * that such a client must have.  Source: also offer HTTP/1.1.
     */
    bool http;
    bool http_only;      /* source: offer only HTTP/1.1 */
    const char *ciphers; /* names separated by ":" or ","; NULL: default */
    const char *groups;
    bool openssl_aes; /* never Intel's library, which may be faster */

    /* Replaces all of the above: a code that cw_pairing_make() made on the
     * target, for one job.  May be wiped once the job is open. */
    const char *pairing_code;
};

#define CW_PAIRING_CHARS 72

enum cw_io_engine {
    CW_IO_ENGINE_AUTO,
    CW_IO_ENGINE_URING,
    CW_IO_ENGINE_THREADS
};

/* How disk I/O uses the page cache; auto: the first of these that works. */
enum cw_io_mode {
    CW_IO_MODE_AUTO,
    CW_IO_MODE_DIRECT,
    CW_IO_MODE_DONTCACHE,
    CW_IO_MODE_BUFFERED
};

/* Whether to skip the holes that a filesystem reports, without reading them. */
enum cw_holes {
    CW_HOLES_AUTO,  /* unless the filesystem contradicts itself */
    CW_HOLES_TRUST, /* yes */
    CW_HOLES_SCAN   /* no: read the whole file */
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
    CW_PHASE_WAITING, /* between two passes: the copy of the last is complete */
    CW_PHASE_DONE,    /* durable and equal: the only 100 % */
};

struct cw_progress {
    enum cw_phase phase;
    uint64_t disk_bytes;     /* size of the disk; 0 while unknown */
    uint64_t total_bytes;    /* mapped data, known before the first byte */
    uint64_t handled_bytes;  /* of total_bytes: moved, or found to be zero */
    uint64_t data_bytes;     /* moved */
    uint64_t zero_bytes;     /* zeros that were not moved */
    uint64_t zeroed_bytes;   /* zeroed on the target's disk */
    uint64_t verified_bytes; /* read back from the disk after the writes */
    uint64_t elapsed_ns;     /* since copying began */
    unsigned lanes;
    uint64_t lost_ns;    /* since the connection was lost; 0: it is there */
    uint64_t retry_ns;   /* lost: how much longer another is waited for */
    unsigned pass;       /* with follow: the current one, from 1; 0: without */
    uint64_t cutover_ns; /* expected duration of the last pass; 0: unknown */
};

/* "copying"; for messages.  Never NULL. */
const char *cw_phase_name(enum cw_phase phase);

struct cw_error; /* below */

/* Callbacks; each may be NULL. */
struct cw_events {
    void (*log)(void *opaque, enum cw_log_level level, const char *line);
    /* About four times a second while running, and at each phase. */
    void (*progress)(void *opaque, const struct cw_progress *progress);
    /* Target: listens on address ("0.0.0.0:8443"); once for each address. */
    void (*listening)(void *opaque, const char *address);
    /* Target: the addresses at which a source can reach it ("10.0.0.7:8443"),
     * once.  The callback hands out the pairing code.  Returns 0, or -errno if
     * it could not: the job then ends, as no source can connect. */
    int (*reachable)(void *opaque, const char *const *addresses,
                     unsigned count);
    /* The job has failed and both sides know, but it cannot end because I/O
     * on a disk never completes.  The callback should end the process and not
     * return.  NULL: wait forever. */
    void (*stuck)(void *opaque, const struct cw_error *error);
    void *opaque;
    enum cw_log_level log_level; /* maximum level to log; 0: errors */
    /* Serve /healthz, /readyz and /metrics over HTTPS on "host:port"; NULL:
     * do not. */
    const char *metrics_listen;
    /* On metrics_listen, answer every path with the progress metric that
     * KubeVirt CDI's controller reads from a source, labelled with this owner.
     * A port that is in use is then not an error.  NULL: do not. */
    const char *cdi_owner_uid;
    /* Write a receipt of a successful clone to this file; NULL: do not. */
    const char *receipt;
};

/* For cw_tuning.retry_ns: a lost connection ends the clone. */
#define CW_RETRY_OFF UINT64_MAX

struct cw_tuning {
    enum cw_io_engine io_engine;
    enum cw_io_mode io_mode;
    enum cw_holes holes;
    unsigned lanes;           /* 0: from CPUs and cgroup quota */
    const char *congestion;   /* TCP_CONGESTION; NULL: system default */
    const char *bind_address; /* source: connect from it; NULL: any */
    const char *bind_device;  /* use only this interface */
    uint64_t dead_peer_ns;    /* silence after which the peer is dead */
    /* How long the source reconnects, or the target waits for it, after a lost
     * connection before the clone fails; progress restarts the timer. */
    uint64_t retry_ns; /* or CW_RETRY_OFF */
    uint64_t stall_ns; /* fail after this long without progress */
};

/* ---- source ---- */

/* Format and compression of the image; auto detects them by content. */
enum cw_format {
    CW_FORMAT_AUTO,
    CW_FORMAT_RAW,
    CW_FORMAT_QCOW2,
    CW_FORMAT_VDI,
    CW_FORMAT_VHD,
    CW_FORMAT_VHDX,
    CW_FORMAT_VMDK
};
enum cw_compression {
    CW_COMPRESSION_AUTO,
    CW_COMPRESSION_NONE,
    CW_COMPRESSION_GZIP,
    CW_COMPRESSION_XZ
};

/* How to use the data that an earlier run of the same job left. */
enum cw_resume {
    CW_RESUME_AUTO,    /* resume; both sides read and compare it */
    CW_RESUME_OFF,     /* start over */
    CW_RESUME_COMPARE, /* like auto, but ignore the checkpoint */
    CW_RESUME_TRUST,   /* like auto, but skip data proved unchanged */
};

/* What a delta into a file does with the older copy. */
enum cw_delta {
    CW_DELTA_OFF,     /* no delta */
    CW_DELTA_AUTO,    /* change a reflink of it; without reflinks: in place */
    CW_DELTA_INPLACE, /* change it in place */
    CW_DELTA_COPY,    /* change a reflink of it; without reflinks: a copy */
};

/* Compression on the network; auto: while it is slow enough for a gain. */
enum cw_compress {
    CW_COMPRESS_AUTO,
    CW_COMPRESS_OFF,
    CW_COMPRESS_ZSTD
};

/* For cw_source_options.cross_check: compare none. */
#define CW_CROSS_CHECK_OFF UINT32_MAX
#define CW_FOLLOW_STDIN    UINT64_MAX

struct cw_source_options {
    const char *image;  /* file, block device, or nbd:// URI of an export */
    const char *target; /* "host:port" */
    struct cw_security security;
    struct cw_tuning tuning;
    struct cw_events events;
    enum cw_digest digest;
    enum cw_format format;
    enum cw_compression compression; /* of the image */
    enum cw_compress compress;       /* on the network */
    uint64_t stream_bytes;           /* disk size in a gzip file; 0: find out */
    const char *backing_dir;         /* of backing files; NULL: refuse them */
    const char *scratch_dir;     /* for an image that is read more than once but
                              * comes through a pipe or is packed twice; NULL:
                              * refuse it */
    unsigned cross_check;        /* qcow2 clusters to compare with libqcow, or
                                  * CW_CROSS_CHECK_OFF */
    uint64_t connect_timeout_ns; /* how long to try to connect */
    uint64_t bytes_per_second;   /* maximum send rate; 0: no limit */
    const char *rate_file;       /* of the send rate; cw_reload() reads it
                                  * again; NULL: none */
    bool allow_in_use;           /* read an image that others may be writing */
    bool copy_mode; /* a copy in a file gets the image's permission bits */
    bool no_link;   /* image must not be a symbolic link: others write its
                     directory */
    enum cw_resume resume; /* TRUST; others: compare with the target */
    bool delta;            /* the target has an older copy: send what differs */
    /* File: list of the extents that changed since the older copy was made, in
     * any format of docs/operations.md.  The source reads only these, and sends
     * a delta.  NULL: none. */
    const char *changed_extents;
    /* The same from a dirty bitmap of the NBD export that image names. */
    const char *bitmap;
    /* Clone in passes that begin this long after each other (CW_FOLLOW_STDIN: at
     * a line on standard input); 0: one pass.  docs/operations.md. */
    uint64_t follow_ns;
    const char *follow_until;  /* NULL: none */
    uint64_t cutover_under_ns; /* 0: none */
    const char *job_id; /* NULL: derived from image and target, so that the
                         * same command resumes its clone */
};

/* ---- a source over HTTP, such as KubeVirt CDI's cloner ---- */

struct cw_volume_options {
    const char *path; /* disk, or directory of a filesystem volume */
    bool is_tree;     /* a directory: send its contents as a tar stream */
    /* How to read a disk that is not raw; only the fields about the image are
     * used.  NULL: raw. */
    const struct cw_source_options *disk;
    const char *url; /* https://host:port/path of an upload server */
    struct cw_security security; /* http is implied */
    struct cw_tuning tuning;
    struct cw_events events;
    uint64_t connect_timeout_ns; /* how long to try to connect; 0: 5 min */
    uint64_t total_bytes;        /* estimate for the progress; 0: find out */
    bool dense;                  /* send holes of files as zeros */
    bool allow_in_use;
};

/* ---- target ---- */

enum cw_preallocate {
    CW_PREALLOCATE_OFF,
    CW_PREALLOCATE_FALLOC,
    CW_PREALLOCATE_FULL,
    CW_PREALLOCATE_AUTO
};

/* For fs_overhead_ppm: the filesystem uses nothing of its volume. */
#define CW_FS_OVERHEAD_NONE UINT32_MAX

struct cw_target_options {
    const char *destination; /* file to create, or block device */
    const char *listen;      /* "host:port", ":0" */
    struct cw_security security;
    struct cw_tuning tuning;
    struct cw_events events;
    bool overwrite;         /* an existing file may be replaced */
    bool keep_tail;         /* do not zero the tail of a larger device */
    bool target_is_zero;    /* the device already reads as zero */
    bool refuse_compressed; /* accept only uncompressed data */
    bool overcommit;        /* allow a sparse file larger than the volume */
    bool once;              /* end after the first clone that has begun */
    /* When to give up if no source has connected: nanoseconds since 1970, UTC;
     * 0: never. */
    uint64_t deadline_unix_ns;
    enum cw_preallocate preallocate;
    enum cw_resume resume;
    enum cw_delta delta;  /* update an older copy */
    bool verify_readback; /* read the disk back before success */
    bool keep_setid; /* in an archive: setuid and setgid bits of files, and file
                      * capabilities */
    uint64_t checkpoint_ns;   /* between checkpoints */
    bool only_resume;         /* overwrite a device only if it is blank or holds
                            * an unfinished clone of the same source */
    const char *state_dir;    /* of checkpoints; NULL: next to a partial file */
    const char *scratch_dir;  /* for an upload that is read more than once;
                              * NULL, or not writable: next to a file */
    uint32_t fs_overhead_ppm; /* share of the volume that its filesystem uses,
                               * 55000: 5.5 %; or CW_FS_OVERHEAD_NONE */
    /* Requested size of the volume.  An uploaded disk must fit, and one in a
     * file is grown to the part of it that is for the disk; a clone keeps its
     * size.  0: no such limit. */
    uint64_t volume_bytes;
    uint64_t size_bytes; /* guest disk size; 0: the source's */
    bool size_max;       /* grow to the capacity of the volume */
    /* How long a pairing code is valid. */
    uint64_t pairing_valid_ns;
};

/* ---- running ---- */

/* Sizes of a "no-space" error; all 0 for every other error. */
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
    const char *hint; /* remedy; static; NULL: unknown */
    int errnum;       /* errno, or 0 */
    uint64_t offset;  /* of the disk, or UINT64_MAX */
    bool retryable;
    bool from_peer; /* reported by the other side */
    struct cw_space space;
    char text[512]; /* one line, no newline */
};

struct cw_summary {
    uint64_t disk_bytes;
    uint64_t padding_bytes;  /* of disk_bytes: zeros up to a whole sector */
    uint64_t data_bytes;     /* moved */
    uint64_t zero_bytes;     /* zeros that were not moved */
    uint64_t same_bytes;     /* not moved: the target already had them */
    uint64_t verified_bytes; /* of the source's disk: read and digested */
    uint64_t unread_bytes;   /* the rest: trusted, as the options allow */
    /* Of the target's disk: from an earlier run, by its checkpoint, and neither
     * read again nor sent. */
    uint64_t unverified_bytes;
    uint64_t wire_bytes;          /* on the network, TLS included */
    uint64_t compressed_bytes;    /* sent compressed, before compression */
    uint64_t compressed_to_bytes; /* sent compressed, after compression */
    uint64_t allocated_bytes;     /* file target: space allocated */
    uint64_t elapsed_ns;          /* from HELLO to durable */
    uint64_t wait_disk_ns;        /* summed over lanes */
    uint64_t wait_net_ns;
    unsigned lanes;
    unsigned reconnects;
    const char *io_engine; /* "io_uring", "threads"; static */
    const char *io_mode;   /* "direct", "dontcache", "buffered"; static */
    bool is_mixed;         /* the image changed meanwhile: not of one moment */
    unsigned passes;       /* with follow; 0: without */
    bool reads_holes;      /* source: also read the holes of its file */
    const char *zero_method;   /* target: "hole", "punch-hole", ...; static */
    const char *preallocation; /* target: applied; static */
    char preallocation_why[96];
    const char *arrival; /* target: "clonewire", "clone", "upload"; static */
    char image_format[64];
    char tls[64];         /* "TLSv1.3 TLS_AES_128_GCM_SHA256" */
    char peer[128];       /* address and name */
    char limited_by[160]; /* bottleneck: "target writes: 71 % ..." */
    char digest[96];      /* "xxh3-128:<64 hex digits>" */
};

/* ---- queries, without a peer ---- */

struct cw_inspection {
    char format[64];             /* "raw", "qcow2 in xz" */
    uint64_t virtual_bytes;      /* what the guest sees */
    uint64_t data_bytes;         /* of the disk: mapped as data */
    uint64_t zero_bytes;         /* of the disk: known to be zero */
    uint64_t allocated_bytes;    /* space allocated to the image */
    uint64_t file_volume_bytes;  /* filesystem volume to request */
    uint64_t block_volume_bytes; /* block volume to request */
    uint32_t fs_overhead_ppm;    /* included in file_volume_bytes */
};

/*
 * Inspects options->image; of the other options only its format is used.
 * fs_overhead_ppm: as in cw_target_options.
 * Returns 0, or -1 with *error filled.
 */
int cw_source_inspect(const struct cw_source_options *options,
                      uint32_t fs_overhead_ppm,
                      struct cw_inspection *inspection, struct cw_error *error);

/*
 * Calls each() for the extents of the disk in options->image, in order and
 * without gaps, data and zeros in turn, until it returns a negative value.
 * Returns 0, or -1 with *error filled.
 */
int cw_source_map(const struct cw_source_options *options,
                  int (*each)(void *opaque, uint64_t offset, uint64_t length,
                              bool is_zero),
                  void *opaque, struct cw_error *error);

struct cw_plan {
    bool is_block_device;
    uint64_t disk_bytes; /* size of the guest disk to be created */
    struct cw_space space;
    uint32_t fs_overhead_ppm;
};

/*
 * Checks whether a disk of source_bytes fits options->destination.  Writes
 * nothing.  Returns 0 if it fits; -1 with *error filled if not, or if that is
 * unknown.  *plan has the sizes if error->kind is "no-space".
 */
int cw_target_plan(const struct cw_target_options *options,
                   uint64_t source_bytes, struct cw_plan *plan,
                   struct cw_error *error);

/*
 * Makes a new pairing code, a secret of 256 bits, "cw1-...".  The source needs
 * it and one address of the target: users paste "cw1-...@host:port".
 */
int cw_pairing_make(char code[CW_PAIRING_CHARS], struct cw_error *error);

#define CW_DIGEST_CHARS 96

/*
 * Writes the digest of the disk in options->image, "xxh3-128:<64 hex digits>",
 * to text.  Returns 0, or -1 with *error filled.
 */
int cw_source_digest(const struct cw_source_options *options,
                     char text[CW_DIGEST_CHARS], struct cw_error *error);

/*
 * Like cw_source_digest(), for the raw disk at options->destination, or its
 * first options->size_bytes if that is not 0.
 */
int cw_target_digest(const struct cw_target_options *options,
                     enum cw_digest digest, char text[CW_DIGEST_CHARS],
                     struct cw_error *error);

/* Contents of a receipt. */
struct cw_receipt {
    uint64_t disk_bytes;    /* size of the cloned disk */
    uint64_t ended_unix_ns; /* end of the clone; ns since 1970, UTC */
    char digest[CW_DIGEST_CHARS];
};

/*
 * Compares the disk in options->image with the receipt in the file at path.
 * Returns 0 if they match; -1 with *error filled if not ("mismatch"), or if
 * that is unknown.  Calls each(), unless it is NULL, for every range that
 * differs, as cw_source_map() does.  Fills *receipt as soon as it is read.
 */
int cw_source_check_receipt(
    const struct cw_source_options *options, const char *path,
    int (*each)(void *opaque, uint64_t offset, uint64_t length), void *opaque,
    struct cw_receipt *receipt, struct cw_error *error);

/*
 * Like cw_source_check_receipt(), for the raw disk at options->destination,
 * which may be larger.
 */
int cw_target_check_receipt(
    const struct cw_target_options *options, const char *path,
    int (*each)(void *opaque, uint64_t offset, uint64_t length), void *opaque,
    struct cw_receipt *receipt, struct cw_error *error);

/* A destination that is about to be overwritten. */
struct cw_destination {
    bool is_block_device; /* the other fields describe a device */
    bool is_blank;        /* no signature; all samples read as zero */
    uint64_t size_bytes;
    char model[96];     /* "Samsung SSD 870", or "" */
    char serial[96];    /* or "" */
    char contents[160]; /* "ext4 filesystem \"root\"", "nothing", ... */
};

/*
 * Describes options->destination, and changes nothing.  Returns 0, or -1 with
 * *error filled.
 */
int cw_target_look(const struct cw_target_options *options,
                   struct cw_destination *destination, struct cw_error *error);

/*
 * Returns whether options->destination, a block device, holds an unfinished
 * clone, by the checkpoint in options->state_dir.  That job may then resume
 * without asking the user.
 */
bool cw_target_is_begun(const struct cw_target_options *options);

/*
 * Returns whether a write to one path would change the file or device at the
 * other: both name one file or device, through any links; one is a loop device
 * over the other, or another layer of it; or both name the same new file.
 * Returns false if that is unknown.
 */
bool cw_paths_overlap(const char *a, const char *b);

/* A capability that this machine has or lacks. */
struct cw_finding {
    const char *name; /* "io_uring"; static */
    bool is_good;
    char found[256];
    char advice[192]; /* remedy, or "" */
};

#define CW_FINDINGS 16

/*
 * Tests what works on this machine, and on path unless it is NULL; changes
 * nothing.  Returns the number of findings.
 */
unsigned cw_doctor(const char *path, struct cw_finding findings[CW_FINDINGS]);

struct cw_job;

/* Returns a job owned by the caller, or NULL with *error filled. */
struct cw_job *cw_source_open(const struct cw_source_options *options,
                              struct cw_error *error);
struct cw_job *cw_target_open(const struct cw_target_options *options,
                              struct cw_error *error);

/*
 * Sends options->path over HTTP.  If the target speaks clonewire/1 and the
 * volume is one disk, cw_run() sends nothing and returns 1: the caller then
 * opens a source of that disk (in a directory, of CW_VOLUME_DISK_NAME), which
 * is faster and can resume.  Over HTTP there are no digests: success is what
 * the target reports.
 */
struct cw_job *cw_volume_open(const struct cw_volume_options *options,
                              struct cw_error *error);

#define CW_VOLUME_DISK_NAME "disk.img" /* the only disk in a directory */

/* As cw_source_open(): copies source's image to target's destination on this
 * machine, with source's digest, tuning and events, without network options. */
struct cw_job *cw_local_open(const struct cw_source_options *source,
                             const struct cw_target_options *target,
                             struct cw_error *error);

/*
 * Runs the job to its end, once.  Returns 0 with *summary filled if the copy is
 * equal and durable; -1 with *error filled, which the peer received too; 1 on
 * the target if no source connected by the deadline, so there is no copy.
 */
int cw_run(struct cw_job *job, struct cw_summary *summary,
           struct cw_error *error);

/* Ask a running job to stop cleanly within seconds; to read its certificates and
 * keys again; to log its progress and, with follow_ns, to begin the last pass.
 * Async-signal-safe. */
void cw_stop(struct cw_job *job);
void cw_reload(struct cw_job *job);
void cw_report(struct cw_job *job);

/* Frees the job.  Accepts NULL. */
void cw_close(struct cw_job *job);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
