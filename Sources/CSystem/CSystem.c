#define _GNU_SOURCE
#include "CSystem.h"

#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

const char *csystem_strerror(int error, char *buffer, size_t size) { return strerror_r(error, buffer, size); }

const int csystem_O_NOATIME = O_NOATIME;
const int csystem_O_PATH = O_PATH;

unsigned csystem_major(uint64_t device) { return gnu_dev_major(device); }
unsigned csystem_minor(uint64_t device) { return gnu_dev_minor(device); }
uint64_t csystem_makedev(unsigned major, unsigned minor) { return gnu_dev_makedev(major, minor); }

ptrdiff_t csystem_llistxattr(const char *path, char *list, size_t size) { return llistxattr(path, list, size); }
ptrdiff_t csystem_lgetxattr(const char *path, const char *name, void *value, size_t size) {
    return lgetxattr(path, name, value, size);
}
int csystem_lsetxattr(const char *path, const char *name, const void *value, size_t size) {
    return lsetxattr(path, name, value, size, 0);
}
int csystem_lremovexattr(const char *path, const char *name) { return lremovexattr(path, name); }
ptrdiff_t csystem_flistxattr(int descriptor, char *list, size_t size) { return flistxattr(descriptor, list, size); }
ptrdiff_t csystem_fgetxattr(int descriptor, const char *name, void *value, size_t size) {
    return fgetxattr(descriptor, name, value, size);
}
int csystem_fsetxattr(int descriptor, const char *name, const void *value, size_t size) {
    return fsetxattr(descriptor, name, value, size, 0);
}
int csystem_fremovexattr(int descriptor, const char *name) { return fremovexattr(descriptor, name); }

int64_t csystem_filesystem_type(const char *path) {
    struct statfs status;
    if (statfs(path, &status) != 0) return -1;
    return (int64_t)status.f_type;
}

int csystem_terminal_columns(int descriptor) {
    struct winsize size;
    if (ioctl(descriptor, TIOCGWINSZ, &size) != 0) return 0;
    return size.ws_col;
}

ptrdiff_t csystem_getrandom(void *buffer, size_t size) { return getrandom(buffer, size, 0); }

int csystem_accept(int descriptor, void *address, uint32_t *length) {
    return accept4(descriptor, address, length, SOCK_CLOEXEC);
}
