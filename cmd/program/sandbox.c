#include "program/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "program/sandbox_calls.h"

/* Of ABI 2, 3 and 5: newer than Debian 12's header. */
#define ACCESS_REFER     (UINT64_C(1) << 13)
#define ACCESS_TRUNCATE  (UINT64_C(1) << 14)
#define ACCESS_IOCTL_DEV (UINT64_C(1) << 15)

#define LOOPS_MAX 256U /* /dev/loop0 and on: numbers may have gaps */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER 1
#else
#define HAS_SANITIZER 0
#endif

#define ACCESS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define ACCESS_FILE                                                 \
    (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | \
     ACCESS_TRUNCATE | ACCESS_IOCTL_DEV)
#define ACCESS_ABI_1 ((UINT64_C(1) << 13) - 1)
/* Everything but to start a program. */
#define ACCESS_WRITE                                                      \
    ((ACCESS_ABI_1 | ACCESS_REFER | ACCESS_TRUNCATE | ACCESS_IOCTL_DEV) & \
     ~(uint64_t)LANDLOCK_ACCESS_FS_EXECUTE)

/* What any program reads, or writes, of the system. */
static const struct {
    const char *path;
    uint64_t access;
} system_paths[] = {
    { "/etc", ACCESS_READ },        { "/usr", ACCESS_READ },
    { "/lib", ACCESS_READ },        { "/lib64", ACCESS_READ },
    { "/run", ACCESS_READ },        { "/proc", ACCESS_READ },
    { "/sys", ACCESS_READ },        { "/var/run", ACCESS_READ },
    { "/dev/null", ACCESS_FILE },   { "/dev/zero", ACCESS_FILE },
    { "/dev/tty", ACCESS_FILE },    { "/dev/urandom", ACCESS_READ },
    { "/dev/random", ACCESS_READ }, { "/dev/termination-log", ACCESS_FILE },
    { "/opt", ACCESS_READ },        { "/nix/store", ACCESS_READ },
};

static struct {
    enum common_options_sandbox mode;
    const struct option_program *program;
    const void *config;
    bool is_entered;
} sandbox;

void sandbox_set(enum common_options_sandbox mode,
                 const struct option_program *program, const void *config)
{
    sandbox.mode = mode;
    sandbox.program = program;
    sandbox.config = config;
}

static long landlock_abi(void)
{
    return syscall(SYS_landlock_create_ruleset, NULL, (size_t)0,
                   LANDLOCK_CREATE_RULESET_VERSION);
}

/* The accesses that a kernel of that ABI knows. */
static uint64_t handled_access(long abi)
{
    return ACCESS_ABI_1 | (abi >= 2 ? ACCESS_REFER : 0) |
           (abi >= 3 ? ACCESS_TRUNCATE : 0) | (abi >= 5 ? ACCESS_IOCTL_DEV : 0);
}

/* ---- Landlock ---- */

struct ruleset {
    int fd;
    uint64_t handled;
};

/* A path without a filesystem (a socket, a pipe) takes no rule and needs
 * none. */
static void allow_fd(const struct ruleset *rules, int fd, uint64_t access)
{
    struct landlock_path_beneath_attr rule = { .parent_fd = fd };
    struct stat st;

    if (fstat(fd, &st) < 0)
        return;
    rule.allowed_access = access & rules->handled;
    if (!S_ISDIR(st.st_mode))
        rule.allowed_access &= ACCESS_FILE;
    if (rule.allowed_access != 0)
        (void)syscall(SYS_landlock_add_rule, rules->fd,
                      LANDLOCK_RULE_PATH_BENEATH, &rule, 0U);
}

/* Returns whether there is such a path. */
static bool allow_path(const struct ruleset *rules, const char *path,
                       uint64_t access)
{
    int fd = open(path, O_PATH | O_CLOEXEC);

    if (fd < 0)
        return false;
    allow_fd(rules, fd, access);
    close(fd);
    return true;
}

/* A file that is not there yet, or is replaced by renaming. */
static void allow_parent(const struct ruleset *rules, const char *path,
                         uint64_t access)
{
    char real[PATH_MAX], given[PATH_MAX];

    if (realpath(path, real))
        allow_path(rules, dirname(real), access);
    snprintf(given, sizeof(given), "%s", path);
    allow_path(rules, dirname(given), access);
}

static void allow_written(const struct ruleset *rules, const char *path,
                          bool is_directory)
{
    struct stat st;
    bool exists = stat(path, &st) == 0;

    allow_path(rules, path, ACCESS_WRITE);
    /* Not all of /dev, for one device; a directory is written to inside. */
    if (!is_directory && (!exists || S_ISREG(st.st_mode)))
        allow_parent(rules, path, ACCESS_WRITE);
}

/* ---- an NBD server with TLS ---- */

/* What libnbd opens in a directory of certificates, which may be links. */
static void allow_certificates(const struct ruleset *rules, const char *dir)
{
    static const char *const names[] = { "ca-cert.pem", "ca-crl.pem",
                                         "client-cert.pem", "client-key.pem" };
    char path[2 * PATH_MAX];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        allow_path(rules, path, ACCESS_READ);
    }
}

/* The value of a parameter of the URI, as libnbd will open it. */
static void allow_uri_parameter(const struct ruleset *rules, const char *uri,
                                const char *name)
{
    const char *found = strstr(uri, name);
    char path[PATH_MAX];

    if (!found)
        return;
    found += strlen(name);
    snprintf(path, sizeof(path), "%.*s", (int)strcspn(found, "&;#"), found);
    allow_path(rules, path, ACCESS_READ);
    allow_certificates(rules, path);
    if (strchr(path, '%')) /* encoded: not worth a decoder */
        allow_path(rules, "/", ACCESS_READ);
}

/* Each lane makes a directory of links to the certificates for libnbd, which
 * has places of its own where it looks without one. */
static void allow_nbd(const struct ruleset *rules, const char *uri)
{
    static const char *const places[] = { "/dev/shm", "/tmp", "/run" };
    const char *home = getenv("HOME");
    char path[PATH_MAX];

    if (strncmp(uri, "nbds", 4) != 0)
        return;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        allow_path(rules, places[i], ACCESS_WRITE);
    allow_uri_parameter(rules, uri, "tls-certificates=");
    allow_uri_parameter(rules, uri, "tls-psk-file=");
    if (!home)
        return;
    snprintf(path, sizeof(path), "%s/.pki", home);
    allow_path(rules, path, ACCESS_READ);
    snprintf(path, sizeof(path), "%s/.config/pki", home);
    allow_path(rules, path, ACCESS_READ);
}

/* ---- options ---- */

/*
 * The check that no other program uses a disk opens devices: those that lie on
 * it and those it lies on, and loop devices on a file.  If they could not be
 * opened, the disk would look unused.
 */
static void allow_device_checks(const struct ruleset *rules, const char *path)
{
    const uint64_t access = ACCESS_READ | ACCESS_IOCTL_DEV;
    char loop[32];
    struct stat st;

    if (stat(path, &st) == 0 && S_ISBLK(st.st_mode))
        allow_path(rules, "/dev", access);
    for (unsigned i = 0; i < LOOPS_MAX; i++) {
        snprintf(loop, sizeof(loop), "/dev/loop%u", i);
        allow_path(rules, loop, access);
    }
}

/* All other rows of files may be written to. */
static bool is_only_read(const char *name)
{
    static const char *const names[] = {
        "IMAGE",           "cert",      "key",           "ca",
        "psk-file",        "rate-file", "check-receipt", "allow-backing",
        "changed-extents",
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static void allow_row(const struct ruleset *rules, const struct option_row *row,
                      const char *path)
{
    const char *word = row->arg ? row->arg : row->name;
    struct stat st;

    if (strcmp(word, "FILE") != 0 && strcmp(word, "DIR") != 0 &&
        strcmp(word, "IMAGE") != 0 && strcmp(word, "DEST") != 0)
        return;
    if (strcmp(word, "IMAGE") == 0 || strcmp(word, "DEST") == 0)
        allow_device_checks(rules, path);
    if (!is_only_read(row->name)) {
        allow_written(rules, path, strcmp(word, "DIR") == 0);
        return;
    }
    if (strcmp(row->name, "IMAGE") == 0)
        allow_nbd(rules, path);
    /* A mounted secret is replaced as a whole, in its directory; the parts of
     * an image are opened by each lane. */
    allow_path(rules, path, ACCESS_READ | ACCESS_IOCTL_DEV);
    if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
        allow_parent(rules, path, ACCESS_READ);
}

static void allow_options(const struct ruleset *rules)
{
    const struct option_group *group;
    const struct option_row *row;

    for (unsigned i = 0; (row = option_row_at(sandbox.program, i, &group));
         i++) {
        const char *text;

        if (row->kind != OPTION_STRING && row->kind != OPTION_ARGUMENT)
            continue;
        memcpy(&text,
               (const char *)sandbox.config + group->base_offset +
                   row->field_offset,
               sizeof(text));
        if (text)
            allow_row(rules, row, text);
    }
}

/* What is open may be opened again: each lane does, by /proc/self/fd. */
static void allow_open(const struct ruleset *rules)
{
    DIR *dir = opendir("/proc/self/fd");
    const struct dirent *entry;

    while (dir && (entry = readdir(dir)) != NULL) {
        int fd = entry->d_name[0] == '.' ? -1
                                         : (int)strtol(entry->d_name, NULL, 10);
        int flags = fd >= 0 ? fcntl(fd, F_GETFL) : -1;

        if (flags >= 0 && fd != rules->fd && fd != dirfd(dir))
            allow_fd(rules, fd,
                     (flags & O_ACCMODE) == O_RDONLY
                         ? ACCESS_READ | ACCESS_IOCTL_DEV
                         : LANDLOCK_ACCESS_FS_READ_DIR | ACCESS_FILE);
    }
    if (dir)
        closedir(dir);
}

/* 0, or -errno: nothing is confined. */
static int enter_landlock(void)
{
    struct landlock_ruleset_attr attr = { 0 };
    struct ruleset rules;
    long abi = landlock_abi();
    int r = 0;

    if (abi < 1)
        return abi < 0 ? -errno : -ENOSYS;
    attr.handled_access_fs = rules.handled = handled_access(abi);
    rules.fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr),
                            0U);
    if (rules.fd < 0)
        return -errno;
    for (size_t i = 0; i < sizeof(system_paths) / sizeof(system_paths[0]); i++)
        allow_path(&rules, system_paths[i].path, system_paths[i].access);
    allow_options(&rules);
    allow_open(&rules);
    if (syscall(SYS_landlock_restrict_self, rules.fd, 0U) < 0)
        r = -errno;
    close(rules.fd);
    return r;
}

/* ---- both ---- */

static int report_lack(const char *what, int r, struct error *err)
{
    if (sandbox.mode == COMMON_OPTIONS_SANDBOX_REQUIRE)
        return error_set(err, ERROR_SYSTEM, -r,
                         "--sandbox=require: no %s in this kernel", what);
    log_warn("sandbox: no %s in this kernel (%s): the process is less confined",
             what, strerrordesc_np(-r));
    return 0;
}

int sandbox_enter(struct error *err)
{
    int r;

    if (!sandbox.program || sandbox.mode == COMMON_OPTIONS_SANDBOX_OFF ||
        sandbox.is_entered || HAS_SANITIZER)
        return 0;
    sandbox.is_entered = true;
    r = enter_landlock();
    if (r < 0 && report_lack("Landlock", r, err) < 0)
        return -1;
    r = sandbox_calls_limit();
    return r < 0 ? report_lack("seccomp", r, err) : 0;
}

bool sandbox_describe(char *buf, unsigned len)
{
    long abi = landlock_abi();
    bool has_calls = sandbox_calls_is_possible();

    if (HAS_SANITIZER) {
        snprintf(buf, len, "none: a build with a sanitizer");
        return false;
    }
    if (abi > 0)
        snprintf(buf, len, "Landlock %ld, %sseccomp", abi,
                 has_calls ? "" : "no ");
    else
        snprintf(buf, len, "no Landlock, %sseccomp", has_calls ? "" : "no ");
    return abi > 0 && has_calls;
}
