/* Trees as tar streams, against GNU tar and against hostile ones. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "io/partial_tree.h"
#include "tar/extract.h"
#include "tar/reader.h"
#include "tar/writer.h"
#include "tree.h"
#include "unit.h"

/* Hidden, nested and odd names, modes, times, links, holes. */
static const char make_tree[] =
    "set -e; rm -rf src dst out; mkdir -p src/sub/deeper src/empty dst out;"
    "cd src;"
    "printf hello >plain; chmod 0640 plain; touch -d @1000000000 plain;"
    "printf hidden >.hidden; printf '' >nothing; chmod 0400 .hidden;"
    "printf x >\"$(printf 'new\\nline \\\\ * ä \\377')\"; printf y >'-dash';"
    "printf nfc >\"$(printf '\\303\\266')\"; printf nfd >\"$(printf 'o\\314\\210')\";"
    "printf j >\"$(printf '\\341\\204\\200\\341\\205\\241')\";"
    "ln -s \"$(printf '/x/o\\314\\210')\" soft-nfd;"
    "ln -s \"$(printf '/x/\\377')\" soft-bytes;"
    "ln \"$(printf 'o\\314\\210')\" \"$(printf 'sub/ho\\314\\210')\";"
    "printf b >\"$(printf 'b\\376')\"; ln \"$(printf 'b\\376')\" \"$(printf 'c\\376')\";"
    "printf z >sub/deeper/$(printf '%0200d' 7);"
    "mkdir -p \"sub/$(printf '%0150d' 1)/$(printf '%0150d' 2)\";"
    "printf l >\"sub/$(printf '%0150d' 1)/$(printf '%0150d' 2)/long\";"
    "ln plain sub/hard; ln -s ../plain sub/soft; ln -s /nowhere dangling;"
    "mkfifo pipe; chmod 0604 pipe;"
    "truncate -s 64M holes; printf data | dd of=holes bs=1 seek=20M "
    "conv=notrunc status=none; printf end | dd of=holes bs=1 seek=30000001 "
    "conv=notrunc status=none; touch -d @1111111111 holes;"
    "truncate -s 9M all-hole; head -c 3000000 /dev/urandom >dense;"
    "find . -depth ! -path ./plain -exec touch -h -d @1700000000 {} +;"
    "touch -d @900000000 sub/deeper sub; chmod 2750 sub; chmod 0555 sub/deeper";

/* Everything about a tree but its data; how it is allocated, roughly. */
#define LISTING                                                         \
    "find . -mindepth 1 ! -name list ! -type d -printf "                \
    "'%P|%y|%m|%T@|%n|%l|%s|' -exec sh -c '"                            \
    "[ $(stat -c %b \"$1\") -lt 500 ] && echo sparse || echo dense' x " \
    "{} \\; -o -mindepth 1 -type d -printf '%P|%y|%m|%T@\\n' | sort"

static void same_as_source(void)
{
    sh("chmod -R u+rX src dst; diff -r --no-dereference -x pipe src dst");
    sh("(cd src && " LISTING ") >list.src; (cd dst && " LISTING ") >list.dst;"
       "diff list.src list.dst");
}

static void test_gnu_tar(void **state)
{
    static const char *const formats[] = { "-S --format=gnu",
                                           "-S --format=posix",
                                           "--format=posix",
                                           "-S --format=oldgnu", "-b 1" };
    struct error err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        char command[512];

        CASE(formats[i]);
        sh(make_tree);
        snprintf(command, sizeof(command),
                 "cd src && find . -mindepth 1 -maxdepth 1 -printf '%%P\\0' |"
                 "tar -c %s -f ../archive --null -T - 2>../tar.err ||"
                 "{ cat ../tar.err; false; }",
                 formats[i]);
        sh(command);
        sh("echo old >dst/plain;"
           "mkdir -p dst/empty/full dst/other/.x; echo keep >dst/other/.x/y");
        assert_int_equal(unpack("archive", false, &err), 0);
        sh("test \"$(cat dst/other/.x/y)\" = keep && rm -rf dst/other");
        sh("touch -r src/empty dst/empty");
        if (strstr(formats[i], "-S") == NULL)
            sh("truncate -s 0 src/holes dst/holes src/all-hole dst/all-hole;"
               "touch -d @5 src/holes dst/holes src/all-hole dst/all-hole");
        same_as_source();
    }
}

static int put(void *opaque, const void *data, size_t len, struct error *err)
{
    (void)err;
    return fwrite(data, 1, len, opaque) == len ? 0 : -1;
}

static int pack(bool sparse, struct error *err)
{
    struct tar_writer_options options = { .directory = "src",
                                          .sparse = sparse,
                                          .put = put };
    struct tar_writer_report report;
    uint64_t estimate;
    struct stat st;
    int r;

    options.opaque = fopen("archive", "w");
    assert_non_null(options.opaque);
    r = tar_writer_tree(&options, &report, err);
    fclose(options.opaque);
    if (r == 0) {
        assert_int_equal(stat("archive", &st), 0);
        assert_int_equal(tar_writer_estimate("src", sparse, &estimate, err), 0);
        assert_in_range(st.st_size, estimate / 2, 2 * estimate + 65536);
    }
    return r;
}

static bool has_xattrs(void)
{
    return setxattr("src/plain", "user.colour", "blue", 4, 0) == 0 &&
           setxattr("src/sub", "user.shape", "\0round", 6, 0) == 0;
}

static void check_xattrs(void)
{
    char value[8];

    assert_int_equal(getxattr("dst/plain", "user.colour", value, 8), 4);
    assert_memory_equal(value, "blue", 4);
    assert_int_equal(getxattr("dst/sub", "user.shape", value, 8), 6);
    assert_memory_equal(value, "\0round", 6);
}

static void test_pack(void **state)
{
    struct error err = { 0 };
    bool xattrs;

    (void)state;
    for (int sparse = 1; sparse >= 0; sparse--) {
        print_message("    %s\n", sparse ? "with holes" : "without");
        sh(make_tree);
        sh("mkdir -p src/lost+found src/" PARTIAL_TREE_NAME "; "
           "touch -d @1234567890.123456789 src/dense");
        xattrs = has_xattrs();
        assert_int_equal(pack(sparse, &err), 0);
        sh("rmdir src/lost+found src/" PARTIAL_TREE_NAME);

        /* GNU tar has no word for names that are not UTF-8, and takes them
         * as they are. */
        sh("tar xpf archive -C dst 2>tar.err || { cat tar.err; false; };"
           "! grep -v hdrcharset tar.err");
        if (!sparse)
            sh("fallocate -d dst/holes; fallocate -d dst/all-hole;"
               "touch -r src/holes dst/holes; touch -r src/all-hole "
               "dst/all-hole");
        same_as_source();
        sh("rm -rf dst; mkdir dst");
        assert_int_equal(unpack("archive", false, &err), 0);
        if (xattrs)
            check_xattrs();
        if (!sparse)
            sh("fallocate -d dst/holes; fallocate -d dst/all-hole;"
               "touch -r src/holes dst/holes; touch -r src/all-hole "
               "dst/all-hole");
        same_as_source();
        /* A third reader, which knows nothing of the others. */
        sh("python3 -c \"import tarfile, hashlib; t = tarfile.open('archive');"
           "print(*(hashlib.sha256(t.extractfile(n).read()).hexdigest()"
           " for n in ('holes', 'all-hole', 'dense')), sep=chr(10))\" >sums;"
           "cd src; sha256sum holes all-hole dense | cut -d' ' -f1 |"
           "diff - ../sums");
    }
}

static void same_acls(void)
{
    sh("for tree in src dst; do (cd $tree && find . -mindepth 1 | sort |"
       " xargs getfacl -n >../acls.$tree); done; diff acls.src acls.dst");
}

/* Who may do what beyond modes: carried, also to and from GNU tar, and what a
 * directory hands down is not handed to files that had none. */
/* Writes to a file while it is packed. */
static int put_and_change(void *opaque, const void *data, size_t len,
                          struct error *err)
{
    int fd = open("src/disk.img", O_WRONLY);

    assert_int_equal(pwrite(fd, "x", 1, 4096), 1);
    close(fd);
    return put(opaque, data, len, err);
}

static int pack_while(int (*take)(void *opaque, const void *data, size_t len,
                                  struct error *err),
                      bool allow_in_use, struct error *err)
{
    struct tar_writer_options options = { .directory = "src",
                                          .allow_in_use = allow_in_use,
                                          .put = take };
    struct tar_writer_report report;
    int r;

    sh("touch -d @5 src/disk.img");
    options.opaque = fopen("archive", "w");
    assert_non_null(options.opaque);
    r = tar_writer_tree(&options, &report, err);
    fclose(options.opaque);
    return r;
}

/* A disk among other files is of one moment, or not packed. */
static void test_disk_in_use(void **state)
{
    struct flock lock = { .l_type = F_RDLCK, .l_start = 101, .l_len = 1 };
    struct error err = { 0 };
    int fd;

    (void)state;
    sh("rm -rf src; mkdir src; cd src; echo note >note;"
       "head -c 1000000 /dev/zero >disk.img");
    assert_int_equal(pack_while(put, false, &err), 0);
    assert_int_equal(pack_while(put_and_change, false, &err), -1);
    assert_int_equal(err.kind, ERROR_CHANGED);
    assert_int_equal(pack_while(put_and_change, true, &err), 0);

    fd = open("src/disk.img", O_RDWR); /* as QEMU that may write */
    assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
    assert_int_equal(pack_while(put, false, &err), -1);
    assert_int_equal(err.kind, ERROR_CHANGED);
    assert_non_null(strstr(err.text, "running machine"));
    assert_int_equal(pack_while(put, true, &err), 0);
    close(fd);
}

static void test_acls(void **state)
{
    static const char make[] =
        "exec 2>acl.err; rm -rf src dst; mkdir -p src/sub/below dst;"
        "echo x >src/plain; echo y >src/sub/below/file; chmod 640 src/plain;"
        "setfacl -m u:54321:rwx,u:70000:-,g:54377:r-x,m:rw- src/plain &&"
        "setfacl -m u:54312:rx,d:u:54322:rwx,d:g:54321:rx src/sub &&"
        "setfacl -m d:u:54329:r src/sub/below && chmod 2770 src/sub";
    struct error err = { 0 };

    (void)state;
    if (system(make) != 0) {
        print_message("        no setfacl here, or no ACLs\n");
        skip();
    }
    assert_int_equal(pack(true, &err), 0);
    assert_int_equal(unpack("archive", false, &err), 0);
    same_acls();
    sh("grep -q user:54321:rwx acls.dst && grep -q default:user:54329:r acls.dst");
    sh("rm -rf dst; mkdir dst; tar xpf archive --acls --numeric-owner -C dst");
    same_acls();
    sh("rm -rf dst; mkdir dst;"
       "tar -C src --acls --numeric-owner -cf archive plain sub");
    assert_int_equal(unpack("archive", false, &err), 0);
    same_acls();

    /* To a program that knows nothing of them: no more than without. */
    sh("rm -rf dst; mkdir dst");
    assert_int_equal(pack(true, &err), 0);
    sh("tar xpf archive -C dst && test $(stat -c %a dst/plain) = 640");
}

static void test_pack_corners(void **state)
{
    struct error err = { 0 };
    uint64_t estimate;

    (void)state;
    sh("rm -rf src dst; mkdir src dst");
    assert_int_equal(pack(true, &err), 0);
    sh("test -z \"$(tar tf archive)\" && test -s archive");
    assert_int_equal(unpack("archive", false, &err), 0);

    assert_int_equal(tar_writer_is_only("src", "disk.img", &err), 0);
    sh("mkdir src/lost+found; echo >src/disk.img");
    assert_int_equal(tar_writer_is_only("src", "disk.img", &err), 1);
    sh("echo >src/.other");
    assert_int_equal(tar_writer_is_only("src", "disk.img", &err), 0);
    sh("rm src/.other src/disk.img; ln -s x src/disk.img");
    assert_int_equal(tar_writer_is_only("src", "disk.img", &err), 0);
    assert_int_equal(tar_writer_is_only("none", "disk.img", &err), -1);
    assert_int_equal(err.kind, ERROR_SOURCE_IO);
    assert_int_equal(tar_writer_estimate("none", true, &(uint64_t){ 0 }, &err),
                     -1);

    /* A disk of many TiB, of which nothing is there, takes no time. */
    sh("rm src/disk.img; truncate -s 7T src/disk.img");
    assert_int_equal(pack(true, &err), 0);
    sh("test \"$(tar tvf archive | awk '{print $3}')\" = 7696581394432");

    /* Of a file with many names, the content counts once. */
    sh("rm src/disk.img; head -c 1000000 /dev/urandom >src/a;"
       "for i in $(seq 30); do ln src/a src/l$i; done");
    assert_int_equal(tar_writer_estimate("src", true, &estimate, &err), 0);
    assert_in_range(estimate, 1000000, 1100000);

    sh("d=src; for i in $(seq 300); do d=$d/d; mkdir $d; done");
    assert_int_equal(pack(true, &err), -1);
    assert_int_equal(err.kind, ERROR_FORMAT);
}

static void test_damaged(void **state)
{
    struct error err;

    (void)state;
    sh(make_tree);
    sh("tar cSf whole -C src . && mkdir -p dst &&"
       "echo before >dst/before");
    static const char *const cuts[] = {
        "head -c 100000 whole >archive",
        "head -c 2000001 whole >archive",
        ": >archive",
        "head -c 700 whole >archive",
        "{ head -c 512 /dev/urandom; tail -c +513 whole; } >archive",
        "head -c 20000 /dev/urandom >archive",
        "gzip <whole >archive",
    };

    for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
        CASE(cuts[i]);
        sh(cuts[i]);
        assert_int_equal(unpack("archive", false, &err), -1);
        assert_int_equal(err.kind, ERROR_PROTOCOL);
        sh("test \"$(ls -A dst)\" = before");
    }
    /* A tree that a killed run left is in nobody's way. */
    sh("mkdir -p dst/" PARTIAL_TREE_NAME "/a/b; chmod 0 dst/" PARTIAL_TREE_NAME
       "/a; touch dst/" PARTIAL_TREE_NAME "/c");
    assert_int_equal(unpack("whole", false, &err), 0);
}

static int find(const char *archive, struct tree_entry *entry, char *first,
                struct error *err)
{
    struct feeder feeder = { .file = fopen(archive, "r") };
    struct piece_source input = { .next = feed, .opaque = &feeder };
    struct tree_reader *reader;
    const void *data;
    uint64_t offset;
    size_t len;
    int r;

    assert_non_null(feeder.file);
    assert_int_equal(tree_reader_open(&input, &reader, err), 0);
    r = tree_reader_find(reader, "disk.img", entry, err);
    if (r == 1) {
        assert_int_equal(tree_reader_data(reader, &data, &len, &offset, err),
                         1);
        *first = *(const char *)data;
        assert_int_equal(tree_reader_finish(reader, err), 0);
        assert_int_equal(fgetc(feeder.file), EOF);
    }
    tree_reader_close(reader);
    fclose(feeder.file);
    return r;
}

static void test_find_disk(void **state)
{
    struct tree_entry entry;
    struct error err = { 0 };
    char first = 0;

    (void)state;
    sh("rm -rf src; mkdir -p src/disk.img.d src/sub; cd src;"
       "printf b >backup-disk.img; printf s >sub/disk.img; printf a >disk.img;"
       "printf c >disk.img.bak; mkdir x; printf d >x/disk.img;"
       "tar cf ../archive backup-disk.img disk.img.bak sub x disk.img;"
       "tar cf ../dotted ./backup-disk.img ./sub ./disk.img;"
       "tar cf ../none backup-disk.img sub disk.img.d;"
       "ln disk.img 0; tar cf ../hard 0 disk.img; rm disk.img;"
       "ln -s backup-disk.img disk.img; tar cf ../soft backup-disk.img "
       "disk.img");
    assert_int_equal(find("archive", &entry, &first, &err), 1);
    assert_int_equal(first, 'a');
    assert_int_equal(entry.size_bytes, 1);
    assert_int_equal(find("dotted", &entry, &first, &err), 1);
    assert_int_equal(first, 'a');
    assert_int_equal(find("none", &entry, &first, &err), 0);
    assert_int_equal(find("hard", &entry, &first, &err), -1);
    assert_int_equal(err.kind, ERROR_FORMAT);
    assert_int_equal(find("soft", &entry, &first, &err), -1);
    assert_int_equal(err.kind, ERROR_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gnu_tar),      cmocka_unit_test(test_pack),
        cmocka_unit_test(test_disk_in_use),  cmocka_unit_test(test_acls),
        cmocka_unit_test(test_pack_corners), cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_find_disk),
    };

    return cmocka_run_group_tests(tests, enter, leave);
}
