/* SPDX-License-Identifier: BSD-2-Clause */
#include "tui_make.h"

#include <stdio.h>
#include <stdlib.h>

struct finding *make_finding(uint64_t id, uint64_t ts_ns, unsigned status, enum cause cause)
{
	struct finding *f = calloc(1, sizeof(*f));

	if (!f)
		abort();
	f->refs = 1;
	f->id = id;
	f->ts_ns = ts_ns;
	f->wall_ns = ts_ns + 1700000000000000000ull;
	f->req_ns = ts_ns - 2000000;
	f->duration_ns = 2000000;
	f->status = (uint16_t)status;
	f->sight = SIGHT_WIRE;
	f->cause = cause;
	snprintf(f->method, sizeof(f->method), "GET");
	snprintf(f->target, sizeof(f->target), "/api/items?id=%llu", (unsigned long long)id);
	snprintf(f->host, sizeof(f->host), "shop.example");
	snprintf(f->gateway_name, sizeof(f->gateway_name), "nginx");
	make_addr(&f->down.remote, "198.51.100.4");
	f->down.rport = 51034;
	f->down.tgid = 2217;
	f->down.nr = 1;
	f->down.req_ns = f->req_ns;
	f->down.resp_ns = status ? ts_ns : 0;
	f->down.status = (uint16_t)status;
	return f;
}

struct attempt *make_attempt(struct finding *f, const char *ip, unsigned port, enum cause cause)
{
	struct attempt *more = realloc(f->attempts, (f->nattempts + 1) * sizeof(*more));

	if (!more)
		abort();
	f->attempts = more;
	more = &f->attempts[f->nattempts++];
	*more = (struct attempt){ .cause = cause };
	make_addr(&more->leg.remote, ip);
	more->leg.rport = (uint16_t)port;
	more->leg.lport = 41022;
	return more;
}

struct flight *make_flight(void)
{
	struct flight *f = calloc(1, sizeof(*f));

	if (!f)
		abort();
	f->refs = 1;
	return f;
}
