/*
 * fuzz_place.h - a directory in memory for what a harness unpacks.  Whatever the
 * input says, nothing may appear beside it.
 */
#ifndef CW_TESTS_FUZZ_PLACE_H
#define CW_TESTS_FUZZ_PLACE_H

#include <assert.h>
#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct fuzz_place {
    char outside[32];
    char inside[40]; /* to unpack in */
};

static inline void fuzz_place_open(struct fuzz_place *place)
{
    *place = (struct fuzz_place){ .outside = "/dev/shm/fuzz-place-XXXXXX" };
    assert(mkdtemp(place->outside));
    snprintf(place->inside, sizeof(place->inside), "%s/in", place->outside);
    assert(mkdir(place->inside, 0700) == 0);
}

static inline void fuzz_place_check(const struct fuzz_place *place)
{
    DIR *dir = opendir(place->outside);
    const struct dirent *entry;

    assert(dir);
    while ((entry = readdir(dir)) != NULL)
        assert(entry->d_name[0] == '.' || strcmp(entry->d_name, "in") == 0);
    closedir(dir);
}

static inline int fuzz_place_remove(const char *path, const struct stat *st,
                                    int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

/* nftw() does not enter what it may not read: an entry's mode is its own. */
static inline int fuzz_place_enter(const char *path, const struct stat *st,
                                   int type, struct FTW *at)
{
    (void)st, (void)at;
    return type == FTW_DNR || type == FTW_D ? chmod(path, 0700) : 0;
}

/* Checks it, and removes it with all that is in it. */
static inline void fuzz_place_close(const struct fuzz_place *place)
{
    fuzz_place_check(place);
    nftw(place->outside, fuzz_place_enter, 16, FTW_PHYS);
    nftw(place->outside, fuzz_place_remove, 16, FTW_PHYS | FTW_DEPTH);
}

#endif
