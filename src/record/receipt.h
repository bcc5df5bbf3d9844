/*
 * receipt.h - what a clone leaves for later: which disk it was, by its
 * digests, to be compared with any copy of it, in whatever form.
 *
 * A JSON object, and beside it (its name and ".chunks") the table of the
 * chunk digests in disk order, which the root in the receipt proves.
 */
#ifndef CW_RECORD_RECEIPT_H
#define CW_RECORD_RECEIPT_H

#include <limits.h>

#include "base/error.h"
#include "record/digest.h"

#define RECEIPT_TEXT_BYTES 128U

struct receipt {
    char software[RECEIPT_TEXT_BYTES];      /* "clonewire 0.1.0" */
    char peer_software[RECEIPT_TEXT_BYTES]; /* "": there was no peer */
    char side[RECEIPT_TEXT_BYTES];          /* "source", "target" */
    char job[RECEIPT_TEXT_BYTES];
    char format[RECEIPT_TEXT_BYTES]; /* of the image */
    char chunk_file[NAME_MAX + 1];   /* beside the receipt */
    enum digest_algorithm algorithm;
    uint8_t root[DIGEST_ROOT_BYTES];
    uint64_t disk_bytes;       /* of the source's disk */
    uint64_t verified_bytes;   /* of it, read by the source in that run */
    uint64_t unverified_bytes; /* held by the target, and not read again */
    bool is_mixed;             /* the image changed while it was read */
    bool reads_holes;          /* holes of the image's file were read, too */
    uint64_t start_ns;         /* since 1970, UTC */
    uint64_t ended_ns;
};

/* Can a receipt be made at path?  ERROR_USAGE: no, and why. */
int receipt_try(const char *path, struct error *err);

/*
 * Writes receipt and the table, durably and each whole or not at all; sets
 * algorithm, root, disk_bytes and chunk_file.  ERROR_SYSTEM.
 */
int receipt_write(const char *path, struct receipt *receipt,
                  const struct digest *digest, struct error *err);

/* Reads a receipt.  ERROR_USAGE: there is none; ERROR_FORMAT: it is none. */
int receipt_read(const char *path, struct receipt *receipt, struct error *err);

/*
 * Reads its table into digest, empty and of its disk and algorithm.
 * ERROR_USAGE: it is not there; ERROR_FORMAT: it is not what the receipt's
 * root is of.
 */
int receipt_read_chunks(const char *path, const struct receipt *receipt,
                        struct digest *digest, struct error *err);

#endif
