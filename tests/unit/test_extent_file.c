/* Lists of extents in every format: read as meant, or refused in one line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/extent_file.h"
#include "resume/changed_extents.h"
#include "unit.h"

#define MIB  (UINT64_C(1) << 20)
#define DISK (10 * MIB + 5120)

#define THIN(text)                                                             \
    "<?xml version=\"1.0\"?>\n<superblock uuid=\"\" time=\"1\" "               \
    "transaction=\"2\" data_block_size=\"128\" nr_data_blocks=\"200\">\n" text \
    "</superblock>\n"
#define DEVICE(text)                                                   \
    THIN("<device dev_id=\"1\" mapped_blocks=\"2\" transaction=\"0\" " \
         "creation_time=\"0\" snap_time=\"1\">" text "</device>\n")
#define DIFF(text) THIN("<diff left=\"1\" right=\"2\">" text "</diff>\n")

/* The extents that add() took, as "offset+length ...". */
struct taken {
    char text[256];
    size_t len;
};

static int take(void *opaque, uint64_t offset, uint64_t length,
                struct error *err)
{
    struct taken *taken = opaque;

    (void)err;
    taken->len += (size_t)snprintf(
        taken->text + taken->len, sizeof(taken->text) - taken->len,
        "%s%llu+%llu", taken->len > 0 ? " " : "", (unsigned long long)offset,
        (unsigned long long)length);
    assert_true(taken->len < sizeof(taken->text));
    return 0;
}

static void write_list(char *path, const char *text)
{
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static int read_list(const char *text, enum extent_file_purpose purpose,
                     struct taken *taken, const char **format,
                     struct error *err)
{
    char path[] = "/tmp/extents.XXXXXX";
    struct extent_file_options list = {
        .path = path,
        .purpose = purpose,
        .disk_bytes = DISK,
        .add = take,
        .opaque = taken,
    };
    int r;

    *taken = (struct taken){ 0 };
    write_list(path, text);
    r = extent_file_read(&list, err);
    unlink(path);
    *format = list.format;
    return r;
}

static void test_lists(void **state)
{
    static const struct {
        const char *text, *format;
        const char *changed, *data; /* NULL: refused for that purpose */
    } cases[] = {
        { "[]", "empty list", "", "" },
        { " [ ] \n", "empty list", "", "" },
        { "[{\"offset\":0,\"length\":1}]", "ours", "0+1", "0+1" },
        { "{\"offset\":0,\"length\":1}\n{\"offset\":1,\"length\":1}\n", "ours",
          "0+1 1+1", "0+1 1+1" },
        { "[{\"length\":2,\"offset\":9},\n {\"offset\":11,\"length\":1}]",
          "ours", "9+2 11+1", "9+2 11+1" },
        { "[{\"offset\":0,\"length\":10490880}]", "ours", "0+10490880",
          "0+10490880" },
        { "[{\"offset\":0,\"length\":4,\"description\":\"clean\"},"
          "{\"offset\":6,\"length\":2,\"description\":\"dirty\"}]",
          "ours", "6+2", NULL },
        { "[{ \"offset\": 0, \"length\": 1048576, \"type\": 0, "
          "\"description\": \"clean\"},\n{ \"offset\": 1048576, \"length\": "
          "9442304, \"type\": 1, \"description\": \"dirty\"}]",
          "nbdinfo", "1048576+9442304", NULL },
        /* A hole that is not zero may read as anything. */
        { "[{\"offset\":0,\"length\":512,\"type\":0,\"description\":\"data\"},"
          "{\"offset\":512,\"length\":512,\"type\":1,\"description\":\"hole\"},"
          "{\"offset\":1024,\"length\":512,\"type\":2,"
          "\"description\":\"zero\"},{\"offset\":1536,\"length\":10489344,"
          "\"type\":3,\"description\":\"hole,zero\"}]",
          "nbdinfo", NULL, "0+512 512+512" },
        { "[{ \"start\": 0, \"length\": 65536, \"depth\": 1, \"present\": true, "
          "\"zero\": false, \"data\": true, \"compressed\": false, \"offset\": "
          "327680},\n{ \"start\": 65536, \"length\": 10425344, \"depth\": 0, "
          "\"present\": true, \"zero\": true, \"data\": false, "
          "\"compressed\": false}]",
          "qemu-img map", "65536+10425344", "0+65536" },
        { "[{\"offset\":0,\"length\":4096,\"exists\":\"true\"},"
          "{\"offset\":8192,\"length\":4096,\"exists\":\"false\"}]",
          "rbd diff", "0+4096 8192+4096", "0+4096" },
        { "{\"extents\":[{\"offset\":0,\"length\":4096}],\"next_offset\":4096}"
          "{\"extents\":[{\"offset\":8192,\"length\":4096}]}",
          "kubevirt map", "0+4096 8192+4096", "0+4096 8192+4096" },
        { "{\"nextOffset\":0,\"extents\":[{\"offset\":0,\"length\":4096,"
          "\"type\":1,\"description\":\"dirty\"}]}",
          "kubevirt map", "0+4096", NULL },
        { "{\"blockMetadataType\":\"FIXED_LENGTH\",\"volumeCapacityBytes\":"
          "\"10490880\",\"blockMetadata\":[{\"sizeBytes\":\"4096\"},"
          "{\"byteOffset\":\"8192\",\"sizeBytes\":\"4096\"}]}\n"
          "{\"blockMetadataType\":\"FIXED_LENGTH\",\"volumeCapacityBytes\":"
          "\"10490880\",\"blockMetadata\":[{\"byteOffset\":\"16384\","
          "\"sizeBytes\":\"4096\"}]}\n",
          "csi metadata", "0+4096 8192+4096 16384+4096",
          "0+4096 8192+4096 16384+4096" },
        { "[{\"block_metadata_type\":2,\"volume_capacity_bytes\":10490880,"
          "\"block_metadata\":[{\"byte_offset\":0,\"size_bytes\":1}]},"
          "{\"block_metadata_type\":2,\"volume_capacity_bytes\":10490880,"
          "\"block_metadata\":null}]",
          "csi metadata", "0+1", "0+1" },
        /* The last block of the volume reaches beyond the disk. */
        { DEVICE(
              "<single_mapping origin_block=\"0\" data_block=\"7\" "
              "time=\"0\"/><!-- a > b -->\n<range_mapping origin_begin=\"2\" "
              "data_begin=\"0\" length=\"2\" time=\"0\"/>"
              "<single_mapping origin_block=\"160\" data_block=\"9\" "
              "time=\"0\"/>"),
          "thin_dump", NULL, "0+65536 131072+131072 10485760+5120" },
        { DIFF("<same begin=\"0\" length=\"1\"/><different begin=\"1\" "
               "length=\"1\"/><left_only begin=\"2\" length=\"1\"/>"
               "<right_only begin=\"4\" length=\"2\"/>"),
          "thin_delta", "65536+65536 131072+65536 262144+131072", NULL },
        { DIFF("<same>\n<range begin=\"0\" left_data_begin=\"0\" "
               "right_data_begin=\"0\" length=\"1\"/></same><different>"
               "<range begin=\"1\" left_data_begin=\"1\" "
               "right_data_begin=\"5\" length=\"1\"/></different>"),
          "thin_delta", "65536+65536", NULL },
    };
    const char *format;
    struct taken taken;
    struct error err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (int purpose = 0; purpose < 2; purpose++) {
            const char *wanted = purpose == EXTENT_FILE_CHANGED
                                     ? cases[i].changed
                                     : cases[i].data;
            int r = read_list(cases[i].text, (enum extent_file_purpose)purpose,
                              &taken, &format, &err);

            CASE(cases[i].text);
            if (wanted && r < 0)
                fail_msg("%s: %s", cases[i].text, err.text);
            assert_int_equal(r, wanted ? 0 : -1);
            if (!wanted) {
                assert_non_null(strstr(err.text, "does not tell what"));
                continue;
            }
            assert_string_equal(taken.text, wanted);
            assert_string_equal(format, cases[i].format);
        }
    }
}

static void test_refused(void **state)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        { "", "is not a list of extents" },
        { "offset 1", "is not a list of extents" },
        { "[1]", "entry 1, about byte 1, is not a JSON object" },
        { "[{}]", "entry 1" },
        { "[{\"offset\":0}]", "entry 1" },
        { "[{\"offset\":0,\"length\":-1}]", "wrong kind" },
        { "[{\"offset\":0,\"length\":1.5}]", "wrong kind" },
        { "[{\"offset\":\"0\",\"length\":1}]", "wrong kind" },
        { "[{\"offset\":0,\"offset\":0,\"length\":1}]", "a member twice" },
        { "[{\"offset\":0,\"length\":1,\"is\":2}]", "no known format" },
        { "[{\"offset\":0,\"length\":1,\"description\":\"x\"}]",
          "neither dirty nor clean" },
        { "[{\"offset\":0,\"length\":18446744073709551616}]", "wrong kind" },
        { "[{\"offset\":0,\"length\":1},]", "entry 2" },
        { "[{\"offset\":0,\"length\":1}", "cut off after entry 1" },
        { "[{\"offset\":0,\"length\":1},{\"offset\":4,\"len", "entry 2" },
        { "[{\"offset\":0,\"length\":1}] x", "after the end of the list" },
        { "[{\"offset\":7,\"length\":0}]", "at 7, is empty" },
        { "[{\"offset\":10490880,\"length\":1}]", "beyond the end" },
        { "[{\"offset\":1,\"length\":18446744073709551615}]",
          "beyond the end" },
        { "[{\"offset\":0,\"length\":10},{\"offset\":9,\"length\":1}]",
          "entry 2, 1 bytes at 9, overlaps" },
        { "[{\"offset\":9,\"length\":1},{\"offset\":0,\"length\":9}]",
          "entry 2, 9 bytes at 0, is out of order" },
        /* Another format in the middle, a gap, and an end too early. */
        { "[{\"offset\":0,\"length\":1},{\"start\":1,\"length\":1}]",
          "entry 2, about byte 47, does not have the members" },
        { "[{\"offset\":0,\"length\":512,\"type\":1,\"description\":\"dirty\"},"
          "{\"offset\":1024,\"length\":512,\"type\":1,"
          "\"description\":\"dirty\"}]",
          "entries are missing" },
        { "[{\"offset\":0,\"length\":512,\"type\":1,"
          "\"description\":\"dirty\"}]",
          "is cut off, or of another disk: entry 1, its last, ends at 512" },
        { "{\"extents\":[{\"offset\":0,\"length\":1}],\"next_offset\":4096}",
          "names a next one, from offset 4096" },
        { "{\"extents\":[{\"extents\":[]}]}", "page between entries" },
        { "[{\"offset\":0,\"length\":1},{\"extents\":[]}]", "page between" },
        { "{\"extents\":[],\"offset\":0}", "an extent and a page" },
        { "{\"volumeCapacityBytes\":\"512\",\"blockMetadata\":[]}",
          "is a list of another disk" },
        { "{\"volumeCapacityBytes\":\"10490880\",\"blockMetadata\":["
          "{\"byteOffset\":\"0\"}]}",
          "entry 1" },
        { "<superblock>", "with a data_block_size" },
        { "<html></html>", "is an element that" },
        { THIN(""), "not the XML of one thin device" },
        { DIFF("<different begin=\"1\"/>"), "lacks its begin or length" },
        { DIFF("<different begin=\"161\" length=\"1\"/>"), "beyond the end" },
        { DIFF("<different begin=\"160\" length=\"2\"/>"), "beyond the end" },
        { DIFF("<different begin=\"18446744073709551615\" length=\"2\"/>"),
          "is too large" },
        { DIFF("<different begin=\"1\" length=\"1\"/>") "x",
          "not the XML of one thin device" },
        { "<superblock data_block_size=\"128\"><diff left=\"1\" right=\"2\">"
          "<different begin=\"1\" length=\"1\"/>",
          "is cut off after entry 1" },
        { "<superblock data_block_size=\"128\"><diff/><diff/>",
          "of a second device" },
        { "<superblock data_block_size=\"128\"><different begin=\"1\" "
          "length=\"1\"/>",
          "outside of a device" },
    };
    const char *format;
    struct taken taken;
    struct error err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CASE(cases[i].text);
        assert_int_equal(read_list(cases[i].text, EXTENT_FILE_CHANGED, &taken,
                                   &format, &err),
                         -1);
        assert_int_equal(err.kind, ERROR_USAGE);
        if (!strstr(err.text, cases[i].why))
            fail_msg("%s: %s", cases[i].text, err.text);
    }
}

static void test_chunks(void **state)
{
    char path[] = "/tmp/extents.XXXXXX";
    struct chunk_bitmap changed = { 0 };
    struct error err;

    (void)state;
    write_list(path, "[{\"offset\":1048575,\"length\":2},"
                     "{\"offset\":5242880,\"length\":1048576},"
                     "{\"offset\":10485760,\"length\":5120}]");
    assert_int_equal(changed_extents_read(path, DISK, &changed, &err), 0);
    for (uint64_t chunk = 0; chunk < 11; chunk++)
        assert_int_equal(chunk_bitmap_has(&changed, chunk), 0x423 >> chunk & 1);
    chunk_bitmap_fini(&changed);
    unlink(path);
    assert_int_equal(changed_extents_read(path, DISK, &changed, &err), -1);
    assert_non_null(strstr(err.text, "No such file"));
    chunk_bitmap_fini(&changed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_chunks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
