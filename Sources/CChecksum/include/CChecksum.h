// CRC-32 by carry-less multiplication, for x86-64 processors that have it.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// Whether this processor can run `cchecksum_crc32_fold`; asked once per process.
int cchecksum_can_fold(void);

/// CRC-32 (reflected polynomial 0xEDB88320, initial and final inversion as in zlib) of `size` bytes that follow those
/// whose CRC is `crc` (0 for none). `size` is a multiple of 16 and at least 64. Only where `cchecksum_can_fold`.
uint32_t cchecksum_crc32_fold(uint32_t crc, const void *bytes, size_t size);
