// File system calls relative to directories, and their constants, that the Glibc module leaves out.
#pragma once
#include <stddef.h>
#include <stdint.h>
