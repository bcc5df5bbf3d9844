/*
 * ssh_launch.h - --via ssh: starts the target on the other machine, reads the
 * pairing code that it prints, and passes it to the source.
 *
 *     source --- ssh ---> sh -c "exec clonewire-target ... DEST"
 *        |   <-- code ---        |
 *        +-------- TLS ----------+   directly, or (--through-ssh) in a second
 *                                    ssh that forwards a port
 */
#ifndef CW_CLONEWIRE_SOURCE_SSH_LAUNCH_H
#define CW_CLONEWIRE_SOURCE_SSH_LAUNCH_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "clonewire-source/options.h"
#include "clonewire-source/pairing_argument.h"

struct ssh_launch {
    pid_t target; /* the ssh that runs it; 0: none */
    pid_t tunnel; /* the ssh that forwards a port; 0: none */
    int out;      /* the target's stdout; -1: none */
};

/*
 * Starts the target of config->options.target ("user@host:DEST") and stores the
 * code that it prints in paste.  Fails with the target's kind of error if that
 * is known.  Call ssh_launch_finish() in any case.
 */
int ssh_launch_start(struct ssh_launch *via, const struct source_config *config,
                     struct pairing_argument *paste, struct error *err);

/* After the job: ends the processes that were started here. */
void ssh_launch_finish(struct ssh_launch *via, bool is_good);

#endif
