/*
 * message.h - the messages of the control connection, and JOIN on a lane.
 * Pure: bytes to structs and back.  docs/protocol.md is normative.
 *
 *   S -> T  HELLO     who, how large, how many lanes
 *   S -> T  TREE *    the index of a directory, if HELLO announces one
 *   T -> S  SAMPLE *, answered by HAVE or LEAVES for each chunk
 *   T -> S  PLAN      accepted: lanes, session secret, size of the disk
 *   T -> S  HAVE *    chunks the target already holds, with digests
 *   T -> S  GO        lanes may come
 *   T -> S  HAVE, LEAVES *   the rest, as it is read (if PLAN surveys)
 *   S -> T  JOIN      first message of every lane
 *   both    PROGRESS  at least once a second; doubles as heartbeat
 *   both    ERROR     the cause; the sender closes after it
 *   S -> T  FINISH    every lane has ended; the digest root
 *   T -> S  DONE      durable, equal, in place
 *   S -> T  BYE       DONE has arrived
 *
 * A message is a header (type, flags = 0, payload length; 8 bytes) and a
 * payload: fixed fields big-endian, strings with a 16-bit length in front.
 * After the fields, a later version may add options {tag, length, bytes}.
 * Unknown options are skipped; other bytes are an error.
 */
#ifndef CW_WIRE_MESSAGE_H
#define CW_WIRE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MESSAGE_VERSION        1U
#define MESSAGE_VERSION_TREE   2U /* of a HELLO with tree_bytes */
#define MESSAGE_HEADER_BYTES   8U
#define MESSAGE_MAX_BYTES      65536U /* payload */
#define MESSAGE_SECRET_BYTES   32U
#define MESSAGE_ROOT_BYTES     32U
#define MESSAGE_IDENTITY_BYTES 16U
#define MESSAGE_JOB_BYTES      128U /* strings: with their NUL here, */
#define MESSAGE_NAME_BYTES     64U  /* without it on the wire */
#define MESSAGE_TEXT_BYTES     512U
#define MESSAGE_MAX_LANES      64U
#define MESSAGE_MAX_PADDING    511U  /* bytes, to a sector of 512 */
#define MESSAGE_HAVE_MAX       1024U /* chunks in one HAVE with digests */
#define MESSAGE_DIGEST_BYTES   32U
#define MESSAGE_CODEC_ZSTD     1U     /* bits of codecs: FRAME_ZSTD may come */
#define MESSAGE_CHUNK_LEAVES   16U    /* digests of a chunk in LEAVES */
#define MESSAGE_LEAVES_MAX     64U    /* chunks in one LEAVES, */
#define MESSAGE_SUMS_MAX       16U    /* of them where it has sums */
#define MESSAGE_SUMS_BYTES     1536U  /* sums of the blocks of a chunk */
#define MESSAGE_SAMPLE_MAX     256U   /* chunks in one SAMPLE */
#define MESSAGE_TREE_MAX       32768U /* bytes of the index in one TREE */
#define MESSAGE_TREE_BYTES     (UINT64_C(64) << 20) /* the longest index */
/* Maximum of chunks announced by LEAVES and not yet sent; both ends keep them. */
#define MESSAGE_LEAVES_AHEAD 4096U
/* In LEAVES before GO: each byte of the digest of a leaf that the target does not
 * hold.  A hash has that value with a probability of 2^-128. */
#define MESSAGE_LEAF_MISSING 0xffU

enum message_type {
    MESSAGE_HELLO = 1,
    MESSAGE_PLAN = 2,
    MESSAGE_HAVE = 3,
    MESSAGE_GO = 4,
    MESSAGE_JOIN = 5,
    MESSAGE_PROGRESS = 6,
    MESSAGE_ERROR = 7,
    MESSAGE_FINISH = 8,
    MESSAGE_DONE = 9,
    MESSAGE_BYE = 10,
    MESSAGE_LEAVES = 11,
    MESSAGE_SAMPLE = 16,
    MESSAGE_TREE = 17,
};

struct message_hello {
    uint16_t version;
    uint16_t lanes;         /* wanted, 1..MESSAGE_MAX_LANES */
    uint32_t chunk_bytes;   /* CHUNK_BYTES in version 1 */
    uint32_t digest;        /* enum digest_algorithm */
    uint64_t virtual_bytes; /* at most INT64_MAX */
    uint64_t data_bytes;    /* mapped as data: an estimate for displays */
    char job[MESSAGE_JOB_BYTES];
    char format[MESSAGE_NAME_BYTES];   /* "raw", "qcow2 in xz" */
    char software[MESSAGE_NAME_BYTES]; /* "clonewire 0.1.0" */
    uint32_t codecs; /* offered; unknown bits are kept.  Option 1, if any */
    /* Option 5: the root of a disk that this source has sent FINISH for. */
    bool has_finished;
    uint8_t root[MESSAGE_ROOT_BYTES];
    /* Option 2: identifies the image until it is written to. */
    bool has_identity;
    uint8_t identity[MESSAGE_IDENTITY_BYTES];
    bool asks_delta;        /* option 4: wants to change an older copy */
    bool takes_sums;        /* option 6: LEAVES may have sums */
    uint16_t padding_bytes; /* option 7: of virtual_bytes, zeros added at the
                             * end to fill the sector; 0: no option */
    bool takes_parts;       /* option 8: LEAVES may come before GO, of parts */
    uint16_t file_mode;     /* option 9: permission bits for a copy in a file;
                             * 0: no option, the target decides */
    uint64_t stored_bytes;  /* option 10: that a sparse copy surely takes, at
                             * most virtual_bytes; 0: no option, unknown */
    bool takes_missing;     /* option 16: HAVE may have its option 16 */
    bool answers_sample;    /* option 17: SAMPLE may come before PLAN */
    bool asks_trust;        /* option 18: the target may trust its record */
    uint64_t tree_bytes;    /* option 19: the disk is a directory, and so long
                             * is its index, 1..MESSAGE_TREE_BYTES; 0: no
                             * option, it is a disk */
    uint32_t pass;          /* option 20: of a clone of several passes, from 1;
                             * 0: no option, the only one */
    uint32_t next_pass_s;   /* option 21: another pass follows this one, within
                             * so many seconds; 0: no option, it is the last */
};

struct message_plan {
    uint16_t lanes;      /* accepted, 1..wanted */
    uint64_t disk_bytes; /* of the disk the target makes */
    uint8_t secret[MESSAGE_SECRET_BYTES];
    char software[MESSAGE_NAME_BYTES];
    uint32_t codecs; /* accepted, of those offered.  Option 1, if any */
    /* Option 2: of the image that all held chunks come from. */
    bool has_identity;
    uint8_t identity[MESSAGE_IDENTITY_BYTES];
    bool wants_trust; /* option 3: held chunks need not be read again */
    bool surveys;     /* option 4: announces each chunk before it may be sent */
    bool has_sums;    /* option 5: every LEAVES has sums */
    bool takes_passes; /* option 6: another pass may follow */
};

struct message_have {
    uint64_t first;         /* chunk */
    uint16_t count;         /* 1..MESSAGE_HAVE_MAX; more where all are zero */
    uint16_t digest_bytes;  /* 0: the chunks are zero */
    const uint8_t *digests; /* count * digest_bytes; borrowed from input */
    bool is_missing;        /* option 16: the target holds none of them */
};

struct message_leaves {
    uint64_t first;         /* chunk */
    uint16_t count;         /* 1..MESSAGE_LEAVES_MAX */
    uint16_t digest_bytes;  /* 1..MESSAGE_DIGEST_BYTES */
    const uint8_t *digests; /* count * MESSAGE_CHUNK_LEAVES * digest_bytes;
                             * borrowed from input */
    const uint8_t *sums;    /* option 1: count * MESSAGE_SUMS_BYTES, count up
                             * to MESSAGE_SUMS_MAX; NULL: has none */
};

/* T -> S, before PLAN: asks for digests of the source's chunks. */
struct message_sample {
    uint16_t count;                      /* 1..MESSAGE_SAMPLE_MAX */
    uint64_t chunks[MESSAGE_SAMPLE_MAX]; /* ascending */
};

/* S -> T, after HELLO: a part of the index, in order. */
struct message_tree {
    uint64_t offset;
    uint16_t len;         /* 1..MESSAGE_TREE_MAX */
    const uint8_t *bytes; /* borrowed from input */
};

struct message_join {
    uint16_t lane; /* 0..lanes-1 */
    uint8_t secret[MESSAGE_SECRET_BYTES];
};

enum message_phase {
    MESSAGE_PHASE_COPYING = 0,
    MESSAGE_PHASE_FLUSHING = 1,
    MESSAGE_PHASE_VERIFYING = 2,
};

/* Time that the lanes of one end waited, summed: tells both ends what limited the
 * clone. */
struct message_waits {
    uint64_t disk_ns;
    uint64_t net_ns;
};

struct message_progress {
    uint64_t handled_bytes; /* of the mapped data: sent or skipped */
    uint64_t data_bytes;    /* sent */
    uint64_t zero_bytes;    /* not sent */
    uint64_t zeroed_bytes;  /* zeros written on the target's disk */
    uint16_t phase;         /* enum message_phase, unknown ones are kept */
    bool has_waits;
    struct message_waits waits; /* so far, of its lanes.  Option 1 */
};

/* Numbers of a disk that does not fit: need, have, usable, shortfall, volume
 * to request; bytes.  Travels as option 1 of ERROR. */
#define MESSAGE_SPACE_COUNT 5U

struct message_error {
    uint32_t kind; /* enum error_kind, unknown ones are kept */
    uint32_t errnum;
    uint64_t offset; /* UINT64_MAX: none */
    bool has_space;
    uint64_t space[MESSAGE_SPACE_COUNT];
    char text[MESSAGE_TEXT_BYTES];
};

struct message_finish {
    struct message_waits waits; /* of the source */
    uint8_t root[MESSAGE_ROOT_BYTES];
    uint64_t unread_bytes; /* option 1: their digests are the target's */
    bool is_mixed;         /* option 2: the image changed while it was read */
};

struct message_done {
    uint64_t disk_bytes;
    uint64_t allocated_bytes;   /* 0: a device */
    struct message_waits waits; /* of the target */
    uint8_t root[MESSAGE_ROOT_BYTES];
    uint64_t unverified_bytes; /* option 16: held and not read again */
};

struct message {
    enum message_type type;
    union {
        struct message_hello hello;
        struct message_plan plan;
        struct message_have have;
        struct message_leaves leaves;
        struct message_sample sample;
        struct message_tree tree;
        struct message_join join;
        struct message_progress progress;
        struct message_error error;
        struct message_finish finish;
        struct message_done done;
    };
};

enum message_result {
    MESSAGE_OK,
    MESSAGE_SHORT,      /* a field or string ends after the payload */
    MESSAGE_BAD_TYPE,   /* a type or flag this version does not know */
    MESSAGE_BAD_LENGTH, /* payload longer than MESSAGE_MAX_BYTES */
    MESSAGE_BAD_VALUE,  /* a field out of its bounds */
    MESSAGE_TRAILING,   /* bytes after the fields that are not an option */
};

/* Bytes that hold any encoded message. */
#define MESSAGE_BUFFER_BYTES (MESSAGE_HEADER_BYTES + MESSAGE_MAX_BYTES)

/*
 * Writes header and payload to out; returns the number of bytes.  Cuts strings
 * to their maximum.
 */
size_t message_encode(uint8_t out[MESSAGE_BUFFER_BYTES],
                      const struct message *message);

/* Reads the header: the type, and how many payload bytes follow. */
enum message_result message_decode_header(
    const uint8_t in[MESSAGE_HEADER_BYTES], enum message_type *type,
    uint32_t *payload_bytes);

/*
 * Reads the payload of a message of that type.  On MESSAGE_OK every field is
 * within its bounds and every string NUL-terminated and printable; on any
 * other result *message is unspecified.
 */
enum message_result message_decode(enum message_type type, const uint8_t *in,
                                   size_t len, struct message *message);

/* "HELLO"; "bad value": for messages.  Never NULL. */
const char *message_type_name(enum message_type type);
const char *message_result_text(enum message_result result);

#endif
