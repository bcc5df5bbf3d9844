#include "job/job_status.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/version.h"
#include "record/receipt.h"

const char *job_phase_name(enum cw_phase phase)
{
    switch (phase) {
    case CW_PHASE_STARTING: return "starting";
    case CW_PHASE_PLANNING: return "planning";
    case CW_PHASE_COPYING: return "copying";
    case CW_PHASE_FLUSHING: return "flushing";
    case CW_PHASE_VERIFYING: return "verifying";
    case CW_PHASE_WAITING: return "waiting";
    case CW_PHASE_DONE: return "done";
    }
    return "unknown";
}

int job_write_receipt(const struct cw_job *job,
                      const struct cw_summary *summary, struct error *err)
{
    struct receipt receipt = {
        .verified_bytes = summary->verified_bytes,
        .unverified_bytes = summary->unverified_bytes,
        .reads_holes = summary->reads_holes,
        .is_mixed = summary->is_mixed,
        .ended_ns = clock_unix_ns(),
    };

    if (!job->events.receipt)
        return 0;
    receipt.start_ns = receipt.ended_ns - summary->elapsed_ns;
    snprintf(receipt.software, sizeof(receipt.software), "clonewire %s",
             version_text());
    snprintf(receipt.peer_software, sizeof(receipt.peer_software), "%s",
             job->status.peer_software);
    snprintf(receipt.side, sizeof(receipt.side), "%s",
             job->is_source ? "source" : "target");
    snprintf(receipt.job, sizeof(receipt.job), "%s", job->status.id);
    snprintf(receipt.format, sizeof(receipt.format), "%s",
             summary->image_format);
    if (receipt_write(job->events.receipt, &receipt, job->status.digest, err) ==
        0)
        return 0;
    return error_wrap(err, "the copy is complete, but has no receipt");
}
