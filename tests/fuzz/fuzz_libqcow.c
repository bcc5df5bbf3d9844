/* A QCOW2 that our own check takes, as libqcow reads it: alike, or refused. */
#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "image/qcow2/cross_check.h"
#include "qcow2_input.h"

#define SAMPLES 8

/* libqcow may ask for anything. */
static int input_read(void *opaque, void *buf, size_t len, uint64_t offset,
                      struct error *err)
{
    const struct qcow2_input *input = opaque;

    if (offset > input->len || len > input->len - offset)
        return error_set(err, ERROR_FORMAT, 0, "outside the file");
    memcpy(buf, input->data + offset, len);
    return 0;
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
    int compared;

    if (qcow2_input_open(&host, &map, &summary, &err)) {
        compared = qcow2_cross_check_look(&map, &host, &summary, SAMPLES,
                                          "fuzz", &err);
        assert(compared >= 0 ? compared <= SAMPLES : err.kind == ERROR_FORMAT);
    }
    qcow2_map_fini(&map);
    return 0;
}
