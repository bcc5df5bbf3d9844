#include "image/nbd/library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

struct nbd_library libnbd;
static const char *missing; /* a function; "": the library; NULL: nothing */

static void load(void)
{
    static const char *const names[] = {
#define NBD_NAME(name) "nbd_" #name,
        NBD_FUNCTIONS(NBD_NAME)
#undef NBD_NAME
    };
    void *functions[sizeof(names) / sizeof(names[0])];
    void *library = dlopen("libnbd.so.0", RTLD_NOW | RTLD_LOCAL);

    _Static_assert(sizeof(functions) == sizeof(libnbd), "a pointer for each");
    missing = library ? NULL : "";
    for (size_t i = 0; library && i < sizeof(names) / sizeof(names[0]); i++) {
        functions[i] = dlsym(library, names[i]);
        if (!functions[i])
            missing = names[i];
    }
    if (!missing)
        memcpy(&libnbd, functions, sizeof(libnbd));
}

int nbd_library_load(struct error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, load);
    if (!missing)
        return 0;
    return error_set(err, ERROR_SYSTEM, 0,
                     "read from an NBD server: %s%s; install libnbd0 (libnbd "
                     "1.14 or newer)",
                     *missing ? "libnbd.so.0 has no function "
                              : "libnbd.so.0 is not installed",
                     missing);
}
