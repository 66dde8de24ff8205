// Starting programs and waiting for them: what the Glibc module leaves out.
#pragma once
#include <stdint.h>
#include <sys/types.h>

/// posix_spawnp(3) of `arguments` in a process group of its own, with the three descriptors as its standard ones, signal
/// dispositions and mask as a shell would leave them, and `directory` (may be NULL) as its working directory.
/// Returns 0 or the errno value; `process` gets the id.
int csystem_spawn(
    const char *const *arguments, const char *const *environment, const char *directory, int input, int output, int errors,
    pid_t *process);

/// pidfd_open(2): a descriptor that polls readable once the process has ended; -1 where the kernel has none.
int csystem_pidfd_open(pid_t process);

/// The environment of this process.
char **csystem_environment(void);

/// 1 and the exit status, or 0 and the signal that ended it, of a waitpid(2) status.
int csystem_wait_exited(int status, int *code);

/// pipe2(2) with O_CLOEXEC.
int csystem_pipe(int ends[2]);
