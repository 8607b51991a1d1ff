/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Takes the secrets out of records, ahead of everything that shows or stores them: engine,
 * screen, NDJSON, captures and traces get what comes out here. Heads are masked (base/mask.h);
 * what follows the head of a message is not kept, nor is the payload of a packet that does
 * not begin a message. Header blocks of HTTP/2 pass: the engine masks what it takes from them,
 * h2mask.h what a trace gets.
 */
#ifndef SOURCE_MASKER_H
#define SOURCE_MASKER_H

#include <stdbool.h>

#include "base/mask.h"
#include "w5_abi.h"

struct masker;

/* keep_bodies: heads are masked, bodies stay. 0 or -ENOMEM. */
int masker_new(struct masker **out, const uint8_t key[MASK_KEY_BYTES], bool keep_bodies);
void masker_free(struct masker *m); /* NULL is fine */
/* The same record, or a changed copy that holds until the next call. rec has passed
 * record_check(), or comes from our own kernel side. */
const struct w5_hdr *masker_record(struct masker *m, const struct w5_hdr *rec);
/* For heads that come to be elsewhere. A trace that was masked when it was stored turns it off. */
const struct mask *masker_mask(const struct masker *m);

#endif
