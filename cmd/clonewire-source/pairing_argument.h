/*
 * pairing_argument.h - the pairing code that a target printed, from wherever it comes:
 * HOST:PORT's place, --code, --code-file, or a question on the terminal.
 */
#ifndef CW_CLONEWIRE_SOURCE_PAIRING_ARGUMENT_H
#define CW_CLONEWIRE_SOURCE_PAIRING_ARGUMENT_H

#include "base/error.h"
#include "clonewire-source/options.h"

#define PASTE_TEXT_BYTES 512

/* What was pasted, cut in two.  A secret: wiped by paste_wipe(). */
struct paste {
    char text[PASTE_TEXT_BYTES];
};

/*
 * Finds the code and points config's target and pairing_code into paste; the
 * words of argv that held it are overwritten, so that ps(1) does not show
 * them.  Without a code nothing changes.  Fails with ERROR_USAGE.
 */
int paste_settle(struct paste *paste, struct source_config *config, char **argv,
                 struct error *err);

/* The second half of it, for a text that is there: fills config. */
int paste_cut(struct paste *paste, struct source_config *config,
              struct error *err);

/* When the job is open: only the address stays. */
void paste_wipe(struct paste *paste, struct source_config *config);

#endif
