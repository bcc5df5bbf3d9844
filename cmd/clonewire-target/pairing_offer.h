/*
 * pairing_offer.h - a target without an identity makes a pairing code and prints what
 * to type on the other machine.
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
 * Makes a code for options when they name no identity, and a callback for
 * it in options->events (filled before).  0, or -1 with *error.
 */
int pairing_offer_make(struct pairing_offer *offer, struct program *process,
                       struct cw_target_options *options,
                       struct cw_error *error);

void pairing_offer_wipe(struct pairing_offer *offer);

#endif
