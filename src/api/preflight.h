/*
 * preflight.h - what works on this machine, and what to do about the rest.
 * Tries things out, and changes nothing.
 */
#ifndef CW_API_PREFLIGHT_H
#define CW_API_PREFLIGHT_H

#include "clonewire/clonewire.h"

/*
 * Fills at most max findings about this machine and, unless it is NULL,
 * about the disk, volume or directory at path.  Returns how many.
 */
unsigned preflight_examine(const char *path, struct cw_finding *findings,
                           unsigned max);

#endif
