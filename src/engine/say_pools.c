/* SPDX-License-Identifier: BSD-2-Clause */
/* The sentences about the gateway's own limits of connections. */
#include "engine/pools.h"
#include "engine/words.h"

#include <string.h>

#define WAITED_NS (100 * NS_PER_MS)

SAY_SHARED(why_pool)
{
	const struct pool_full *x = in->pool;
	bool waited = in->f->duration_ns > WAITED_NS;
	char up[TEXT_ENDPOINT_MAX];

	if (!x) {
		words_put(
			out, cap,
			"the request waited %s in the gateway's queue: no connection to a server became free",
			w->asked);
		return;
	}
	text_endpoint(up, sizeof(up), &x->ip, x->port);
	if (waited)
		words_put(
			out, cap,
			"the request waited %s in vain for a connection to %s: all %u that the gateway uses at most were busy",
			w->asked, up, x->in_use);
	else
		words_put(
			out, cap,
			"the gateway turned the request away: all %u connections that it uses to %s at most were busy",
			x->in_use, up);
}

/* What the limit is called. */
static const char *limit_of(const char *gateway)
{
	static const struct {
		const char *name, *limit;
	} limits[] = {
		{ "haproxy", "the server's maxconn, or timeout queue" },
		{ "nginx", "the server's max_conns" },
		{ "apache2", "max= of the ProxyPass or BalancerMember" },
		{ "httpd", "max= of the ProxyPass or BalancerMember" },
		{ "envoy", "max_connections and max_pending_requests" },
		{ "varnishd", "the backend's .max_connections" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		if (!strcmp(gateway, limits[i].name))
			return limits[i].limit;
	return "the gateway's limit of connections per server";
}

SAY_SHARED(next_pool)
{
	const struct pool_full *x = in->pool;
	char old[16];

	(void)w;
	if (x && x->oldest_ns && x->oldest_ns < in->f->ts_ns) {
		text_duration(old, sizeof(old), in->f->ts_ns - x->oldest_ns);
		words_put(
			out, cap,
			"raise %s (%u in use), add servers, or make requests shorter: the oldest was %s old",
			limit_of(in->f->gateway_name), x->in_use, old);
		return;
	}
	words_put(out, cap, "raise %s, add servers, or make requests shorter",
		  limit_of(in->f->gateway_name));
}
