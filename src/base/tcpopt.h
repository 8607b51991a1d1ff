/* SPDX-License-Identifier: BSD-2-Clause */
/* TCP options of one packet (RFC 9293 3.1, 7323, 2018) as words. Pure; bounds-checked. */
#ifndef BASE_TCPOPT_H
#define BASE_TCPOPT_H

#include <stddef.h>
#include <stdint.h>

/*
 * "mss 1460, ws 7, sack-ok, ts 1234 echo 99, sack 18-36". opt: the len bytes behind the fixed
 * header, as far as kept. sack_base: what SACK blocks are told relative to. Always a string;
 * its length.
 */
size_t tcpopt_text(char *out, size_t cap, const uint8_t *opt, size_t len, uint32_t sack_base);

#endif
