#include "image/nbd/login.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "image/nbd/library.h"

/* libnbd's names in a directory of certificates. */
static const char *const file_names[] = { "ca-cert.pem", "client-cert.pem",
                                          "client-key.pem" };

static void auto_fclose(FILE **stream)
{
    if (*stream)
        fclose(*stream);
}

/* A private directory, wherever one can be made. */
static int make_directory(struct nbd_login *login, struct error *err)
{
    const char *places[] = { "/dev/shm", "/tmp", "/run" };

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        snprintf(login->directory, sizeof(login->directory),
                 "%s/clonewire-nbd-XXXXXX", places[i]);
        if (mkdtemp(login->directory))
            return 0;
    }
    login->directory[0] = '\0';
    return error_set(err, ERROR_SYSTEM, errno,
                     "make a directory of certificates for the NBD connection "
                     "in /dev/shm, /tmp or /run; or give one in the URI, "
                     "tls-certificates=DIR");
}

static int link_file(const struct nbd_login *login, const char *name,
                     const char *path, struct error *err)
{
    char link[sizeof(login->directory) + 32];
    AUTO_FREE char *real = realpath(path, NULL);

    snprintf(link, sizeof(link), "%s/%s", login->directory, name);
    if (!real || symlink(real, link) < 0)
        return error_set(err, ERROR_USAGE, errno, "read %s", path);
    return 0;
}

static int offer_certificates(struct nbd_login *login, struct nbd_handle *nbd,
                              const struct image_login *files,
                              struct error *err)
{
    const char *paths[] = { files->ca_file, files->cert_file, files->key_file };

    if (make_directory(login, err) < 0)
        return -1;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        if (paths[i] && link_file(login, file_names[i], paths[i], err) < 0)
            return -1;
    if (libnbd.set_tls_certificates(nbd, login->directory) < 0)
        return error_set(err, ERROR_SYSTEM, 0, "%s", libnbd.get_error());
    return 0;
}

/* The identity of the first line of the file, "identity:hex". */
static int first_identity(const char *path, char identity[256],
                          struct error *err)
{
    AUTO(auto_fclose) FILE *stream = fopen(path, "re");

    if (!stream)
        return error_set(err, ERROR_USAGE, errno, "read %s", path);
    if (!fgets(identity, 256, stream) || !strchr(identity, ':'))
        return error_set(err, ERROR_USAGE, 0,
                         "%s: its first line is not IDENTITY:HEX", path);
    *strchr(identity, ':') = '\0';
    return 0;
}

static int offer_key(struct nbd_handle *nbd, const struct image_login *files,
                     struct error *err)
{
    char first[256];

    if (!files->psk_identity && first_identity(files->psk_file, first, err) < 0)
        return -1;
    if (libnbd.set_tls_psk_file(nbd, files->psk_file) < 0 ||
        libnbd.set_tls_username(nbd, files->psk_identity ? files->psk_identity
                                                         : first) < 0)
        return error_set(err, ERROR_SYSTEM, 0, "%s", libnbd.get_error());
    return 0;
}

int nbd_login_prepare(struct nbd_login *login, struct nbd_handle *nbd,
                      const char *uri, const struct image_login *files,
                      struct error *err)
{
    login->directory[0] = '\0';
    if (strncmp(uri, "nbds", 4) != 0 || strstr(uri, "tls-certificates=") ||
        strstr(uri, "tls-psk-file="))
        return 0;
    if (files->psk_file)
        return offer_key(nbd, files, err);
    return files->ca_file ? offer_certificates(login, nbd, files, err) : 0;
}

void nbd_login_forget(const struct nbd_login *login)
{
    char link[sizeof(login->directory) + 32];

    if (!login->directory[0])
        return;
    for (size_t i = 0; i < sizeof(file_names) / sizeof(file_names[0]); i++) {
        snprintf(link, sizeof(link), "%s/%s", login->directory, file_names[i]);
        unlink(link);
    }
    rmdir(login->directory);
}
