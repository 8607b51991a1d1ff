/* SPDX-License-Identifier: BSD-2-Clause */
/* Host records for tests: everything is far from its limit until a test says otherwise. */
#ifndef TESTS_LIB_REC_HOST_H
#define TESTS_LIB_REC_HOST_H

#include "rec.h"

static inline struct w5_host rec_host(double t)
{
	struct w5_host r = { .h = { .ts_ns = ms(t), .type = W5_REC_HOST, .size = sizeof(r) },
			     .group = REC_GW,
			     .tgid = REC_GW,
			     .netns = 4026531840u,
			     .nlisteners = 1 };

	for (int i = 0; i < W5_HOST_VALUE_MAX; i++)
		r.v[i] = 0;
	r.v[W5_HOST_FILES] = 21;
	r.v[W5_HOST_FILES_MAX] = 1024;
	r.v[W5_HOST_TIME_WAIT_MAX] = 131072;
	r.v[W5_HOST_CONNTRACK] = 900;
	r.v[W5_HOST_CONNTRACK_MAX] = 262144;
	r.v[W5_HOST_PORTS_MAX] = 28232;
	r.listeners[0] =
		(struct w5_host_listener){ .port = 80, .max = 511, .flags = W5_LISTENER_OWN };
	return r;
}

static inline void rec_host_port(struct w5_host *r, unsigned last, uint32_t used)
{
	r->ports[r->nports++] =
		(struct w5_host_ports){ .ip = rec_ip(last), .port = 8080, .used = used };
}

static inline void feed_host(struct bench *b, const struct w5_host *r)
{
	engine_feed(b->e, &r->h);
}

#endif
