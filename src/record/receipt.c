#include "record/receipt.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/jsonin.h"
#include "base/parse.h"
#include "io/file.h"
#include "plan/chunk_grid.h"

#define TYPE          "clonewire-receipt"
#define VERSION       1U
#define CHUNKS_SUFFIX ".chunks"
#define NEW_SUFFIX    ".new"
#define MAX_BYTES     65536U /* of the object: members of a later version */

static char *with_suffix(const char *path, const char *suffix)
{
    char *name;

    return asprintf(&name, "%s%s", path, suffix) < 0 ? NULL : name;
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static void auto_close_stream(FILE **stream)
{
    if (*stream)
        fclose(*stream);
}

/* ---- writing ---- */

static void put_text(FILE *out, const char *key, const char *text)
{
    fprintf(out, "  \"%s\": \"", key);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c < 0x20)
            fprintf(out, "\\u%04x", c);
        else
            fprintf(out, c == '"' || c == '\\' ? "\\%c" : "%c", c);
    }
    fputs("\",\n", out);
}

static void put_number(FILE *out, const char *key, uint64_t number)
{
    fprintf(out, "  \"%s\": %" PRIu64 ",\n", key, number);
}

static void put_time(FILE *out, const char *key, uint64_t unix_ns)
{
    char text[FORMAT_TIME_BYTES];

    put_text(out, key, format_time(text, unix_ns));
}

static int put_receipt(FILE *out, const void *arg)
{
    const struct receipt *r = arg;
    char root[DIGEST_TEXT_BYTES];

    fputs("{\n", out);
    put_text(out, "type", TYPE);
    put_number(out, "version", VERSION);
    put_number(out, "disk_bytes", r->disk_bytes);
    put_text(out, "digest_algorithm", digest_name(r->algorithm));
    put_text(out, "digest", digest_format(r->algorithm, r->root, root));
    put_number(out, "chunk_bytes", CHUNK_BYTES);
    put_text(out, "chunk_digests", r->chunk_file);
    put_number(out, "verified_bytes", r->verified_bytes);
    put_number(out, "unverified_bytes", r->unverified_bytes);
    if (r->is_mixed)
        put_text(out, "state", "not of one moment");
    if (r->reads_holes)
        put_text(out, "holes", "read");
    put_time(out, "begun", r->start_ns);
    put_time(out, "ended", r->ended_ns);
    put_text(out, "image_format", r->format);
    put_text(out, "job", r->job);
    put_text(out, "peer_software", r->peer_software);
    put_text(out, "side", r->side);
    fprintf(out, "  \"software\": \"%s\"\n}\n", r->software);
    return ferror(out) ? -EIO : 0;
}

static int put_chunks(FILE *out, const void *arg)
{
    const struct digest *digest = arg;
    uint64_t chunks = chunk_grid_count(digest_disk_bytes(digest));
    size_t each = digest_each(digest);

    errno = 0;
    for (uint64_t i = 0; i < chunks; i++)
        if (fwrite(digest_of(digest, i), each, 1, out) != 1)
            return errno ? -errno : -EIO;
    return 0;
}

/* 0 or -errno: path.new, then the name. */
static int write_file(const char *path, int (*put)(FILE *out, const void *arg),
                      const void *arg)
{
    AUTO_FREE char *name = with_suffix(path, NEW_SUFFIX);
    FILE *out;
    int r;

    if (!name)
        return -ENOMEM;
    out = fopen(name, "we");
    if (!out)
        return -errno;
    r = put(out, arg);
    if (r == 0 && (fflush(out) != 0 || fsync(fileno(out)) < 0))
        r = -errno;
    if (fclose(out) != 0 && r == 0)
        r = -errno;
    if (r == 0 && rename(name, path) < 0)
        r = -errno;
    if (r < 0)
        unlink(name);
    return r;
}

int receipt_try(const char *path, struct error *err)
{
    AUTO_FREE char *name = with_suffix(path, NEW_SUFFIX);
    AUTO_FD int fd = -1;
    struct stat st;

    if (!name)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "write %s", path);
    if (strlen(name_of(path)) + sizeof(CHUNKS_SUFFIX NEW_SUFFIX) > NAME_MAX ||
        (stat(path, &st) == 0 && !S_ISREG(st.st_mode)))
        return error_set(err, ERROR_USAGE, 0,
                         "no receipt can be written to %s: not a file", path);
    fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
        return error_set(err, ERROR_USAGE, errno,
                         "no receipt can be written to %s", path);
    unlink(name);
    return 0;
}

int receipt_write(const char *path, struct receipt *receipt,
                  const struct digest *digest, struct error *err)
{
    AUTO_FREE char *chunks = with_suffix(path, CHUNKS_SUFFIX);
    int r = chunks ? 0 : -ENOMEM;

    receipt->algorithm = digest_algorithm(digest);
    receipt->disk_bytes = digest_disk_bytes(digest);
    digest_root(digest, receipt->root);
    if (r == 0)
        snprintf(receipt->chunk_file, sizeof(receipt->chunk_file), "%s",
                 name_of(chunks));
    if (r == 0)
        r = write_file(chunks, put_chunks, digest);
    if (r == 0)
        r = write_file(path, put_receipt, receipt);
    if (r == 0)
        r = file_sync_directory(path);
    if (r == 0)
        return 0;
    return error_set(err, ERROR_SYSTEM, -r, "write receipt %s", path);
}

/* ---- reading ---- */

/* "xxh3-128:00ff..." */
static bool parse_root(const char *text, struct receipt *r)
{
    static const enum digest_algorithm known[] = { DIGEST_XXH3_128,
                                                   DIGEST_SHA256 };
    char again[DIGEST_TEXT_BYTES];
    const char *hex = strchr(text, ':');

    if (!hex || strlen(hex) != 1 + 2 * (size_t)DIGEST_ROOT_BYTES)
        return false;
    for (size_t i = 0; i < DIGEST_ROOT_BYTES; i++) {
        char pair[3] = { hex[1 + 2 * i], hex[2 + 2 * i], '\0' };

        r->root[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        r->algorithm = known[i];
        /* Which also proves the digits. */
        if (strcmp(digest_format(known[i], r->root, again), text) == 0)
            return true;
    }
    return false;
}

static bool take_time(struct jsonin *in, uint64_t *unix_ns)
{
    char text[64];

    return jsonin_text(in, text, sizeof(text)) && parse_time(text, unix_ns);
}

static bool take_root(struct jsonin *in, struct receipt *r)
{
    char text[DIGEST_TEXT_BYTES];

    return jsonin_text(in, text, sizeof(text)) && parse_root(text, r);
}

static bool take_chunk_file(struct jsonin *in, struct receipt *r)
{
    return jsonin_text(in, r->chunk_file, sizeof(r->chunk_file)) &&
           !strchr(r->chunk_file, '/'); /* beside it, and nowhere else */
}

enum {
    HAS_TYPE = 1,
    HAS_VERSION = 2,
    HAS_DISK = 4,
    HAS_ROOT = 8,
    HAS_CHUNK = 16,
    HAS_ALL = 31,
};

/* Reads one value and sets its bit, if it is a required one, in *has. */
static bool take_member(struct jsonin *in, const char *key, struct receipt *r,
                        unsigned *has)
{
    static const struct {
        const char *key;
        size_t offset;
    } texts[] = {
        { "software", offsetof(struct receipt, software) },
        { "peer_software", offsetof(struct receipt, peer_software) },
        { "side", offsetof(struct receipt, side) },
        { "job", offsetof(struct receipt, job) },
        { "image_format", offsetof(struct receipt, format) },
    };
    uint64_t number;
    char text[64];

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (strcmp(key, texts[i].key) == 0)
            return jsonin_text(in, (char *)r + texts[i].offset,
                               RECEIPT_TEXT_BYTES);
    if (strcmp(key, "type") == 0) {
        *has |= HAS_TYPE;
        return jsonin_text(in, text, sizeof(text)) && strcmp(text, TYPE) == 0;
    }
    if (strcmp(key, "version") == 0) {
        *has |= HAS_VERSION;
        return jsonin_number(in, &number) && number == VERSION;
    }
    if (strcmp(key, "chunk_bytes") == 0) {
        *has |= HAS_CHUNK;
        return jsonin_number(in, &number) && number == CHUNK_BYTES;
    }
    if (strcmp(key, "disk_bytes") == 0) {
        *has |= HAS_DISK;
        return jsonin_number(in, &r->disk_bytes) && r->disk_bytes <= INT64_MAX;
    }
    if (strcmp(key, "digest") == 0) {
        *has |= HAS_ROOT;
        return take_root(in, r);
    }
    if (strcmp(key, "chunk_digests") == 0)
        return take_chunk_file(in, r);
    if (strcmp(key, "verified_bytes") == 0)
        return jsonin_number(in, &r->verified_bytes);
    if (strcmp(key, "unverified_bytes") == 0)
        return jsonin_number(in, &r->unverified_bytes);
    if (strcmp(key, "begun") == 0)
        return take_time(in, &r->start_ns);
    if (strcmp(key, "ended") == 0)
        return take_time(in, &r->ended_ns);
    return jsonin_skip(in); /* of a later version */
}

static bool parse_receipt(const char *text, struct receipt *r)
{
    struct jsonin in = { text };
    unsigned has = 0;
    char key[64];

    memset(r, 0, sizeof(*r));
    if (!jsonin_mark(&in, '{'))
        return false;
    do
        if (!jsonin_text(&in, key, sizeof(key)) || !jsonin_mark(&in, ':') ||
            !take_member(&in, key, r, &has))
            return false;
    while (jsonin_mark(&in, ','));
    return jsonin_mark(&in, '}') && jsonin_end(&in) && has == HAS_ALL;
}

int receipt_read(const char *path, struct receipt *receipt, struct error *err)
{
    AUTO(auto_close_stream) FILE *stream = fopen(path, "re");
    AUTO_FREE char *text = calloc(1, MAX_BYTES + 1);
    size_t len;

    if (!text)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "read %s", path);
    if (!stream)
        return error_set(err, ERROR_USAGE, errno, "read receipt %s", path);
    len = fread(text, 1, MAX_BYTES, stream);
    if (ferror(stream))
        return error_set(err, ERROR_USAGE, errno, "read receipt %s", path);
    if (strlen(text) == len && parse_receipt(text, receipt))
        return 0;
    return error_set(err, ERROR_FORMAT, 0,
                     "%s is not a clone receipt, or is of a later version",
                     path);
}

static bool read_table(FILE *stream, struct digest *digest)
{
    uint64_t chunks = chunk_grid_count(digest_disk_bytes(digest));
    uint8_t value[DIGEST_MAX_BYTES];
    size_t each = digest_each(digest);

    for (uint64_t i = 0; i < chunks; i++) {
        if (fread(value, each, 1, stream) != 1)
            return false;
        digest_set(digest, i, value);
    }
    return fgetc(stream) == EOF;
}

int receipt_read_chunks(const char *path, const struct receipt *receipt,
                        struct digest *digest, struct error *err)
{
    AUTO(auto_close_stream) FILE *stream = NULL;
    uint8_t root[DIGEST_ROOT_BYTES];
    AUTO_FREE char *name = NULL;

    if (asprintf(&name, "%.*s%s", (int)(name_of(path) - path), path,
                 receipt->chunk_file) < 0)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "read %s", path);
    stream = fopen(name, "re");
    if (!stream)
        return error_set(err, ERROR_USAGE, errno, "read chunk digests %s",
                         name);
    if (read_table(stream, digest)) {
        digest_root(digest, root);
        if (memcmp(root, receipt->root, sizeof(root)) == 0)
            return 0;
    }
    return error_set(err, ERROR_FORMAT, 0,
                     "%s are not the chunk digests that %s is of", name, path);
}
