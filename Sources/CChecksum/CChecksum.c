// CRC-32 of blocks at memory speed. Every block of a volume is summed when it is written and when it is read, so this
// loop is in front of everything a storage daemon does.
//
// Method: Gopal et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction", Intel 2009, bit-reflected
// form. With P = x^32 + x^26 + … + 1, a 128-bit piece of the message is moved D bits forward by multiplying its halves with
// x^(D+32) mod P and x^(D-32) mod P; both products are XORed into the piece that stands there. Four pieces run side by side
// because one multiplication takes about four cycles. At the end 128 bits are folded to 64, and Barrett's reduction gives the 32.
#include "CChecksum.h"

#if defined(__x86_64__)
#include <emmintrin.h>
#include <smmintrin.h>
#include <wmmintrin.h>

int cchecksum_can_fold(void) { return __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1"); }

#define FOLDING __attribute__((target("pclmul,sse4.1")))

FOLDING static inline __m128i forward(__m128i piece, __m128i constants, __m128i next) {
    __m128i low = _mm_clmulepi64_si128(piece, constants, 0x00);
    __m128i high = _mm_clmulepi64_si128(piece, constants, 0x11);
    return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

FOLDING uint32_t cchecksum_crc32_fold(uint32_t crc, const void *bytes, size_t size) {
    // All constants are bit-reflected, hence 33 bits wide.
    const __m128i by512 = _mm_set_epi64x(0x01c6e41596, 0x0154442bd4);  // x^(512-32), x^(512+32) mod P
    const __m128i by128 = _mm_set_epi64x(0x00ccaa009e, 0x01751997d0);  // x^(128-32), x^(128+32) mod P
    const __m128i by64 = _mm_set_epi64x(0, 0x0163cd6124);              // x^64 mod P
    const __m128i barrett = _mm_set_epi64x(0x01f7011641, 0x01db710641);  // floor(x^64 / P), P
    const __m128i low32 = _mm_set_epi32(0, 0, 0, -1);

    const __m128i *next = bytes;
    __m128i a = _mm_xor_si128(_mm_loadu_si128(next), _mm_cvtsi32_si128((int)~crc));
    __m128i b = _mm_loadu_si128(next + 1);
    __m128i c = _mm_loadu_si128(next + 2);
    __m128i d = _mm_loadu_si128(next + 3);
    for (next += 4, size -= 64; size >= 64; next += 4, size -= 64) {
        a = forward(a, by512, _mm_loadu_si128(next));
        b = forward(b, by512, _mm_loadu_si128(next + 1));
        c = forward(c, by512, _mm_loadu_si128(next + 2));
        d = forward(d, by512, _mm_loadu_si128(next + 3));
    }
    a = forward(a, by128, b);
    a = forward(a, by128, c);
    a = forward(a, by128, d);
    for (; size >= 16; next++, size -= 16) a = forward(a, by128, _mm_loadu_si128(next));

    // 128 bits to 96, to 64.
    a = _mm_xor_si128(_mm_srli_si128(a, 8), _mm_clmulepi64_si128(a, by128, 0x10));
    a = _mm_xor_si128(_mm_srli_si128(a, 4), _mm_clmulepi64_si128(_mm_and_si128(a, low32), by64, 0x00));
    // 64 bits to 32.
    __m128i quotient = _mm_and_si128(_mm_clmulepi64_si128(_mm_and_si128(a, low32), barrett, 0x10), low32);
    a = _mm_xor_si128(a, _mm_clmulepi64_si128(quotient, barrett, 0x00));
    return ~(uint32_t)_mm_extract_epi32(a, 1);
}

#else

int cchecksum_can_fold(void) { return 0; }
uint32_t cchecksum_crc32_fold(uint32_t crc, const void *bytes, size_t size) {
    (void)bytes, (void)size;
    return crc;  // never called: see cchecksum_can_fold
}

#endif
