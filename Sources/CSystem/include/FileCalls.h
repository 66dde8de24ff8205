// File system calls relative to directories, and their constants, that the Glibc module leaves out.
#pragma once
#include <stddef.h>
#include <stdint.h>

extern const int csystem_AT_EMPTY_PATH;
extern const int csystem_SEEK_DATA;
extern const int csystem_SEEK_HOLE;

/// getdents64(2): linux_dirent64 records.
ptrdiff_t csystem_getdents(int directory, void *buffer, size_t size);

/// openat2(2) with RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS; -1 and ENOSYS on kernels before 5.6.
int csystem_openat_beneath(int directory, const char *path, int flags, unsigned mode);

/// fallocate(2) that makes a hole of a range and keeps the size.
int csystem_punch_hole(int descriptor, int64_t offset, int64_t length);

/// posix_fadvise(2): POSIX_FADV_SEQUENTIAL over the whole file.
int csystem_advise_sequential(int descriptor);

// Accounts by number and name, see getpwuid_r(3). 0 and an empty result where there is none.
int csystem_user_name(unsigned user, char *name, size_t size);
int csystem_group_name(unsigned group, char *name, size_t size);
/// 1 and the number, or 0.
int csystem_user_number(const char *name, unsigned *user);
int csystem_group_number(const char *name, unsigned *group);

/// fnmatch(3): 1 for a match.
int csystem_fnmatch(const char *pattern, const char *text, int ignore_case, int pathname);

/// regcomp(3) with REG_EXTENDED; NULL and a message on failure. Freed by csystem_regex_free.
void *csystem_regex_compile(const char *pattern, int ignore_case, char *message, size_t size);
/// regexec(3) with up to `count` (begin, end) pairs, -1 where a group took no part. `not_at_start`: REG_NOTBOL. 1 for a match.
int csystem_regex_match(const void *regex, const char *text, int64_t *pairs, size_t count, int not_at_start);
void csystem_regex_free(void *regex);
