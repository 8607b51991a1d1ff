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

uint32_t warning_idle_ms(const struct engine_upstream *u)
{
	return u->idle_backend_ms ? u->idle_backend_ms : u->idle_said_ms;
}

/* How it is known: "seen 3 times; its Keep-Alive header says 5.00 s". */
static void put_source(char *out, size_t cap, const struct engine_upstream *u)
{
	char said[32] = "";

	text_duration(said, sizeof(said), u->idle_said_ms * NS_PER_MS);
	if (!u->idle_backend_ms)
		snprintf(out, cap, "its Keep-Alive header says so");
	else if (u->idle_said_ms)
		snprintf(out, cap, "seen %u times; its Keep-Alive header says %s", u->idle_closed,
			 said);
	else
		snprintf(out, cap, "seen %u times", u->idle_closed);
}

/* "for 60.0 s", "longer (those to other upstreams for 60.0 s)", or just "longer". */
static void put_ours(char *out, size_t cap, const struct engine_upstream *u)
{
	char text[32];

	text_duration(text, sizeof(text),
		      (u->idle_gateway_ms ? u->idle_gateway_ms : u->idle_elsewhere_ms) * NS_PER_MS);
	if (u->idle_gateway_ms)
		snprintf(out, cap, "for %s", text);
	else if (u->idle_elsewhere_ms)
		snprintf(out, cap, "longer (those to other upstreams for %s)", text);
	else
		snprintf(out, cap, "longer");
}

void warning_text(char out[WARNING_TEXT_MAX], const struct engine_upstream *u)
{
	char where[TEXT_ENDPOINT_MAX], theirs[32], ours[80], source[96];

	text_endpoint(where, sizeof(where), &u->ip, u->port);
	text_duration(theirs, sizeof(theirs), warning_idle_ms(u) * NS_PER_MS);
	put_ours(ours, sizeof(ours), u);
	put_source(source, sizeof(source), u);
	snprintf(out, WARNING_TEXT_MAX,
		 "%s closes idle connections after %s (%s), the gateway keeps them %s: "
		 "a request sent just then fails (keepalive-race)",
		 where, theirs, source, ours);
}

void warning_next_step(char out[WARNING_TEXT_MAX], const struct engine_upstream *u)
{
	char theirs[32];

	text_duration(theirs, sizeof(theirs), warning_idle_ms(u) * NS_PER_MS);
	snprintf(out, WARNING_TEXT_MAX,
		 "make the gateway's upstream keep-alive time shorter than %s, or the backend's "
		 "idle timeout longer than the gateway's",
		 theirs);
}
