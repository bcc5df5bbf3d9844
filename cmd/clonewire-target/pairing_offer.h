/*
 * pairing_offer.h - makes a pairing code for a target without an identity, and
 * prints the command for the other machine.
 */
#ifndef CW_CLONEWIRE_TARGET_PAIRING_OFFER_H
#define CW_CLONEWIRE_TARGET_PAIRING_OFFER_H

#include "clonewire-target/options.h"
#include "program/program.h"

struct pairing_offer {
    struct program *process; /* borrowed */
    uint64_t valid_ns;
    char code[CW_PAIRING_CHARS]; /* secret, wiped once it is printed */
};

/*
 * If options have no identity, makes a code for them and adds a callback to
 * options->events (already filled).  Returns 0, or -1 with *error filled.
 */
int pairing_offer_make(struct pairing_offer *offer, struct program *process,
                       struct cw_target_options *options,
                       struct cw_error *error);

void pairing_offer_wipe(struct pairing_offer *offer);

#endif
