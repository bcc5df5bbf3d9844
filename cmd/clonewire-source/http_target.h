/*
 * http_target.h - a target with a URL, such as KubeVirt CDI's upload server.
 * The source asks for clonewire/1 first; every such target supports HTTP.
 */
#ifndef CW_CLONEWIRE_SOURCE_HTTP_TARGET_H
#define CW_CLONEWIRE_SOURCE_HTTP_TARGET_H

#include "clonewire-source/options.h"
#include "program/program.h"

/* Returns whether text is an "https://..." URL. */
bool url_is(const char *target);

/* Sends a disk, or all files of a directory.  Returns the exit status. */
int url_send(struct program *process, struct source_config *config);

#endif
