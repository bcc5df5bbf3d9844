/*
 * progress_bar.h - formats progress as text.  No I/O.
 *
 * It shows 100 % only in CW_PHASE_DONE (durable and equal), never goes
 * backwards, and omits values that are unknown.
 */
#ifndef CW_OUTPUT_PROGRESS_BAR_H
#define CW_OUTPUT_PROGRESS_BAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clonewire/clonewire.h"

#define PROGRESS_BAR_NO_ETA UINT64_MAX

/* State between updates; initially zeroed. */
struct progress_bar {
    unsigned permille;     /* done, 0..1000 */
    uint64_t data_rate;    /* bytes/s moved, smoothed over some seconds */
    uint64_t handled_rate; /* bytes/s moved or skipped */
    uint64_t eta_s;        /* or PROGRESS_BAR_NO_ETA */
    bool has_rate;
    uint64_t last_ns;
    uint64_t last_data_bytes;
    uint64_t last_handled_bytes;
};

void progress_bar_update(struct progress_bar *bar,
                         const struct cw_progress *progress);

/*
 * Writes a line of at most columns - 1 columns (a full line would wrap) to buf,
 * without the least important fields if necessary.  Returns the width; colour
 * sequences have none.
 *
 *   copying    42.3% [=====>      ] 1.2 GiB/3 GiB 812.3 MiB/s ETA 0:02
 */
unsigned progress_bar_format(const struct progress_bar *bar,
                             const struct cw_progress *progress,
                             unsigned columns, bool colour, char *buf,
                             size_t len);

/* Formats a log line: "copying 42.3%, 1.2 GiB of 3 GiB, ..." */
const char *progress_bar_format_plain(const struct progress_bar *bar,
                                      const struct cw_progress *progress,
                                      char *buf, size_t len);

/* Returns bytes per second since copying began; 0: unknown yet. */
uint64_t progress_bar_average(const struct cw_progress *progress);

#endif
