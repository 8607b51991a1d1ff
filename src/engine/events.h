/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TCP trouble as it comes, on either side of a gateway, whether an exchange went wrong of it
 * or not: what a turn's record says beyond a good answer. Facts only; causes are findings.
 * The newest EVENTS_KEPT are kept, all are counted.
 */
#ifndef ENGINE_EVENTS_H
#define ENGINE_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "w5_abi.h"

struct engine;

#define EVENTS_KEPT 512

/* id, name, what it is. In this order they are told apart; a turn can have several. */
#define ENGINE_EVENTS(X)                                                                         \
	X(REFUSED, "refused", "a connect was answered with a reset")                             \
	X(UNREACHABLE, "unreachable", "a connect failed by ICMP, by ARP or for want of a route") \
	X(CONNECT_TIMEOUT, "connect-timeout", "a connect was not answered")                      \
	X(CONNECT_FAILED, "connect-failed", "a connect failed otherwise")                        \
	X(TLS_ALERT, "tls-alert", "a TLS alert, from either side")                               \
	X(STREAM_RESET, "stream-reset", "an HTTP/2 stream was reset, or cut off by GOAWAY")      \
	X(RESET_IN, "reset-in", "the peer reset the connection")                                 \
	X(RESET_OUT, "reset-out", "the gateway reset the connection")                            \
	X(TIMEOUT, "timeout", "the kernel gave up the connection")                               \
	X(CLOSED_EARLY, "closed-early", "the backend closed instead of answering")               \
	X(GAVE_UP, "gave-up", "the gateway closed before the backend answered")                  \
	X(CLIENT_LEFT, "client-left", "the client closed before it got an answer")               \
	X(RETRANSMIT, "retransmit", "segments were sent again")                                  \
	X(ZERO_WINDOW, "zero-window", "the peer took no more data")

enum event_kind {
#define X(id, name, what) EVENT_##id,
	ENGINE_EVENTS(X)
#undef X
		EVENT_MAX,
};
const char *event_name(enum event_kind k);
const char *event_what(enum event_kind k);
/* Kinds of one turn, a bit each; the leg may be of a finding as well. */
unsigned event_kinds(const struct w5_leg *l);

struct engine_event {
	uint64_t id;	/* 1, 2, 3 ... */
	uint64_t ts_ns; /* when it happened, as far as that is known */
	enum event_kind kind;
	char gateway[17];
	struct w5_leg leg; /* the turn; its newest record */
};

/* Copies the newest n, oldest first; the number copied. */
size_t engine_events(const struct engine *e, struct engine_event *out, size_t n);
/* Changes with every event, and with every change of one. */
uint64_t engine_events_version(const struct engine *e);
/* How often each kind was seen. */
const uint64_t *engine_event_counts(const struct engine *e);

#endif
