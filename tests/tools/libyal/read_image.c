/*
 * read_image vhdi|vmdk IMAGE: writes the disk in IMAGE to stdout, as libvhdi
 * (VHD, VHDX) or libvmdk of the libyal project read it: a second opinion.
 */
#include <libvhdi.h>
#include <libvmdk.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static uint8_t piece[1 << 20];

static size_t piece_len(size64_t size_bytes, uint64_t at)
{
    return size_bytes - at < sizeof(piece) ? (size_t)(size_bytes - at)
                                           : sizeof(piece);
}

static int read_vhdi(const char *path)
{
    libvhdi_file_t *file = NULL;
    size64_t size_bytes = 0;
    ssize_t n;

    if (libvhdi_file_initialize(&file, NULL) != 1 ||
        libvhdi_file_open(file, path, LIBVHDI_OPEN_READ, NULL) != 1 ||
        libvhdi_file_get_media_size(file, &size_bytes, NULL) != 1)
        return 1;
    for (uint64_t at = 0; at < size_bytes; at += (uint64_t)n) {
        n = libvhdi_file_read_buffer_at_offset(
            file, piece, piece_len(size_bytes, at), (off64_t)at, NULL);
        if (n <= 0 || fwrite(piece, 1, (size_t)n, stdout) != (size_t)n)
            return 1;
    }
    return libvhdi_file_free(&file, NULL) != 1;
}

static int read_vmdk(const char *path)
{
    libvmdk_handle_t *handle = NULL;
    size64_t size_bytes = 0;
    ssize_t n;

    if (libvmdk_handle_initialize(&handle, NULL) != 1 ||
        libvmdk_handle_open(handle, path, LIBVMDK_OPEN_READ, NULL) != 1 ||
        libvmdk_handle_open_extent_data_files(handle, NULL) != 1 ||
        libvmdk_handle_get_media_size(handle, &size_bytes, NULL) != 1)
        return 1;
    for (uint64_t at = 0; at < size_bytes; at += (uint64_t)n) {
        n = libvmdk_handle_read_buffer_at_offset(
            handle, piece, piece_len(size_bytes, at), (off64_t)at, NULL);
        if (n <= 0 || fwrite(piece, 1, (size_t)n, stdout) != (size_t)n)
            return 1;
    }
    return libvmdk_handle_free(&handle, NULL) != 1;
}

int main(int argc, char **argv)
{
    int r = 2;

    if (argc == 3 && strcmp(argv[1], "vhdi") == 0)
        r = read_vhdi(argv[2]);
    else if (argc == 3 && strcmp(argv[1], "vmdk") == 0)
        r = read_vmdk(argv[2]);
    if (r == 1)
        fprintf(stderr, "read_image: %s cannot be read\n", argv[2]);
    return fflush(stdout) == 0 ? r : 1;
}
