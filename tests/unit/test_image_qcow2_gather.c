/* Chunks out of a stream: whatever the order of clusters, it is read forward
 * only, and no byte of it twice. */
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "helpers/tiny_qcow2.h"
#include "image/qcow2/batch_read.h"
#include "plan/chunk_grid.h"
#include "unit.h"

#define COMPRESSED (UINT64_C(1) << 62)
#define SECTORS(n) ((uint64_t)(n) << (62 - (TINY_BITS - 8)))
#define AT(n)      ((n)*TINY_CLUSTER)

static struct tiny tiny;
static uint64_t position; /* nothing before it is asked for again */
static unsigned reads;

static int read_forward(void *opaque, void *buf, size_t len, uint64_t offset,
                        struct error *err)
{
    assert_true(offset >= position);
    position = offset + len;
    reads++;
    return tiny_read(opaque, buf, len, offset, err);
}

static int gather(uint8_t *disk, int stop_fd, struct error *err)
{
    const uint64_t chunk = 0;
    struct image_host host = tiny.host;
    struct qcow2_header header;
    struct qcow2_map map;
    struct qcow2_batch gather = { .map = &map,
                                  .host = &host,
                                  .stop_fd = stop_fd };
    int r;

    assert_int_equal(qcow2_header_read(&tiny.host, &header, err), 0);
    assert_int_equal(qcow2_map_init(&map, &tiny.host, &header, err), 0);
    host.read = read_forward;
    position = reads = 0;
    gather.packed = qcow2_compressed_open(&header);
    assert_non_null(gather.packed);
    r = qcow2_batch(&gather, &chunk, 1, disk, err);
    qcow2_compressed_close(gather.packed);
    qcow2_map_fini(&map);
    return r;
}

/* A deflate stream of one stored block: last, length, its complement. */
static const uint8_t stored[] = { 1, 0x00, 0x40, 0xff, 0xbf };

/* Backwards, with a zero cluster and one unallocated between. */
static void test_is_read_forward(void **state)
{
    static uint8_t *disk, want[TINY_DISK];
    struct error err;

    (void)state;
    tiny_init(&tiny);
    for (size_t i = AT(3); i < TINY_BYTES; i++)
        tiny.bytes[i] = (uint8_t)(i * 7 + i / 509);
    tiny_l2(&tiny, 0, AT(7));
    tiny_l2(&tiny, 1, AT(5));
    tiny_l2(&tiny, 2, 1);
    tiny_l2(&tiny, 4, AT(3));
    memcpy(want, tiny.bytes + AT(7), TINY_CLUSTER);
    memcpy(want + AT(1), tiny.bytes + AT(5), TINY_CLUSTER);
    memcpy(want + AT(4), tiny.bytes + AT(3), TINY_CLUSTER - 512);

    disk = malloc(CHUNK_BYTES);
    assert_non_null(disk);
    memset(disk, 0x55, CHUNK_BYTES);
    assert_int_equal(gather(disk, 0, &err), 0);
    assert_memory_equal(disk, want, TINY_DISK);
    assert_int_equal(reads, 3);
    free(disk);
}

/* Packed one behind the other, as QEMU does: each begins in the sector that
 * the one before it ends in, and is said to be whole sectors long. */
static void test_packed_ones_share_sectors(void **state)
{
    const size_t each = sizeof(stored) + TINY_CLUSTER, begin = AT(3) + 100;
    static uint8_t want[TINY_DISK];
    uint8_t *disk = malloc(CHUNK_BYTES);
    struct error err;

    (void)state;
    assert_non_null(disk);
    tiny_init(&tiny);
    for (size_t i = 0; i < 4; i++) {
        size_t at = begin + i * each, cluster = 3 - i;
        size_t sectors = (at + each - 1) / 512 - at / 512;

        memcpy(tiny.bytes + at, stored, sizeof(stored));
        for (size_t k = 0; k < TINY_CLUSTER; k++)
            tiny.bytes[at + sizeof(stored) + k] = (uint8_t)(k * (i + 3) + i);
        memcpy(want + AT(cluster), tiny.bytes + at + sizeof(stored),
               TINY_CLUSTER);
        tiny_l2(&tiny, (unsigned)cluster, COMPRESSED | SECTORS(sectors) | at);
    }
    assert_int_equal(gather(disk, 0, &err), 0);
    assert_memory_equal(disk, want, TINY_DISK);
    assert_int_equal(reads, 4);
    free(disk);
}

static void test_stops(void **state)
{
    uint8_t *disk = malloc(CHUNK_BYTES);
    int stop = eventfd(1, EFD_CLOEXEC);
    struct error err;

    (void)state;
    assert_non_null(disk);
    assert_true(stop > 0);
    tiny_init(&tiny);
    tiny_l2(&tiny, 0, AT(3));
    assert_int_equal(gather(disk, stop, &err), -1);
    assert_int_equal(err.kind, ERROR_CANCELLED);
    assert_int_equal(reads, 0);
    close(stop);
    free(disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_is_read_forward),
        cmocka_unit_test(test_packed_ones_share_sectors),
        cmocka_unit_test(test_stops),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
