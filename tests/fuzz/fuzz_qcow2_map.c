/* A whole QCOW2 image: refused, or every run lies in the file and disk. */
#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "qcow2_input.h"

#define MAX_RUNS 100000

/* Nothing outside the file is ever asked for. */
static int input_read(void *opaque, void *buf, size_t len, uint64_t offset,
                      struct error *err)
{
    const struct qcow2_input *input = opaque;

    (void)err;
    assert(len > 0 && offset <= input->len && len <= input->len - offset);
    memcpy(buf, input->data + offset, len);
    return 0;
}

static void walk(struct qcow2_map *map)
{
    uint64_t end = map->header.virtual_bytes;
    uint64_t size = map->host.size_bytes;
    struct qcow2_run run;
    struct error err;

    for (uint64_t at = 0, n = 0; at < end && n < MAX_RUNS; n++) {
        int r = qcow2_map_at(map, at, end, &run, &err);

        assert(r == 0); /* it has been checked */
        assert(run.offset == at && run.length > 0 && run.length <= end - at);
        if (run.kind == QCOW2_DATA)
            assert(run.host_offset < size &&
                   run.length <= size - run.host_offset);
        if (run.kind == QCOW2_COMPRESSED)
            assert(run.host_offset < size &&
                   run.packed_bytes <= size - run.host_offset &&
                   run.packed_bytes <= 2 * map->header.cluster_bytes);
        at += run.length;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct qcow2_input input = { data, len };
    struct image_host host = {
        .read = input_read,
        .opaque = &input,
        .size_bytes = len,
    };
    struct qcow2_summary summary;
    struct qcow2_map map = { 0 };
    struct error err;

    if (qcow2_input_open(&host, &map, &summary, &err))
        walk(&map);
    qcow2_map_fini(&map);
    return 0;
}
