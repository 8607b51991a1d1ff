/* SPDX-License-Identifier: BSD-2-Clause */
/* See ndjson_host.h. Numbers that could not be read are absent. */
#include "sink/ndjson_host.h"

#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "sink/hostrows.h"
#include "sink/ndjson_fields.h"

#define GATEWAYS_TOLD 16

static const struct {
	const char *name;
	bool is_stall;
} values[W5_HOST_VALUE_MAX] = {
#define KIND_COUNT     false
#define KIND_LEVEL     false
#define KIND_STALL     true
#define X(id, n, kind) [W5_HOST_##id] = { .name = n, .is_stall = KIND_##kind },
	W5_HOST_VALUES(X)
#undef X
};

static void put_values(struct json *j, const struct w5_host *h, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		if (h->v[i] == W5_HOST_UNKNOWN)
			continue;
		if (values[i].is_stall) /* hundredths, as a number of per cent */
			json_ms(j, values[i].name, (int64_t)min_u64(h->v[i], 10000) * 10000);
		else
			json_uint(j, values[i].name, h->v[i]);
	}
}

static void put_ports(struct json *j, const struct w5_host *h)
{
	json_open(j, "ports", '[');
	for (size_t i = 0; i < h->nports; i++) {
		json_open(j, NULL, '{');
		ndjson_endpoint(j, "upstream", &h->ports[i].ip, h->ports[i].port);
		json_uint(j, "used", h->ports[i].used);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void put_listeners(struct json *j, const struct w5_host *h)
{
	char where[TEXT_ENDPOINT_MAX];

	json_open(j, "listeners", '[');
	for (size_t i = 0; i < h->nlisteners; i++) {
		const struct w5_host_listener *l = &h->listeners[i];

		text_listener(where, sizeof(where), &l->ip, l->port);
		json_open(j, NULL, '{');
		json_str(j, "address", where);
		json_bool(j, "own", l->flags & W5_LISTENER_OWN);
		json_uint(j, "queue", l->queue);
		json_uint(j, "queue_max", l->max);
		json_uint(j, "drops", l->drops);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void put_warnings(struct json *j, const struct engine_host *h)
{
	struct host_row rows[HOST_ROWS_MAX];
	size_t n = host_rows(rows, ARRAY_SIZE(rows), h);

	json_open(j, "warnings", '[');
	for (size_t i = 0; i < n; i++) {
		if (rows[i].level < HOST_WARN)
			continue;
		json_open(j, NULL, '{');
		json_str(j, "limit", rows[i].what);
		json_str(j, "now", rows[i].now);
		if (rows[i].limit[0])
			json_str(j, "max", rows[i].limit);
		json_str(j, "next", rows[i].todo);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void put_gateway(struct json *j, const struct engine_host *h)
{
	json_open(j, NULL, '{');
	ndjson_known_str(j, "name", h->name);
	json_uint(j, "group", h->now.group);
	ndjson_known(j, "netns", h->now.netns);
	ndjson_known(j, "files_pid", h->now.tgid);
	put_values(j, &h->now, 0, W5_HOST_SOFTNET_DROPS);
	put_values(j, &h->now, W5_HOST_OWN_CPU, W5_HOST_VALUE_MAX);
	put_ports(j, &h->now);
	put_listeners(j, &h->now);
	put_warnings(j, h);
	json_close(j, '}');
}

void ndjson_host(struct json *j, const struct engine *e)
{
	struct engine_host v[GATEWAYS_TOLD];
	size_t n = min_size(engine_hosts(e, v, GATEWAYS_TOLD), GATEWAYS_TOLD), newest = 0;

	if (!n)
		return;
	for (size_t i = 1; i < n; i++)
		if (v[i].now.h.ts_ns > v[newest].now.h.ts_ns)
			newest = i;
	json_open(j, "host", '{');
	put_values(j, &v[newest].now, W5_HOST_SOFTNET_DROPS, W5_HOST_OWN_CPU);
	json_open(j, "gateways", '[');
	for (size_t i = 0; i < n; i++)
		put_gateway(j, &v[i]);
	json_close(j, ']');
	json_close(j, '}');
}
