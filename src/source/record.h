/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is this a record? The one gate every record of untrusted origin passes before
 * engine_feed(): trace files, fuzzers, and the kernel ring.
 */
#ifndef SOURCE_RECORD_H
#define SOURCE_RECORD_H

#include <stddef.h>

#include "w5_abi.h"

/*
 * 0: type known, size a multiple of 8, big enough for its type, at most avail, and
 * the lengths inside point inside. -EBADMSG otherwise. avail: bytes readable at h.
 */
int record_check(const struct w5_hdr *h, size_t avail);
const char *record_name(unsigned int type); /* "exchange", ...; NULL if unknown */

#endif
