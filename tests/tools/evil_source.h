/*
 * evil_source.h - what the sins of evil_source are committed with.
 */
#ifndef CW_TESTS_EVIL_SOURCE_H
#define CW_TESTS_EVIL_SOURCE_H

#include "evil.h"

struct evil {
    struct addr addr;
    struct tls *tls;
    struct conn *control;
    struct conn *lanes[2];
    uint8_t secret[MESSAGE_SECRET_BYTES];
};

/* Sends one frame by lane i, after its header zeros if it is DATA. */
void frame(struct evil *evil, unsigned i, enum frame_type type, uint64_t offset,
           uint64_t length);

/* FINISH with the digest of the disk of zeros. */
void finish(struct evil *evil);

/* An honest HELLO. */
struct message hello(unsigned lanes);

/* In place of HELLO: the index of a directory, of ./index.tar or wrong. */
void tree_index_evil(struct evil *evil);
void tree_other_disk(struct evil *evil);
void tree_damaged(struct evil *evil);
void tree_long(struct evil *evil);
void tree_gap(struct evil *evil);
void tree_unasked(struct evil *evil);
void tree_version(struct evil *evil);

/* In place of the lane's frames: packed ones. */
void zstd_honest(struct evil *evil);
void zstd_garbage(struct evil *evil);
void zstd_longer(struct evil *evil);
void zstd_shorter(struct evil *evil);
void zstd_damaged(struct evil *evil);
void zstd_two_frames(struct evil *evil);
void zstd_no_gain(struct evil *evil);
void zstd_across(struct evil *evil);

#endif
