/* SPDX-License-Identifier: BSD-2-Clause */
/* Local (unix) sockets that gateways connect to: see sockets.c. What is returned is borrowed, and
 * good until the next record. */
#ifndef ENGINE_SOCKETS_H
#define ENGINE_SOCKETS_H

#include "engine/internal.h"

/* Becomes an attempt: a connect that failed; or tells since when these are watched. */
void on_unix(struct engine *e, const struct w5_unix *u);
/* A connect that did not fail, or whose result nobody saw. */
void on_unix_open(struct engine *e, const struct w5_unix *u);
/* A downstream turn: which route a local socket serves. */
void sockets_learn(struct engine *e, int gw, const struct w5_leg *down);
void sockets_free(struct engine *e);

/* Might this exchange have tried a local socket, unseen? No, where nobody ever spoke of watching. */
bool sockets_unwatched(const struct engine *e, const struct pending *p);
/*
 * Of connects that did not fail, as far as was seen: what came of them is not seen. NULL = none.
 * The one that this exchange's thread made for it, or (*sure false) may have made.
 */
const struct w5_unix *sockets_tried(const struct engine *e, const struct pending *p, bool *sure);
/* The one that served this route of the gateway before, or else its newest, not before since_ns:
 * their conns may have served this exchange, too. */
const struct w5_unix *sockets_of_route(const struct engine *e, const struct pending *p,
				       const struct route *route);
const struct w5_unix *sockets_used(const struct engine *e, const struct pending *p,
				   uint64_t since_ns);

#endif
