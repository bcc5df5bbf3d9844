#include "sink/final_name.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "io/device_in_use.h"
#include "io/file.h"

/* "UID MODE" of the original file while its access is borrowed. */
#define ACCESS_ATTRIBUTE "user.clonewire-access"

/* ---- is the rename possible? ---- */

/* CAP_FOWNER allows removing any file from a sticky directory. */
static bool owns_every_file(void)
{
    struct __user_cap_header_struct head = {
        .version = _LINUX_CAPABILITY_VERSION_3,
    };
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

    return syscall(SYS_capget, &head, data) == 0 &&
           (data[CAP_TO_INDEX(CAP_FOWNER)].effective &
            CAP_TO_MASK(CAP_FOWNER)) != 0;
}

static int refuse(struct error *err, const char *path, const char *why)
{
    return error_set(err, ERROR_REFUSED, 0, "%s cannot be replaced: %s", path,
                     why);
}

/*
 * The checks of may_delete() in the kernel's fs/namei.c, for the file at path.
 */
static int check_file(const char *path, const struct stat *directory,
                      struct error *err)
{
    struct statx st;
    bool is_others;

    if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &st) < 0)
        return errno == ENOENT
                   ? 0
                   : error_set(err, ERROR_TARGET_IO, errno, "look at %s", path);
    if (st.stx_attributes & STATX_ATTR_MOUNT_ROOT)
        return refuse(err, path, "something is mounted on it");
    if (st.stx_attributes & STATX_ATTR_IMMUTABLE)
        return refuse(err, path, "it is immutable (chattr -i)");
    if (st.stx_attributes & STATX_ATTR_APPEND)
        return refuse(err, path, "it is append-only (chattr -a)");
    if (device_in_use_as_swap_file(path))
        return refuse(err, path, "it is in use as swap space");
    is_others = st.stx_uid != geteuid() && directory->st_uid != geteuid();
    if ((directory->st_mode & S_ISVTX) && is_others && !owns_every_file())
        return refuse(err, path, "it is another user's, in a sticky directory");
    return 0;
}

static int check_directory(const char *path, const char *directory,
                           struct stat *st, struct error *err)
{
    struct statx sx;

    if (stat(directory, st) < 0)
        return error_set_named(err, ERROR_TARGET_IO, errno,
                               "directory %s of %s", directory, path);
    if (faccessat(AT_FDCWD, directory, W_OK | X_OK, AT_EACCESS) < 0)
        return error_set(
            err, ERROR_TARGET_IO, errno, "make %s: no right to write in %s%s",
            path, directory,
            errno == EROFS ? "" : " (in a pod: the volume needs fsGroup)");
    if (statx(AT_FDCWD, directory, 0, STATX_TYPE, &sx) < 0)
        return 0;
    if (sx.stx_attributes & STATX_ATTR_IMMUTABLE)
        return refuse(err, path, "its directory is immutable (chattr -i)");
    if (sx.stx_attributes & STATX_ATTR_APPEND)
        return refuse(err, path, "its directory is append-only (chattr -a)");
    return 0;
}

int final_name_check(const char *path, const char *directory, struct error *err)
{
    struct stat st;

    if (check_directory(path, directory, &st, err) < 0)
        return -1;
    return check_file(path, &st, err);
}

/* ---- ownership ---- */

/* Labels of the content itself: wrong for any other content. */
static bool is_of_content(const char *name)
{
    return strcmp(name, "security.ima") == 0 ||
           strcmp(name, "security.evm") == 0;
}

/* False: the file at fd did not get the attribute. */
static bool copy_attribute(const char *path, int fd, const char *name)
{
    ssize_t len = lgetxattr(path, name, NULL, 0);
    AUTO_FREE void *value = len >= 0 ? malloc((size_t)len + 1) : NULL;

    if (value)
        len = lgetxattr(path, name, value, (size_t)len);
    if (value && len >= 0 && fsetxattr(fd, name, value, (size_t)len, 0) == 0)
        return true;
    log_warn("%s: its attribute %s cannot be kept: %s", path, name,
             strerrordesc_np(errno));
    return false;
}

static bool copy_attributes(const char *path, int fd, bool keeps_acl)
{
    ssize_t len = llistxattr(path, NULL, 0);
    AUTO_FREE char *names = len > 0 ? malloc((size_t)len) : NULL;
    bool has_acl = true;

    if (names)
        len = llistxattr(path, names, (size_t)len);
    if (!names || len < 0)
        return true; /* none, or not supported here */
    for (const char *name = names; name < names + len;
         name += strlen(name) + 1) {
        bool is_acl = strncmp(name, "system.", 7) == 0;

        if (is_of_content(name) || strcmp(name, ACCESS_ATTRIBUTE) == 0 ||
            (is_acl && !keeps_acl))
            continue;
        if (!copy_attribute(path, fd, name) && is_acl)
            has_acl = false;
    }
    return has_acl;
}

/* True: the group is that of the old file, too. */
static bool copy_owner(const char *path, int fd, const struct stat *old)
{
    const char *why;

    if (fchown(fd, old->st_uid, old->st_gid) == 0)
        return true;
    why = strerrordesc_np(errno);
    if (fchown(fd, (uid_t)-1, old->st_gid) == 0) {
        log_warn("%s: its owner, user %u, cannot be kept: %s; it now belongs "
                 "to user %u",
                 path, old->st_uid, why, geteuid());
        return true;
    }
    log_warn("%s: its owner, user %u and group %u, cannot be kept: %s; only "
             "user %u can open it now",
             path, old->st_uid, old->st_gid, why, geteuid());
    return false;
}

static int fail_mode(const char *path, struct error *err)
{
    return error_set(err, ERROR_TARGET_IO, errno,
                     "give the new file the mode of %s", path);
}

static bool has_owner_of(const struct stat *a, const struct stat *b)
{
    return a->st_uid == b->st_uid && a->st_gid == b->st_gid;
}

int final_name_copy_access(const char *path, int fd, struct error *err)
{
    struct stat old, own;
    bool is_alike, is_kept;
    mode_t mode;

    if (lstat(path, &old) < 0 || fstat(fd, &own) < 0 || !S_ISREG(old.st_mode))
        return 0;
    /* Already right where the filesystem chooses them and refuses chmod(2). */
    is_alike = has_owner_of(&own, &old) && own.st_mode == old.st_mode;
    /* Closes the file to others before its owner and ACL change. */
    if (!is_alike && fchmod(fd, 0600) < 0)
        return fail_mode(path, err);
    is_kept = has_owner_of(&own, &old) || copy_owner(path, fd, &old);
    mode = old.st_mode & 0777;
    if (!copy_attributes(path, fd, is_kept) || !is_kept)
        mode &= 0700;
    if ((!is_alike || mode != (old.st_mode & 0777)) && fchmod(fd, mode) < 0)
        return fail_mode(path, err);
    if (fsync(fd) < 0)
        return error_set(err, ERROR_TARGET_IO, errno, "flush the file for %s",
                         path);
    return 0;
}

/* ---- borrowed access ---- */

void final_name_borrow_access(int fd)
{
    struct stat st;
    char text[64];
    int len;

    if (fstat(fd, &st) < 0 ||
        (st.st_uid == geteuid() && !(st.st_mode & S_IWOTH)))
        return;
    len = snprintf(text, sizeof(text), "%u %o", st.st_uid, st.st_mode & 0777);
    /* Already ours: an earlier, killed run has recorded the access. */
    if (fsetxattr(fd, ACCESS_ATTRIBUTE, text, (size_t)len,
                  st.st_uid == geteuid() ? XATTR_CREATE : 0) == 0 ||
        errno == EEXIST) {
        if (fchown(fd, geteuid(), (gid_t)-1) == 0 &&
            fchmod(fd, st.st_mode & 0775) == 0)
            return;
        fremovexattr(fd, ACCESS_ATTRIBUTE);
    }
    log_debug("the partial file stays user %u's: %s", st.st_uid,
              strerrordesc_np(errno));
}

int final_name_return_access(const char *path, int fd, struct error *err)
{
    char text[64] = "";
    unsigned uid, mode;

    if (fgetxattr(fd, ACCESS_ATTRIBUTE, text, sizeof(text) - 1) < 0 ||
        sscanf(text, "%u %o", &uid, &mode) != 2)
        return 0;
    if (fchown(fd, uid, (gid_t)-1) < 0 || fchmod(fd, mode & 0777) < 0 ||
        fremovexattr(fd, ACCESS_ATTRIBUTE) < 0 || fsync(fd) < 0)
        return error_set(err, ERROR_TARGET_IO, errno, "give %s back to user %u",
                         path, uid);
    return 0;
}

/* ---- rename ---- */

/* Fails with EEXIST if the name was taken meanwhile. */
static int rename_to_free_name(const char *from, const char *to)
{
    struct stat st;

    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -errno;
    /* Not supported by this filesystem: check, then rename. */
    if (lstat(to, &st) == 0)
        return -EEXIST;
    return rename(from, to) < 0 ? -errno : 0;
}

int final_name_sync(const char *path, struct error *err)
{
    int r = file_sync_directory(path);

    if (r < 0)
        return error_set(err, ERROR_TARGET_IO, -r, "flush directory of %s",
                         path);
    return 0;
}

int final_name_give(const char *partial, const char *path, bool replace,
                    struct error *err)
{
    int r;

    if (replace)
        r = rename(partial, path) < 0 ? -errno : 0;
    else
        r = rename_to_free_name(partial, path);
    if (r == -EEXIST)
        return error_set(err, ERROR_REFUSED, 0,
                         "%s was made by another process meanwhile; the disk "
                         "is whole in %s",
                         path, partial);
    if (r < 0)
        return error_set(err, ERROR_TARGET_IO, -r, "rename %s to %s", partial,
                         path);
    return final_name_sync(path, err);
}
