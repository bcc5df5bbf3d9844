/*
 * target_trust.h - --resume=trust: when may a target believe its record
 * without reading the disk again?
 *
 * Only where all of this agrees: the record is authenticated with a key of
 * this pair, nothing has been written to the disk since it was saved (size,
 * times, the kernel's counters), and samples of what it claims.
 */
#ifndef CW_TARGET_TARGET_TRUST_H
#define CW_TARGET_TARGET_TRUST_H

#include "target/target.h"

/* Main thread: the key of the record of this pair.  False: there is none, as it has only a
 * one-time code, or a private key that cannot be had. */
bool target_trust_key(struct target *t, uint8_t key[DIGEST_MAC_BYTES]);

/* Did either side ask for it? */
bool target_trust_is_asked(const struct target *t);

/* 1: yes; 0: not asked for, or the log says why not; -1: errors as of
 * disk_scan_run(). */
int target_trust(struct target *t, struct error *err);

#endif
