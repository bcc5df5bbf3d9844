/* What streams ask of a volume: hostile, careless, large or known already. */
#include <errno.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "tree.h"

/* A list that is left out leaves the group no more than it had; the other list
 * of the entry stays. */
static void test_acls_left_out(void **state)
{
    struct error err;

    (void)state;
    sh("rm -rf src dst; mkdir dst; python3 -c \"\n"
       "import io, tarfile as t\n"
       "f = t.open('archive', 'w', format=t.PAX_FORMAT)\n"
       "def add(name, mode, kind, **acls):\n"
       "    i = t.TarInfo(name); i.mode = mode; i.type = kind\n"
       "    i.pax_headers = {'SCHILY.acl.' + k: v for k, v in acls.items()}\n"
       "    f.addfile(i, io.BytesIO(b''))\n"
       "lost = 'user::rw-,user:no-such-user:rwx,group::r--,mask::rwx,other::---'\n"
       "kept = 'user::rwx,user::rwx:54321,group::r-x,mask::rwx,other::---'\n"
       "add('file', 0o670, t.REGTYPE, access=lost)\n"
       "add('dir', 0o770, t.DIRTYPE, access=lost.replace('rw-', 'rwx'),"
       "    default=kept.replace('user::rwx:', 'user:x:rwx:'))\n"
       "f.close()\"");
    assert_int_equal(unpack("archive", false, &err), 0);
    sh("test \"$(stat -c %a dst/file dst/dir | paste -sd,)\" = 640,740");
    if (getxattr("dst/dir", posix_acl_names[POSIX_ACL_DEFAULT], NULL, 0) < 0)
        assert_int_equal(errno, EOPNOTSUPP);
}

/* Neither replaced nor emptied; one further down is a user's. */
static void test_lost_and_found(void **state)
{
    static const char *const members[] = { ".", "lost+found .lost+found a" };
    struct error err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        char command[256];

        CASE(members[i]);
        sh("rm -rf src dst; mkdir -p src/lost+found src/a/lost+found dst;"
           "echo theirs >'src/lost+found/#7'; echo x >src/a/lost+found/x;"
           "echo y >src/.lost+found; mkdir -m 700 dst/lost+found;"
           "echo ours >'dst/lost+found/#12'; stat -c %i dst/lost+found >inode");
        snprintf(command, sizeof(command), "tar -C src -cf archive %s",
                 members[i]);
        sh(command);
        assert_int_equal(unpack("archive", false, &err), 0);
        sh("test \"$(ls dst/lost+found)\" = '#12' &&"
           "stat -c %i dst/lost+found | cmp - inode &&"
           "cmp src/a/lost+found/x dst/a/lost+found/x &&"
           "test \"$(stat -c %a dst/lost+found)\" = 700");
    }
}

static void test_implied(void **state)
{
    static const mode_t masks[] = { 0, 022, 077 };
    struct error err;

    (void)state;
    sh("rm -rf src; mkdir -p src/a/b; echo x >src/a/b/file;"
       "tar -C src -cf archive a/b/file");
    for (size_t i = 0; i < ARRAY_LEN(masks); i++) {
        mode_t before;
        struct stat st;

        sh("rm -rf dst; mkdir dst");
        before = umask(masks[i]);
        assert_int_equal(unpack("archive", false, &err), 0);
        umask(before);
        assert_int_equal(stat("dst/a/b", &st), 0);
        assert_int_equal(st.st_mode & 07777, 0755 & ~masks[i]);
    }
}

/* Links in the way lead to where they would on the volume, as with chroot. */
static void test_links_inside(void **state)
{
    static const char *const links[] = { "usr/bin", "/usr/bin", "./usr/bin/",
                                         "../../usr/lib/../bin" };
    struct error err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(links); i++) {
        char command[512];

        CASE(links[i]);
        snprintf(
            command, sizeof(command),
            "rm -rf src dst; mkdir -p src/usr/bin src/usr/lib dst top/bin;"
            "echo old >src/usr/bin/sh; ln -s %s src/bin; echo t >top/bin/t;"
            "ln src/usr/bin/sh src/abs; chmod 750 src/usr/bin;"
            "tar -C src -cf archive usr bin; tar -C top -rf archive bin/t;"
            "tar -P -C src --transform 's,^usr,/bin/../usr,;s,/bin/../,/,' "
            "-rf archive usr/bin/sh abs",
            links[i]);
        sh(command);
        assert_int_equal(unpack("archive", false, &err), 0);
        sh("test -L dst/bin && test \"$(cat dst/usr/bin/t)\" = t &&"
           "test \"$(stat -c '%h %i' dst/abs)\" = "
           "\"2 $(stat -c %i dst/usr/bin/sh)\" &&"
           "test \"$(stat -c %a dst/usr/bin)\" = 750");
    }
}

/* A mode that excludes its owner, and one path named twice: the last counts. */
static void test_directories_last(void **state)
{
    struct error err;

    (void)state;
    sh("rm -rf src dst; mkdir -p src/a/b/c dst; echo x >src/a/b/c/x;"
       "chmod 500 src/a/b/c; chmod 511 src/a/b; tar -C src -cf archive a/b/c;"
       "chmod 0 src/a; tar -C src --no-recursion -rf archive ./a/b a;"
       "chmod 755 src/a src/a/b; tar -C src --no-recursion -rf archive a//b/;"
       "chmod 0 src/a");
    assert_int_equal(unpack("archive", false, &err), 0);
    sh("test \"$(stat -c %a dst/a)\" = 0; chmod 755 src/a dst/a;"
       "test \"$(stat -c %a dst/a/b dst/a/b/c | paste -sd,)\" = 755,500");
}

/* Neither setuid nor capabilities come with a stream, unless asked for. */
static void test_setid(void **state)
{
    struct error err;

    (void)state;
    sh("rm -rf src dst; mkdir -p src/d dst; echo x >src/su; echo y >src/sg;"
       "chmod 4755 src/su; chmod 2755 src/sg; chmod 2750 src/d;"
       "tar -C src -cf archive .");
    assert_int_equal(unpack("archive", false, &err), 0);
    sh("cd dst; test \"$(stat -c %a su sg d | paste -sd,)\" = 755,755,2750");
    keep_setid = true;
    assert_int_equal(unpack("archive", false, &err), 0);
    keep_setid = false;
    sh("cd dst; test \"$(stat -c %a su sg d | paste -sd,)\" = 4755,2755,2750");

    if (geteuid() != 0)
        return;
    sh("python3 -c \"import os; os.setxattr('src/su', 'security.capability',"
       "bytes.fromhex('0100000200200000000000000000000000000000'))\";"
       "rm -rf dst/*; tar --xattrs --xattrs-include='*' -C src -cf archive su");
    assert_int_equal(unpack("archive", false, &err), 0);
    assert_int_equal(getxattr("dst/su", "security.capability", NULL, 0), -1);
    keep_setid = true;
    assert_int_equal(unpack("archive", false, &err), 0);
    keep_setid = false;
    assert_int_equal(getxattr("dst/su", "security.capability", NULL, 0), 20);
}

/* Directories that take much memory and no room in a packed stream. */
static void test_many_directories(void **state)
{
    struct error err;

    (void)state;
    sh("rm -rf dst; mkdir dst; python3 -c \"\n"
       "import tarfile as t\n"
       "f = open('archive', 'wb')\n"
       "i = t.TarInfo('/'.join(['d' * 250] * 12)); i.type = t.DIRTYPE\n"
       "f.write(i.tobuf(t.GNU_FORMAT) * 25000 + bytes(10240))\"");
    assert_int_equal(unpack("archive", false, &err), -1);
    assert_int_equal(err.kind, ERROR_REFUSED);
    assert_non_null(strstr(err.text, "64 MiB"));
    sh("test -z \"$(ls -A dst)\"");
}

static void inode_of(const char *path, struct stat *st)
{
    if (stat(path, st) < 0)
        fail_msg("no %s", path);
}

/* A file that is equal in everything keeps its blocks; the others are new. */
static void test_unchanged(void **state)
{
    static const struct {
        const char *what, *code;
        bool stays;
    } cases[] = {
        { "nothing", ":", true },
        { "the content, in its middle", "poke dst/f 700000", false },
        { "the content, at its end", "poke dst/f 2999999", false },
        { "a byte in the hole", "poke dst/f 1500000", false },
        { "the time", "touch -d @6 dst/f", false },
        { "the mode", "chmod 604 dst/f", false },
        { "the size", "truncate -s 3000001 dst/f; touch -d @5 dst/f", false },
        { "holes, now zeros",
          "cat dst/f >dst/g; mv dst/g dst/f; chmod 640 "
          "dst/f; touch -d @5 dst/f",
          true },
        { "an attribute", "attr dst/f; touch -d @5 dst/f", false },
        { "its kind", "rm dst/f; ln -s ../src/f dst/f", false },
        { "two names of one file",
          "ln dst/f dst/outside; rm -rf dst/e; ln dst/f dst/e", true },
    };
    struct error err;

    (void)state;
    sh("rm -rf src; mkdir -p src/sub; head -c 1000000 /dev/urandom >src/f;"
       "truncate -s 2000000 src/f; head -c 1000000 /dev/urandom >>src/f;"
       "chmod 640 src/f; touch -d @5 src/f; cp -p src/f src/e;"
       "cp -p src/f src/sub/f; ln src/sub/f src/sub/h; tar -S -C src -cf archive .");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct stat f[2], sub[2], e;
        char command[1024];

        CASE(cases[i].what);
        sh("rm -rf dst; mkdir dst");
        assert_int_equal(unpack("archive", false, &err), 0);
        snprintf(command, sizeof(command),
                 "poke() { printf '\\1' | dd of=$1 bs=1 seek=$2 conv=notrunc "
                 "status=none; touch -d @5 $1; };"
                 "attr() { python3 -c 'import os, sys; "
                 "os.setxattr(sys.argv[1], \"user.x\", b\"y\")' $1; };"
                 "%s",
                 cases[i].code);
        sh(command);
        inode_of("dst/f", &f[0]);
        inode_of("dst/sub/f", &sub[0]);
        assert_int_equal(unpack("archive", false, &err), 0);
        inode_of("dst/f", &f[1]);
        inode_of("dst/sub/f", &sub[1]);
        inode_of("dst/e", &e);
        assert_int_equal(f[0].st_ino == f[1].st_ino, cases[i].stays);
        assert_int_equal(sub[0].st_ino, sub[1].st_ino);
        assert_int_equal(sub[1].st_nlink, 2);
        assert_int_not_equal(e.st_ino, f[1].st_ino);
        sh("rm -f dst/outside; diff -r src dst; for t in src dst; do (cd $t;"
           "stat -c '%n %a %Y %s %h' f e sub/f) >list.$t; done;"
           "diff list.src list.dst");
    }
}

static void test_preallocated(void **state)
{
    struct error err;

    (void)state;
    sh("rm -rf src dst; mkdir src dst; truncate -s 5M src/disk.img;"
       "printf x | dd of=src/disk.img bs=1 seek=3M conv=notrunc status=none;"
       "cd src && tar cSf ../archive *");
    assert_int_equal(unpack("archive", true, &err), 0);
    sh("cmp src/disk.img dst/disk.img");
    sh("test $(($(stat -c %b*%B dst/disk.img))) -ge 5242880");
}

/* Nothing in dst, nothing outside of it. */
static void test_hostile(void **state)
{
    static const struct {
        const char *name, *code;
        enum error_kind want;
    } cases[] = {
        { "upwards", "add('../out/x')", ERROR_REFUSED },
        { "upwards, later", "add('a/b/../../../out/x')", ERROR_REFUSED },
        { "a directory upwards", "add('..', t.DIRTYPE)", ERROR_REFUSED },
        { "absolute", "add(os.getcwd()+'/out/x')", ERROR_NONE },
        { "through a link", "add('a', t.SYMTYPE, '../out'); add('a/x')",
          ERROR_NONE },
        { "through an absolute link",
          "add('a', t.SYMTYPE, os.getcwd()+'/out'); add('a/x')", ERROR_NONE },
        { "through a link to the volume itself",
          "add('a', t.SYMTYPE, '../../..'); add('a/x')", ERROR_NONE },
        { "through links in a circle",
          "add('a', t.SYMTYPE, 'b'); add('b', t.SYMTYPE, 'a'); add('a/x')",
          ERROR_REFUSED },
        { "through a file", "add('a'); add('a/x')", ERROR_REFUSED },
        { "lost+found, through a link",
          "add('a', t.SYMTYPE, '/'); add('a/lost+found/x')", ERROR_REFUSED },
        { "over a link", "add('a', t.SYMTYPE, '../out/victim'); add('a')",
          ERROR_NONE },
        { "a directory over a link",
          "add('a', t.SYMTYPE, '../out'); add('a', t.DIRTYPE); add('a/x')",
          ERROR_NONE },
        { "a link over a directory",
          "add('a', t.DIRTYPE); add('a', t.SYMTYPE, '../out'); add('a/x')",
          ERROR_NONE },
        { "a link over a full directory",
          "add('a/b', t.DIRTYPE); add('a', t.SYMTYPE, '../out')",
          ERROR_REFUSED },
        { "hard link upwards", "add('a', t.LNKTYPE, '../out/victim')",
          ERROR_REFUSED },
        { "hard link, absolute", "add('a', t.LNKTYPE, '/etc/passwd')",
          ERROR_REFUSED },
        { "hard link through a link",
          "add('l', t.SYMTYPE, '../out'); add('a', t.LNKTYPE, 'l/victim')",
          ERROR_REFUSED },
        { "hard link to nothing", "add('a', t.LNKTYPE, 'b')", ERROR_REFUSED },
        { "device", "add('a', t.CHRTYPE)", ERROR_NONE },
        { "block device", "add('a', t.BLKTYPE)", ERROR_NONE },
        { "our own name", "add('.clonewire-tree/a')", ERROR_REFUSED },
        { "the volume itself", "add('./', t.DIRTYPE)", ERROR_NONE },
        { "too long a name", "add('a'*300)", ERROR_REFUSED },
        { "too long a path", "add('/'.join(['a'*200]*30))", ERROR_REFUSED },
        { "a huge file", "add('a', size=1<<60)", ERROR_NO_SPACE },
    };
    struct error err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char command[1024];

        CASE(cases[i].name);
        sh("rm -rf dst out; mkdir dst out; echo victim >out/victim");
        snprintf(command, sizeof(command),
                 "python3 -c \"\n"
                 "import os, io, tarfile as t\n"
                 "f = open('archive', 'wb')\n"
                 "def add(n, k=t.REGTYPE, l='', size=1):\n"
                 "    i = t.TarInfo(n); i.type = k; i.linkname = l\n"
                 "    if k == t.REGTYPE: i.size = size\n"
                 "    f.write(i.tobuf(t.GNU_FORMAT))\n"
                 "    if k == t.REGTYPE: f.write(b'x' + bytes(511))\n"
                 "%s\n"
                 "f.write(bytes(10240))\"",
                 cases[i].code);
        sh(command);
        assert_int_equal(unpack("archive", false, &err),
                         cases[i].want == ERROR_NONE ? 0 : -1);
        assert_int_equal(err.kind, cases[i].want);
        sh("test \"$(ls -A out)\" = victim && test \"$(cat out/victim)\" = "
           "victim");
        sh("test -z \"$(find dst -type c -o -type b)\"");
        if (cases[i].want != ERROR_NONE)
            sh("test -z \"$(find dst -mindepth 1 | head -1)\"");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_acls_left_out),
        cmocka_unit_test(test_lost_and_found),
        cmocka_unit_test(test_implied),
        cmocka_unit_test(test_links_inside),
        cmocka_unit_test(test_directories_last),
        cmocka_unit_test(test_setid),
        cmocka_unit_test(test_many_directories),
        cmocka_unit_test(test_unchanged),
        cmocka_unit_test(test_preallocated),
        cmocka_unit_test(test_hostile),
    };

    return cmocka_run_group_tests(tests, enter, leave);
}
