/* SPDX-License-Identifier: BSD-2-Clause */
/* Failures on this host that leave no packet: see local.c. What is returned is borrowed, and good
 * until the next record. */
#ifndef ENGINE_LOCAL_H
#define ENGINE_LOCAL_H

#include "engine/internal.h"

void on_limit(struct engine *e, const struct w5_limit *l);
void on_killed(struct engine *e, const struct w5_killed *k);
void local_free(struct engine *e);

/* Of a connect that got no local port: how many there are. NULL = not known. */
const struct w5_limit *limits_ports(const struct engine *e, const struct w5_leg *l);
/* The descriptor that this exchange's gateway did not get, not before after_ns; NULL = none.
 * *sure: it was for this exchange, beyond doubt. */
const struct w5_limit *limits_files(const struct engine *e, const struct pending *p,
				    uint64_t after_ns, bool *sure);
/* For this exchange, most likely, a socket was made that nothing came of. */
bool limits_unused(const struct engine *e, const struct pending *p);
/* The process at the other end of this conn that was killed before it ended; NULL = none. */
const struct w5_killed *killed_behind(const struct engine *e, const struct w5_leg *l);

#endif
