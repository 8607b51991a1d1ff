/* SPDX-License-Identifier: BSD-2-Clause */
/* What each filter field is and how it is read out of a finding. Owns nothing. */
#include "sink/filter_field.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "sink/facet.h"

static bool once(size_t i, char *out, size_t cap, const char *value)
{
	if (i)
		return false;
	snprintf(out, cap, "%s", value);
	return true;
}

static double status_number(const struct finding *f)
{
	return f->status;
}

static double ms_number(const struct finding *f)
{
	return (double)f->duration_ns / 1e6;
}

static double tries_number(const struct finding *f)
{
	return (double)f->nattempts;
}

static double pid_number(const struct finding *f)
{
	return f->down.tgid;
}

static double id_number(const struct finding *f)
{
	return (double)f->id;
}

#define NUMBER_TEXT(field)                                                                 \
	static bool field##_text(const struct finding *f, size_t i, char *out, size_t cap) \
	{                                                                                  \
		char buf[32];                                                              \
                                                                                           \
		snprintf(buf, sizeof(buf), "%.15g", field##_number(f));                    \
		return once(i, out, cap, buf);                                             \
	}
NUMBER_TEXT(status)
NUMBER_TEXT(ms)
NUMBER_TEXT(tries)
NUMBER_TEXT(pid)
NUMBER_TEXT(id)

static bool cause_text(const struct finding *f, size_t i, char *out, size_t cap)
{
	return once(i, out, cap, cause_name(f->cause));
}

static bool cause_known(const char *value)
{
	for (int c = 0; c < CAUSE_MAX; c++)
		if (!strcmp(value, cause_name((enum cause)c)))
			return true;
	return false;
}

static bool verdict_text(const struct finding *f, size_t i, char *out, size_t cap)
{
	return once(i, out, cap, verdict_name(f->verdict));
}

static bool verdict_known(const char *value)
{
	for (int v = 0; v < VERDICT_MAX; v++)
		if (!strcmp(value, verdict_name((enum verdict)v)))
			return true;
	return false;
}

static bool confidence_text(const struct finding *f, size_t i, char *out, size_t cap)
{
	return once(i, out, cap, confidence_name(f->confidence));
}

static bool confidence_known(const char *value)
{
	for (int c = 0; c < CONFIDENCE_MAX; c++)
		if (!strcmp(value, confidence_name((enum confidence)c)))
			return true;
	return false;
}

static bool upstream_text(const struct finding *f, size_t i, char *out, size_t cap)
{
	if (i >= f->nattempts)
		return false;
	text_endpoint(out, cap, &f->attempts[i].leg.remote, f->attempts[i].leg.rport);
	return true;
}

static bool client_text(const struct finding *f, size_t i, char *out, size_t cap)
{
	char buf[TEXT_ENDPOINT_MAX];

	text_endpoint(buf, sizeof(buf), &f->down.remote, f->down.rport);
	return once(i, out, cap, buf);
}

static bool facet_value(const struct finding *f, size_t i, char *out, size_t cap, enum facet facet)
{
	char buf[FACET_LABEL_MAX];

	if (i)
		return false;
	facet_label(buf, sizeof(buf), facet, f);
	return once(i, out, cap, buf);
}

static bool network_text(const struct finding *f, size_t i, char *out, size_t cap)
{
	return facet_value(f, i, out, cap, FACET_CLIENT);
}

static bool endpoint_text(const struct finding *f, size_t i, char *out, size_t cap)
{
	return facet_value(f, i, out, cap, FACET_ENDPOINT);
}

static bool path_text(const struct finding *f, size_t i, char *out, size_t cap)
{
	return once(i, out, cap, f->target);
}

static bool method_text(const struct finding *f, size_t i, char *out, size_t cap)
{
	return once(i, out, cap, f->method);
}

static bool host_text(const struct finding *f, size_t i, char *out, size_t cap)
{
	return once(i, out, cap, f->host);
}

static bool request_id_text(const struct finding *f, size_t i, char *out, size_t cap)
{
	return once(i, out, cap, f->request_id);
}

static bool gateway_text(const struct finding *f, size_t i, char *out, size_t cap)
{
	return once(i, out, cap, f->gateway_name);
}

static const struct filter_field_row fields[] = {
	{ .name = "status",
	  .what = "what the client got; 0 = nothing",
	  .text = status_text,
	  .number = status_number,
	  .searched = true },
	{ .name = "cause",
	  .what = "cause, as in the list",
	  .text = cause_text,
	  .known = cause_known,
	  .searched = true },
	{ .name = "upstream",
	  .what = "address or address:port of any attempt",
	  .text = upstream_text,
	  .endpoint = true,
	  .searched = true },
	{ .name = "path",
	  .what = "request target with its query",
	  .text = path_text,
	  .searched = true },
	{ .name = "host", .what = "Host of the request", .text = host_text, .searched = true },
	{ .name = "method", .what = "request method", .text = method_text, .searched = true },
	{ .name = "client",
	  .what = "address or address:port of the client",
	  .text = client_text,
	  .endpoint = true,
	  .searched = true },
	{ .name = "network",
	  .what = "the client's: 198.51.100.0/24, 2001:db8:5::/64",
	  .text = network_text },
	{ .name = "endpoint",
	  .what = "Host and path with ids folded: shop.example/users/{id}",
	  .text = endpoint_text },
	{ .name = "ms", .what = "duration in milliseconds", .text = ms_text, .number = ms_number },
	{ .name = "tries",
	  .what = "number of attempts",
	  .text = tries_text,
	  .number = tries_number },
	{ .name = "verdict",
	  .what = "gateway-made, passed-through, ...",
	  .text = verdict_text,
	  .known = verdict_known },
	{ .name = "confidence",
	  .what = "certain, likely, ambiguous",
	  .text = confidence_text,
	  .known = confidence_known },
	{ .name = "gateway",
	  .what = "name of the gateway process",
	  .text = gateway_text,
	  .searched = true },
	{ .name = "pid", .what = "process that answered", .text = pid_text, .number = pid_number },
	{ .name = "id", .what = "number of the exchange", .text = id_text, .number = id_number },
	{ .name = "request_id",
	  .what = "X-Request-Id or traceparent",
	  .text = request_id_text,
	  .searched = true },
};

const struct filter_field_row *filter_field_at(size_t i)
{
	return i < ARRAY_SIZE(fields) ? &fields[i] : NULL;
}

const struct filter_field_row *filter_field_find(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (strlen(fields[i].name) == len && !memcmp(fields[i].name, name, len))
			return &fields[i];
	return NULL;
}

bool filter_field_equal(const struct filter_field_row *row, const char *have, const char *want)
{
	const char *port;

	if (!strcmp(have, want))
		return true;
	port = row->endpoint ? strrchr(have, ':') : NULL;
	if (!port)
		return false;
	if (have[0] == '[' && want[0] != '[') { /* [2001:db8::1]:80 against 2001:db8::1 */
		have++;
		port--;
	}
	return (size_t)(port - have) == strlen(want) && !memcmp(have, want, strlen(want));
}

bool filter_field_any_contains(const struct finding *f, const char *word)
{
	char buf[FILTER_VALUE_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (!fields[i].searched)
			continue;
		for (size_t v = 0; fields[i].text(f, v, buf, sizeof(buf)); v++)
			if (strcasestr(buf, word))
				return true;
	}
	return false;
}
