/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The HTTP/2 half of lab-backend. A port has a row of h2_modes[], whose deed is done once for
 * every complete request and again whenever it leaves a time in due_ns.
 */
#ifndef LAB_BACKEND_H2_H
#define LAB_BACKEND_H2_H

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../common/frames.h"
#include "backend.h"

struct stream {
	struct stream *next;
	int32_t id;
	unsigned nr;
	unsigned deeds;	 /* done so far */
	bool is_over;	 /* nothing more will be done */
	bool is_cut;	 /* the body stops in the middle */
	uint64_t due_ns; /* next deed; 0 = none */
	size_t body_len, body_off;
	char body[64], request[ID_BYTES];
};

struct h2 {
	nghttp2_session *session;
	struct stream *streams; /* open ones, ours to free when libnghttp2 closes them */
	uint64_t idle_ns;	/* when the conn has been idle for long enough; 0 = never */
	bool has_gone_away;
	struct frames out;
};

struct h2_mode {
	const char *name;
	/* END_KEEP, or how the conn ends when all is sent */
	enum ending (*deed)(struct conn *c, struct stream *st, uint64_t now);
	enum ending ending;
	unsigned wait_ms; /* from the request to the deed */
	unsigned idle_ms; /* idle conn until a graceful GOAWAY; 0 = for ever */
	bool is_mute;	  /* idle: closes without the GOAWAY */
	uint32_t code;	  /* of RST_STREAM */
	const char *status, *body;
	size_t body_len;
	const char *grpc_status, *grpc_message;
};

extern const struct h2_mode h2_modes[];
extern const size_t h2_modes_count;

/* h2.c */
void stream_log(struct conn *c, const struct stream *st, const char *event);

#endif
