/* login.h - gives libnbd the certificates or pre-shared key of a TLS
 * connection. */
#ifndef CW_IMAGE_NBD_LOGIN_H
#define CW_IMAGE_NBD_LOGIN_H

#include "base/error.h"
#include "image/image.h"

struct nbd_handle; /* of libnbd */

/* libnbd takes certificates only from a directory, by fixed names: this one has
 * links of these names. */
struct nbd_login {
    char directory[64]; /* "": none was made */
};

/* Call before nbd connects to uri, which may name other files and goes first.
 * Fails with ERROR_USAGE or ERROR_SYSTEM. */
int nbd_login_prepare(struct nbd_login *login, struct nbd_handle *nbd,
                      const char *uri, const struct image_login *files,
                      struct error *err);

/* Call after the handshake: removes the directory. */
void nbd_login_forget(const struct nbd_login *login);

#endif
