/* path.h - the path of a request as the server's routes name it.  Pure. */
#ifndef CW_HTTP_PATH_H
#define CW_HTTP_PATH_H

/*
 * Decodes "%2f", and makes one "/" of "//" and "/./", in place.  A path with an
 * escape that is invalid or a zero byte becomes "", which no route has.  ".." is
 * left as it is, for the same effect.
 */
void http_path_clean(char *path);

#endif
