#include "sink/file_plan.h"

#include <errno.h>

#include "base/cleanup.h"
#include "io/partial_tree.h"
#include "sink/final_name.h"
#include "sink/local_sink.h"
#include "sink/partial_file.h"

int file_plan_facts(const struct sink_options *options, const char *directory,
                    uint64_t leftover_bytes, struct sizing_facts *facts,
                    struct error *err)
{
    struct volume_space volume;

    if (volume_space(directory, &volume, err) < 0)
        return -1;
    volume.available_bytes += leftover_bytes;
    *facts = (struct sizing_facts){
        .wanted_bytes = options->size_bytes,
        .grow = options->size_max,
        .overcommit = options->overcommit &&
                      options->preallocate == CW_PREALLOCATE_OFF,
        .is_sparse = options->preallocate == CW_PREALLOCATE_OFF,
        .data_bytes = options->data_bytes,
        .overhead_ppm = options->overhead_ppm,
        .available_bytes = volume.available_bytes,
        .kept_bytes = volume.kept_bytes,
    };
    if (volume.total_bytes > volume.available_bytes)
        facts->taken_bytes = volume.total_bytes - volume.available_bytes;
    return 0;
}

int file_plan_decide(struct sizing_facts *facts, uint64_t old_bytes,
                     struct sizing_verdict *verdict, struct error *err)
{
    struct sizing_facts alone = *facts;
    struct sizing_verdict ignored;
    struct error why;

    /* What is unknown is not gambled on beside a file that is to stay. */
    if (old_bytes > 0 && facts->data_bytes == 0)
        facts->data_bytes = facts->virtual_bytes;
    if (sizing_plan(facts, verdict, err) == 0)
        return 0;
    if (old_bytes == 0 || err->kind != ERROR_NO_SPACE)
        return -1;
    alone.available_bytes += old_bytes;
    alone.taken_bytes -= old_bytes < alone.taken_bytes ? old_bytes
                                                       : alone.taken_bytes;
    if (sizing_plan(&alone, &ignored, &why) < 0)
        return -1;
    return error_wrap(err, "beside the old file, which stays until the new "
                           "one is whole (remove it, or use "
                           "--delta=inplace)");
}

int file_plan_refuse(const struct sink_options *options, struct error *err)
{
    return error_set(err, ERROR_REFUSED, 0,
                     "%s exists; --overwrite would replace it", options->path);
}

int file_plan_check_old(const struct sink_options *options,
                        const struct target_path *place, struct error *err)
{
    if (place->kind != TARGET_PATH_FILE || options->finished)
        return 0;
    if (options->overwrite || options->delta)
        return sink_check_guest(options->path, err);
    return file_plan_refuse(options, err);
}

int file_plan_check_name(const struct sink_options *options,
                         const struct target_path *place, const char *directory,
                         struct error *err)
{
    if (file_plan_check_old(options, place, err) < 0)
        return -1;
    return options->finished ? 0
                             : final_name_check(options->path, directory, err);
}

int sink_plan_file(const struct sink_options *options,
                   const struct target_path *place, uint64_t virtual_bytes,
                   struct sizing_verdict *verdict, struct error *err)
{
    AUTO_FREE char *directory = target_path_directory(options->path);
    struct sizing_facts facts;

    if (!directory)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "plan %s", options->path);
    if (file_plan_check_name(options, place, directory, err) < 0 ||
        file_plan_facts(options, directory,
                        partial_file_allocated_bytes(options->path) +
                            partial_tree_bytes(directory),
                        &facts, err) < 0)
        return -1;
    facts.virtual_bytes = virtual_bytes;
    return file_plan_decide(&facts, place->allocated_bytes, verdict, err);
}
