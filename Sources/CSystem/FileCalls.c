#define _GNU_SOURCE
#include "FileCalls.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <grp.h>
#include <linux/openat2.h>
#include <pwd.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

const int csystem_AT_EMPTY_PATH = AT_EMPTY_PATH;
const int csystem_SEEK_DATA = SEEK_DATA;
const int csystem_SEEK_HOLE = SEEK_HOLE;

ptrdiff_t csystem_getdents(int directory, void *buffer, size_t size) { return getdents64(directory, buffer, size); }

int csystem_openat_beneath(int directory, const char *path, int flags, unsigned mode) {
    struct open_how how = {
        .flags = (uint64_t)flags,
        .mode = (flags & (O_CREAT | O_TMPFILE)) ? mode : 0,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

int csystem_punch_hole(int descriptor, int64_t offset, int64_t length) {
    return fallocate(descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length);
}

int csystem_advise_sequential(int descriptor) { return posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL); }

// Entries of accounts are small; 16 KiB holds groups of many members, and longer ones only lose their name.
enum { account_bytes = 16384 };

static int copied(const char *from, char *to, size_t size) {
    if (!from || strlen(from) >= size) return 0;
    strcpy(to, from);
    return 1;
}

int csystem_user_name(unsigned user, char *name, size_t size) {
    char buffer[account_bytes];
    struct passwd entry, *found = NULL;
    if (getpwuid_r(user, &entry, buffer, sizeof buffer, &found) != 0 || !found) return 0;
    return copied(found->pw_name, name, size);
}
int csystem_group_name(unsigned group, char *name, size_t size) {
    char buffer[account_bytes];
    struct group entry, *found = NULL;
    if (getgrgid_r(group, &entry, buffer, sizeof buffer, &found) != 0 || !found) return 0;
    return copied(found->gr_name, name, size);
}
int csystem_user_number(const char *name, unsigned *user) {
    char buffer[account_bytes];
    struct passwd entry, *found = NULL;
    if (getpwnam_r(name, &entry, buffer, sizeof buffer, &found) != 0 || !found) return 0;
    *user = found->pw_uid;
    return 1;
}
int csystem_group_number(const char *name, unsigned *group) {
    char buffer[account_bytes];
    struct group entry, *found = NULL;
    if (getgrnam_r(name, &entry, buffer, sizeof buffer, &found) != 0 || !found) return 0;
    *group = found->gr_gid;
    return 1;
}

int csystem_fnmatch(const char *pattern, const char *text, int ignore_case, int pathname) {
    return fnmatch(pattern, text, (ignore_case ? FNM_CASEFOLD : 0) | (pathname ? FNM_PATHNAME : 0)) == 0;
}

void *csystem_regex_compile(const char *pattern, int ignore_case, char *message, size_t size) {
    regex_t *regex = malloc(sizeof *regex);
    if (!regex) return NULL;
    int error = regcomp(regex, pattern, REG_EXTENDED | (ignore_case ? REG_ICASE : 0));
    if (error == 0) return regex;
    regerror(error, regex, message, size);
    free(regex);
    return NULL;
}

int csystem_regex_match(const void *regex, const char *text, int64_t *pairs, size_t count, int not_at_start) {
    regmatch_t matches[10];
    if (count > 10) count = 10;
    if (regexec(regex, text, count, matches, not_at_start ? REG_NOTBOL : 0) != 0) return 0;
    for (size_t index = 0; index < count; index++) {
        pairs[2 * index] = matches[index].rm_so;
        pairs[2 * index + 1] = matches[index].rm_eo;
    }
    return 1;
}

void csystem_regex_free(void *regex) {
    regfree(regex);
    free(regex);
}
