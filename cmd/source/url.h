/*
 * url.h - a target that is named by a URL, as KubeVirt CDI's upload server
 * is: it is asked which protocol it speaks, and HTTP is what all of them do.
 */
#ifndef CW_SOURCE_URL_H
#define CW_SOURCE_URL_H

#include "common/process.h"
#include "source/options.h"

/* Is it "https://..."? */
bool url_is(const char *target);

/* Sends the disk, or of a directory all files, and returns the exit status. */
int url_send(struct process *process, struct source_config *config);

#endif
