/* SPDX-License-Identifier: BSD-2-Clause */
/* See warnings.h. */
#include "sink/warnings.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define NS_PER_MS 1000000ull

static bool was_told(const struct warnings *w, const struct engine_upstream *u)
{
	for (size_t i = 0; i < w->n; i++) {
		if (w->told[i].port == u->port && !memcmp(&w->told[i].ip, &u->ip, sizeof(u->ip)))
			return true;
	}
	return false;
}

const struct engine_upstream *warnings_next(struct warnings *w, const struct engine *e)
{
	const struct engine_upstream *const *v;
	size_t n = e ? engine_upstreams(e, &v) : 0;

	for (size_t i = 0; i < n && w->n < WARNINGS_MAX; i++) {
		if (v[i]->unwanted || !v[i]->race_ahead || was_told(w, v[i]))
			continue;
		w->told[w->n].ip = v[i]->ip;
		w->told[w->n].port = v[i]->port;
		w->n++;
		return v[i];
	}
	return NULL;
}

void warning_text(char out[WARNING_TEXT_MAX], const struct engine_upstream *u)
{
	char where[TEXT_ENDPOINT_MAX], theirs[32], ours[32];

	text_endpoint(where, sizeof(where), &u->ip, u->port);
	text_duration(theirs, sizeof(theirs), u->idle_backend_ms * NS_PER_MS);
	text_duration(ours, sizeof(ours), u->idle_gateway_ms * NS_PER_MS);
	snprintf(
		out, WARNING_TEXT_MAX,
		"%s closes idle connections after %s (seen %u times), the gateway keeps them %s%s: "
		"a request sent just then fails (keepalive-race)",
		where, theirs, u->idle_closed, u->idle_gateway_ms ? "for " : "longer",
		u->idle_gateway_ms ? ours : "");
}

void warning_next_step(char out[WARNING_TEXT_MAX], const struct engine_upstream *u)
{
	char theirs[32];

	text_duration(theirs, sizeof(theirs), u->idle_backend_ms * NS_PER_MS);
	snprintf(out, WARNING_TEXT_MAX,
		 "make the gateway's upstream keep-alive time shorter than %s, or the backend's "
		 "idle timeout longer than the gateway's",
		 theirs);
}
