/*
 * pairing_argument.h - the pairing code that a target printed, from wherever it comes:
 * HOST:PORT's place, --code, --code-file, or a question on the terminal.
 */
#ifndef CW_CLONEWIRE_SOURCE_PAIRING_ARGUMENT_H
#define CW_CLONEWIRE_SOURCE_PAIRING_ARGUMENT_H

#include "base/error.h"
#include "clonewire-source/options.h"

#define PAIRING_ARGUMENT_TEXT_BYTES 512

/* What was pasted, cut in two.  A secret: wiped by pairing_argument_wipe(). */
struct pairing_argument {
    char text[PAIRING_ARGUMENT_TEXT_BYTES];
};

/*
 * Finds the code and points config's target and pairing_code into paste; the
 * words of argv that held it are overwritten, so that ps(1) does not show
 * them.  Without a code nothing changes.  Fails with ERROR_USAGE.
 */
int pairing_argument_settle(struct pairing_argument *paste,
                            struct source_config *config, char **argv,
                            struct error *err);

/* The second half of it, for a text that is there: fills config. */
int pairing_argument_cut(struct pairing_argument *paste,
                         struct source_config *config, struct error *err);

/* When the job is open: only the address stays. */
void pairing_argument_wipe(struct pairing_argument *paste,
                           struct source_config *config);

#endif
