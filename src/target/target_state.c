#include "target/target.h"

#include <string.h>

bool target_is_same_job(const struct target *t,
                        const struct message_hello *hello)
{
    return t->has_disk && strcmp(hello->job, t->disk_of.job) == 0 &&
           hello->virtual_bytes == t->disk_of.virtual_bytes &&
           hello->digest == t->disk_of.digest;
}
