/*
 * inspect IMAGE: what a disk image holds, and the volume that a copy needs.
 */
#include <clonewire/clonewire.h>
#include <inttypes.h>
#include <stdio.h>

/* What the filesystem of the copy keeps for itself: 5.5 %. */
#define FS_OVERHEAD_PPM 55000

int main(int argc, char **argv)
{
    struct cw_source_options options = { 0 };
    struct cw_inspection found;
    struct cw_error error;

    if (argc != 2) {
        fprintf(stderr, "usage: inspect IMAGE\n");
        return 2;
    }
    options.image = argv[1];
    if (cw_source_inspect(&options, FS_OVERHEAD_PPM, &found, &error) < 0) {
        fprintf(stderr, "inspect: %s\n", error.text);
        return error.status;
    }
    printf("%s: %" PRIu64 " bytes, %" PRIu64 " of them data\n", found.format,
           found.virtual_bytes, found.data_bytes);
    printf("volume for a copy in a file: %" PRIu64 " bytes\n",
           found.file_volume_bytes);
    return 0;
}
