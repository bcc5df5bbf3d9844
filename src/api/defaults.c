#include "api/defaults.h"

#include <stddef.h>

#include "base/clock.h"
#include "job/job.h"

#define LISTEN               "[::]:8443"
#define CONNECT_NS           (30 * CLOCK_SECOND_NS)
#define VOLUME_CONNECT_NS    (300 * CLOCK_SECOND_NS)
#define PAIRING_NS           (UINT64_C(15) * 60 * CLOCK_SECOND_NS)
#define CHECKPOINT_NS        (5 * CLOCK_SECOND_NS)
#define FS_OVERHEAD_PPM      55000U /* as CDI's controller assumes */
#define CROSS_CHECK_CLUSTERS 4U

static void fill_ns(uint64_t *field, uint64_t default_ns)
{
    if (*field == 0)
        *field = default_ns;
}

static void fill_tuning(struct cw_tuning *tuning)
{
    fill_ns(&tuning->retry_ns, JOB_RETRY_NS);
    fill_ns(&tuning->stall_ns, JOB_STALL_NS);
    fill_ns(&tuning->dead_peer_ns, JOB_DEAD_PEER_NS);
}

uint32_t defaults_fs_overhead(uint32_t ppm)
{
    if (ppm == 0)
        return FS_OVERHEAD_PPM;
    return ppm == CW_FS_OVERHEAD_NONE ? 0 : ppm;
}

struct cw_source_options defaults_source(
    const struct cw_source_options *options)
{
    struct cw_source_options out = *options;

    fill_tuning(&out.tuning);
    fill_ns(&out.connect_timeout_ns, CONNECT_NS);
    if (out.digest == CW_DIGEST_DEFAULT)
        out.digest = CW_DIGEST_XXH3_128;
    if (out.cross_check == 0)
        out.cross_check = CROSS_CHECK_CLUSTERS;
    else if (out.cross_check == CW_CROSS_CHECK_OFF)
        out.cross_check = 0;
    return out;
}

struct cw_target_options defaults_target(
    const struct cw_target_options *options)
{
    struct cw_target_options out = *options;

    fill_tuning(&out.tuning);
    fill_ns(&out.checkpoint_ns, CHECKPOINT_NS);
    fill_ns(&out.pairing_valid_ns, PAIRING_NS);
    if (!out.listen)
        out.listen = LISTEN;
    out.fs_overhead_ppm = defaults_fs_overhead(out.fs_overhead_ppm);
    return out;
}

struct cw_volume_options defaults_volume(
    const struct cw_volume_options *options)
{
    struct cw_volume_options out = *options;

    fill_tuning(&out.tuning);
    fill_ns(&out.connect_timeout_ns, VOLUME_CONNECT_NS);
    return out;
}
