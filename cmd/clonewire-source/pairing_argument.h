/*
 * pairing_argument.h - gets the pairing code that a target printed: from the
 * HOST:PORT argument, --code, --code-file, or a prompt on the terminal.
 */
#ifndef CW_CLONEWIRE_SOURCE_PAIRING_ARGUMENT_H
#define CW_CLONEWIRE_SOURCE_PAIRING_ARGUMENT_H

#include "base/error.h"
#include "clonewire-source/options.h"

#define PAIRING_ARGUMENT_TEXT_BYTES 512

/* Pasted text, split in two.  Secret: pairing_argument_wipe() wipes it. */
struct pairing_argument {
    char text[PAIRING_ARGUMENT_TEXT_BYTES];
};

/*
 * Finds the code and points config's target and pairing_code into paste.
 * Overwrites the arguments in argv that contained it, so that ps(1) does not
 * show them.  Without a code nothing changes.  Fails with ERROR_USAGE.
 */
int pairing_argument_settle(struct pairing_argument *paste,
                            struct source_config *config, char **argv,
                            struct error *err);

/* Fills config from a text that is already in paste. */
int pairing_argument_cut(struct pairing_argument *paste,
                         struct source_config *config, struct error *err);

/* Wipes the code once the job is open; keeps the address. */
void pairing_argument_wipe(struct pairing_argument *paste,
                           struct source_config *config);

#endif
