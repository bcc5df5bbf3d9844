/*
 * replay.c - main() of a fuzz harness without a fuzzer: every file of the
 * named corpus directories goes through it once.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

/* A corpus file is small: what the fuzzer kept, or a case found by hand. */
#define CORPUS_FILE_MAX_BYTES (1U << 20)

static void replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(CORPUS_FILE_MAX_BYTES);
    size_t len;

    if (!file || !data) {
        perror(path);
        exit(1);
    }
    len = fread(data, 1, CORPUS_FILE_MAX_BYTES, file);
    if (ferror(file) || !feof(file)) {
        fprintf(stderr, "%s: cannot be read whole\n", path);
        exit(1);
    }
    fclose(file);

    /* An exact allocation, so that a sanitizer sees one byte too far. */
    data = realloc(data, len > 0 ? len : 1);
    if (!data)
        abort();
    LLVMFuzzerTestOneInput(data, len);
    free(data);
}

static unsigned replay_directory(const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;
    unsigned n = 0;

    if (!dir) {
        perror(path);
        exit(1);
    }
    while ((entry = readdir(dir)) != NULL) {
        char file[4096];

        if (entry->d_name[0] == '.')
            continue;
        snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
        replay_file(file);
        n++;
    }
    closedir(dir);
    return n;
}

int main(int argc, char **argv)
{
    unsigned n = 0;

    for (int i = 1; i < argc; i++)
        n += replay_directory(argv[i]);
    printf("%u inputs replayed\n", n);
    return n > 0 ? 0 : 1;
}
