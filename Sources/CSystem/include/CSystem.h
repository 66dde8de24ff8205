// What the Glibc module leaves out: macros and headers that Swift can't import by itself. Nothing here does more than
// its name says; Platform is the only target that imports it.
//
// No system header that needs _GNU_SOURCE may be included here: it would give types such as fd_set a second definition
// beside the one that other C modules import, and Swift refuses to build both. CSystem.c includes them.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "FileCalls.h"
#include "ProcessCalls.h"

/// strerror_r in its GNU form: a text in `buffer` or a constant.
const char *csystem_strerror(int error, char *buffer, size_t size);

extern const int csystem_O_NOATIME;
extern const int csystem_O_PATH;

unsigned csystem_major(uint64_t device);
unsigned csystem_minor(uint64_t device);
uint64_t csystem_makedev(unsigned major, unsigned minor);

// Extended attributes, see xattr(7). `path` variants don't follow a link. Return values as the system calls'.
ptrdiff_t csystem_llistxattr(const char *path, char *list, size_t size);
ptrdiff_t csystem_lgetxattr(const char *path, const char *name, void *value, size_t size);
int csystem_lsetxattr(const char *path, const char *name, const void *value, size_t size);
int csystem_lremovexattr(const char *path, const char *name);
ptrdiff_t csystem_flistxattr(int descriptor, char *list, size_t size);
ptrdiff_t csystem_fgetxattr(int descriptor, const char *name, void *value, size_t size);
int csystem_fsetxattr(int descriptor, const char *name, const void *value, size_t size);
int csystem_fremovexattr(int descriptor, const char *name);

/// f_type of statfs(2) for an open descriptor or a path; -1 and errno on failure.
int64_t csystem_filesystem_type(const char *path);

/// getrandom(2) without flags.
ptrdiff_t csystem_getrandom(void *buffer, size_t size);

/// Columns of the terminal on `descriptor`, or 0 when it is none.
int csystem_terminal_columns(int descriptor);

/// accept4(2) with SOCK_CLOEXEC; `address` holds a sockaddr of `*length` bytes.
int csystem_accept(int descriptor, void *address, uint32_t *length);
