/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What it was not, and what could not be seen. A row of the first table is said only where
 * its facts hold for all, or nearly all, of the bad exchanges; its numbers say for how many.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "sink/names.h"
#include "sink/report_parts.h"

struct counted {
	uint64_t n, of;
};

struct exclusion {
	struct counted (*count)(const struct report_facts *x);
	const char *lead;
	const char *says;			      /* "%n of %n" comes before it */
	bool (*blocked)(const struct report_data *d); /* a cause that says the contrary */
};

static struct counted not_resent(const struct report_facts *x)
{
	return (struct counted){ x->tried - x->resent, x->tried };
}

static struct counted was_established(const struct report_facts *x)
{
	return (struct counted){ x->established, x->tried };
}

static struct counted was_tried(const struct report_facts *x)
{
	return (struct counted){ x->tried, x->bad };
}

static struct counted not_answered(const struct report_facts *x)
{
	return (struct counted){ x->tried - x->answered, x->tried };
}

static struct counted was_prompt(const struct report_facts *x)
{
	return (struct counted){ x->timed - x->late, x->timed };
}

static struct counted was_new(const struct report_facts *x)
{
	return (struct counted){ x->tried - x->reused, x->tried };
}

static struct counted was_alike(const struct report_facts *x)
{
	return (struct counted){ x->resets_alike, x->resets };
}

static bool has_cause(const struct report_data *d, const enum cause *causes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (d->causes[causes[i]].n)
			return true;
	}
	return false;
}

static bool path_is_bad(const struct report_data *d)
{
	static const enum cause causes[] = { CAUSE_PATH_LOSS,
					     CAUSE_PMTU_BLACKHOLE,
					     CAUSE_CONN_TIMEOUT_SYN,
					     CAUSE_STALE_CONNECTION_BLACKHOLE,
					     CAUSE_HOST_UNREACHABLE_LOCAL,
					     CAUSE_HOST_UNREACHABLE_ICMP,
					     CAUSE_CONN_REFUSED_FIREWALL,
					     CAUSE_NO_ROUTE };

	return has_cause(d, causes, ARRAY_SIZE(causes));
}

static bool device_resets(const struct report_data *d)
{
	static const enum cause causes[] = { CAUSE_MIDDLEBOX_RESET, CAUSE_CONN_REFUSED_FIREWALL };

	return has_cause(d, causes, ARRAY_SIZE(causes));
}

static bool gateway_limits(const struct report_data *d)
{
	static const enum cause causes[] = {
		CAUSE_FD_LIMIT,		 CAUSE_POOL_LIMIT,	 CAUSE_LOCAL_PORT_EXHAUSTED,
		CAUSE_GATEWAY_GENERATED, CAUSE_NO_LIVE_UPSTREAM, CAUSE_DNS_FAILURE
	};

	return has_cause(d, causes, ARRAY_SIZE(causes));
}

static bool timed_out(const struct report_data *d)
{
	static const enum cause causes[] = { CAUSE_BACKEND_SLOW, CAUSE_GATEWAY_TIMEOUT_LOCAL };

	return has_cause(d, causes, ARRAY_SIZE(causes));
}

static bool stale(const struct report_data *d)
{
	static const enum cause causes[] = { CAUSE_KEEPALIVE_RACE,
					     CAUSE_KEEPALIVE_CLOSED_ON_REQUEST,
					     CAUSE_STALE_CONNECTION_RESET,
					     CAUSE_STALE_CONNECTION_BLACKHOLE };

	return has_cause(d, causes, ARRAY_SIZE(causes));
}

static bool passed_through(const struct report_data *d)
{
	return d->causes[CAUSE_BACKEND_5XX].n != 0;
}

static bool not_connected(const struct report_data *d)
{
	static const enum cause causes[] = { CAUSE_CONN_REFUSED, CAUSE_CONN_TIMEOUT_SYN,
					     CAUSE_ACCEPT_QUEUE_OVERFLOW };

	return has_cause(d, causes, ARRAY_SIZE(causes));
}

static const struct exclusion exclusions[] = {
	{ .count = not_resent,
	  .lead = "Not loss on the way to the backends:",
	  .says = "attempts had no segment sent again",
	  .blocked = path_is_bad },
	{ .count = was_established,
	  .lead = "Not the connection set-up:",
	  .says = "attempts failed on a connection that had come to be",
	  .blocked = not_connected },
	{ .count = was_tried,
	  .lead = "Not the gateway by itself:",
	  .says = "bad exchanges follow from an attempt at a backend",
	  .blocked = gateway_limits },
	{ .count = not_answered,
	  .lead = "Not errors the backends answered:",
	  .says = "attempts brought no answer that was passed through; the gateway made the status",
	  .blocked = passed_through },
	{ .count = was_prompt,
	  .lead = "Not slowness:",
	  .says = "attempts were over within a second of the request",
	  .blocked = timed_out },
	{ .count = was_new,
	  .lead = "Not stale keep-alive connections:",
	  .says = "attempts were the first on their connection",
	  .blocked = stale },
	{ .count = was_alike,
	  .lead = "No sign of a device on the way:",
	  .says = "resets came with the TTL of the backend's other packets",
	  .blocked = device_resets },
};

void report_ruled_out(struct doc *d, const struct report_input *in)
{
	size_t said = 0;

	d->ops->heading(d, "What was ruled out");
	d->ops->list_begin(d, false);
	for (size_t i = 0; i < ARRAY_SIZE(exclusions); i++) {
		const struct exclusion *x = &exclusions[i];
		struct counted c = x->count(&in->d->facts);

		/* One that is only mostly so rules nothing out. */
		if (!c.of || c.n != c.of || x->blocked(in->d))
			continue;
		doc_itemf(d, x->lead, "%llu of %llu %s", (unsigned long long)c.n,
			  (unsigned long long)c.of, x->says);
		said++;
	}
	if (!said)
		d->ops->item(
			d, NULL,
			"Nothing holds for all of the bad exchanges: see the causes one by one");
	d->ops->list_end(d);
}

/* ---- what could not be seen ---- */

static size_t put_lost(struct doc *d, const struct engine_counters *c)
{
	size_t said = 0;

	for (unsigned i = 0; i < W5_LOSS_MAX; i++) {
		if (!c->loss[i])
			continue;
		doc_itemf(d, "Lost:", "%llu %s (%s); what helps: %s",
			  (unsigned long long)c->loss[i], loss_what(i), loss_name(i), loss_help(i));
		said++;
	}
	return said;
}

static size_t put_gaps(struct doc *d, const struct report_input *in)
{
	const struct engine_counters *c = engine_counters(in->e);
	const struct report_facts *x = &in->d->facts;
	const struct report_cause *open = &in->d->causes[CAUSE_INSUFFICIENT_EVIDENCE];
	uint64_t ambiguous = 0;
	const struct {
		uint64_t n;
		const char *lead, *says;
	} rows[] = {
		{ x->lossy,
		  "Loss nearby:", "findings lost records around them: they are not certain" },
		{ x->older, "Attached in the middle:",
		  "bad exchanges came on client connections older than the watching: counts of reuse "
		  "and idle times are lower bounds" },
		{ c->unread_tls, "Encrypted:", "client connections whose TLS could not be read" },
		{ c->unread_h2, "HTTP/2:", "client connections whose frames could not be read" },
		{ c->undecoded,
		  "HTTP/2 headers:", "messages whose status or target could not be decoded" },
		{ x->log_only, "Log only:", "bad exchanges were seen by the access log alone" },
		{ x->no_packets, "No packets:", "bad exchanges have no packets kept" },
		{ open->n, "Cause open:", "bad exchanges whose facts do not single out one cause" },
	};
	size_t said = 0;

	for (int i = 0; i < CAUSE_MAX; i++)
		ambiguous += in->d->causes[i].by_confidence[CONFIDENCE_AMBIGUOUS];
	if (ambiguous) {
		doc_itemf(d, "Ambiguous:", "%llu bad exchanges fit several attempts equally",
			  (unsigned long long)ambiguous);
		said++;
	}
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!rows[i].n)
			continue;
		doc_itemf(d, rows[i].lead, "%llu %s", (unsigned long long)rows[i].n, rows[i].says);
		said++;
	}
	return said;
}

void report_unseen(struct doc *d, const struct report_input *in)
{
	d->ops->heading(d, "What could not be seen");
	d->ops->list_begin(d, false);
	if (!put_lost(d, engine_counters(in->e)))
		d->ops->item(d, "Lost:", "nothing");
	put_gaps(d, in);
	d->ops->item(
		d, "By design:",
		"only this host was watched: what happens inside a backend, or between a device "
		"on the way and it, shows only in what arrives here. HTTP/3 is not decoded");
	d->ops->list_end(d);
}
