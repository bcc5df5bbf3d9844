#include "target/target.h"

#include <string.h>

#include "base/log.h"
#include "plan/gpt.h"

bool target_is_same_job(const struct target *t,
                        const struct message_hello *hello)
{
    return t->has_disk && strcmp(hello->job, t->disk_of.job) == 0 &&
           hello->virtual_bytes == t->disk_of.virtual_bytes &&
           hello->digest == t->disk_of.digest;
}

void target_check_sectors(const struct target_plan *plan, const uint8_t *data,
                          size_t len)
{
    uint32_t made_for = gpt_misfit(data, len, plan->sector_bytes);

    if (made_for != 0)
        log_warn("the guest's partition table (GPT) was made for sectors of %u "
                 "bytes, %s has sectors of %u: the guest may not find its "
                 "partitions",
                 made_for, plan->path, plan->sector_bytes);
}
