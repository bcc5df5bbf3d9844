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
    const char *file;        /* borrowed; NULL: stdout */
    uint64_t valid_ns;
    char code[CW_PAIRING_CHARS]; /* secret, wiped once it is printed */
};

/*
 * If config has no identity, makes a code for its options and adds a callback to
 * their events (already filled).  The code goes to config->code_file, else to
 * stdout, but not to a stdout that is a log.  Returns 0, or -1 and fills
 * *error; its status is 2 if the code has nowhere to go.
 */
int pairing_offer_make(struct pairing_offer *offer, struct program *process,
                       struct target_config *config, struct cw_error *error);

void pairing_offer_wipe(struct pairing_offer *offer);

#endif
