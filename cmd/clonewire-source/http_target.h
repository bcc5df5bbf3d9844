/*
 * http_target.h - a target that is named by a URL, as KubeVirt CDI's upload server
 * is: it is asked which protocol it speaks, and HTTP is what all of them do.
 */
#ifndef CW_CLONEWIRE_SOURCE_HTTP_TARGET_H
#define CW_CLONEWIRE_SOURCE_HTTP_TARGET_H

#include "clonewire-source/options.h"
#include "program/program.h"

/* Is it "https://..."? */
bool url_is(const char *target);

/* Sends the disk, or of a directory all files, and returns the exit status. */
int url_send(struct program *process, struct source_config *config);

#endif
