/* SPDX-License-Identifier: BSD-2-Clause */
/* What each filter field is and how it is read out of a finding. Owns nothing. */
#include "sink/filter_field.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "engine/codes.h"
#include "engine/events.h"
#include "engine/tlshello.h"
#include "sink/facet.h"
#include "sink/names.h"

static bool once(size_t i, char *out, size_t cap, const char *value)
{
	if (i)
		return false;
	snprintf(out, cap, "%s", value);
	return true;
}

/* Attempts in order, then the client's side. */
static const struct w5_leg *leg_at(const struct finding *f, size_t i)
{
	if (i < f->nattempts)
		return &f->attempts[i].leg;
	return i == f->nattempts ? &f->down : NULL;
}

/* ---- numbers ---- */

/* One number of the finding: VALUE is of f. */
#define NUMBER_ONCE(field, value)                                                  \
	static bool field##_number(const struct finding *f, size_t i, double *out) \
	{                                                                          \
		*out = (double)(value);                                            \
		return i == 0;                                                     \
	}
NUMBER_ONCE(status, f->status)
NUMBER_ONCE(ms, (double)f->duration_ns / 1e6)
NUMBER_ONCE(tries, f->nattempts)
NUMBER_ONCE(pid, f->down.tgid)
NUMBER_ONCE(id, f->id)
NUMBER_ONCE(lost, f->lost)

static bool reused_number(const struct finding *f, size_t i, double *out)
{
	if (i >= f->nattempts)
		return false;
	*out = f->attempts[i].leg.nr ? f->attempts[i].leg.nr - 1.0 : 0;
	return true;
}

static bool idle_number(const struct finding *f, size_t i, double *out)
{
	if (i >= f->nattempts)
		return false;
	*out = (double)f->attempts[i].leg.idle_ns / 1e6;
	return true;
}

static bool retransmits_number(const struct finding *f, size_t i, double *out)
{
	const struct w5_leg *l = leg_at(f, i);

	if (l)
		*out = l->retrans;
	return l;
}

static bool answer_number(const struct finding *f, size_t i, double *out)
{
	if (i >= f->nattempts)
		return false;
	*out = f->attempts[i].leg.status;
	return true;
}

/* ---- names ---- */

#define NAMED_ONCE(field, count, value, name)                                              \
	static bool field##_text(const struct finding *f, size_t i, char *out, size_t cap) \
	{                                                                                  \
		return once(i, out, cap, name(value));                                     \
	}                                                                                  \
	static const char *field##_choice(size_t i)                                        \
	{                                                                                  \
		return i < (count) ? name(i) : NULL;                                       \
	}
NAMED_ONCE(cause, CAUSE_MAX, f->cause, cause_name)
NAMED_ONCE(verdict, VERDICT_MAX, f->verdict, verdict_name)
NAMED_ONCE(confidence, CONFIDENCE_MAX, f->confidence, confidence_name)

static bool try_cause_text(const struct finding *f, size_t i, char *out, size_t cap)
{
	if (i >= f->nattempts)
		return false;
	snprintf(out, cap, "%s", cause_name(f->attempts[i].cause));
	return true;
}

static const char *event_choice(size_t i)
{
	return i < EVENT_MAX ? event_name((enum event_kind)i) : NULL;
}

/* Every kind of every leg, one after the other. */
static bool event_text(const struct finding *f, size_t i, char *out, size_t cap)
{
	const struct w5_leg *l;

	for (size_t at = 0; (l = leg_at(f, at)); at++) {
		unsigned kinds = event_kinds(l);

		for (int k = 0; k < EVENT_MAX; k++) {
			if (!(kinds & 1u << k) || i--)
				continue;
			snprintf(out, cap, "%s", event_name((enum event_kind)k));
			return true;
		}
	}
	return false;
}

static const char *end_choice(size_t i)
{
	return i + 1 < W5_END_MAX ? end_name((unsigned)i + 1) : NULL;
}

static bool end_text(const struct finding *f, size_t i, char *out, size_t cap)
{
	const struct w5_leg *l = leg_at(f, i);

	if (l)
		snprintf(out, cap, "%s", end_name(l->end));
	return l;
}

static bool errno_text(const struct finding *f, size_t i, char *out, size_t cap)
{
	const struct w5_leg *l = leg_at(f, i);
	unsigned err = l ? (l->err ? l->err : l->err_soft) : 0;

	out[0] = '\0';
	if (err)
		text_errno(out, cap, err);
	return l;
}

/* Two values a leg: what came in, what went out. */
static bool alert_text(const struct finding *f, size_t i, char *out, size_t cap)
{
	const struct w5_leg *l = leg_at(f, i / 2);
	unsigned alert = l ? (i % 2 ? l->alert_out : l->alert_in) : 0;
	const char *name = tls_alert_name(alert & 0xff);

	if (!l)
		return false;
	if (!alert && !(i % 2) && i / 2 < f->nattempts) {
		alert = tls_alert_in_clear(l->resp, min_size(l->resp_len, W5_HEAD_RESP));
		name = tls_alert_name(alert & 0xff);
	}
	out[0] = '\0';
	if (alert & 0xff && name)
		snprintf(out, cap, "%s", name);
	else if (alert & 0xff)
		snprintf(out, cap, "%u", alert & 0xff);
	return true;
}

static bool grpc_text(const struct finding *f, size_t i, char *out, size_t cap)
{
	const struct w5_leg *l = leg_at(f, i);
	char text[CODE_TEXT_MAX];

	out[0] = '\0';
	if (l && l->grpc_status)
		snprintf(out, cap, "%s", grpc_status_text(text, l->grpc_status - 1u));
	return l;
}

static const char *grpc_choice(size_t i)
{
	return grpc_status_name((unsigned)i);
}

static const char *sight_choice(size_t i)
{
	static const unsigned sights[] = { SIGHT_WIRE, SIGHT_TLS, SIGHT_LOG, SIGHT_WIRE | SIGHT_LOG,
					   SIGHT_TLS | SIGHT_LOG };

	return i < ARRAY_SIZE(sights) ? sight_name(sights[i]) : NULL;
}

#define TEXT_ONCE(field, value)                                                            \
	static bool field##_text(const struct finding *f, size_t i, char *out, size_t cap) \
	{                                                                                  \
		return once(i, out, cap, value);                                           \
	}
TEXT_ONCE(path, f->target)
TEXT_ONCE(method, f->method)
TEXT_ONCE(host, f->host)
TEXT_ONCE(request_id, f->request_id)
TEXT_ONCE(gateway, f->gateway_name)
TEXT_ONCE(cgroup, f->gateway_cgroup)
TEXT_ONCE(log_code, f->log_code)
TEXT_ONCE(sight, sight_name(f->sight))

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

/* The next line of a head, without its end; false where there is none. */
static bool next_line(const char **p, const char *end, const char **line, size_t *len)
{
	const char *nl;

	if (*p >= end)
		return false;
	nl = memchr(*p, '\n', (size_t)(end - *p));
	*line = *p;
	*len = (size_t)((nl ? nl : end) - *p);
	*p = nl ? nl + 1 : end;
	if (*len && (*line)[*len - 1] == '\r')
		--*len;
	return *len;
}

/* In: the name; out: its value in what was kept of the request's head. */
static bool header_text(const struct finding *f, size_t i, char *out, size_t cap)
{
	const char *p = (const char *)f->down.head, *line;
	const char *end = p + min_size(f->down.head_len, W5_HEAD_REQ);
	size_t len, name = strlen(out);
	bool is_first = true;

	for (; next_line(&p, end, &line, &len); is_first = false) {
		if (is_first || len <= name || line[name] != ':' || strncasecmp(line, out, name) ||
		    i--)
			continue;
		for (name++; name < len && line[name] == ' '; name++)
			;
		snprintf(out, cap, "%.*s", (int)(len - name), line + name);
		return true;
	}
	return false;
}

/* ---- addresses ---- */

static bool upstream_addr(const struct finding *f, size_t i, struct w5_addr *ip, uint16_t *port)
{
	if (i >= f->nattempts)
		return false;
	*ip = f->attempts[i].leg.remote;
	*port = f->attempts[i].leg.rport;
	return true;
}

static bool client_addr(const struct finding *f, size_t i, struct w5_addr *ip, uint16_t *port)
{
	*ip = f->down.remote;
	*port = f->down.rport;
	return i == 0 && finding_has_client(f);
}

#define EVENT	 FILTER_ABOUT_EVENT
#define UPSTREAM FILTER_ABOUT_UPSTREAM
#define CLIENT	 FILTER_ABOUT_CLIENT

/* clang-format off */
static const struct filter_field_row fields[] = {
	{ .name = "status", .what = "what the client got; 0 = nothing",
	  .number = status_number, .searched = true },
	{ .name = "cause", .what = "cause, as in the list",
	  .text = cause_text, .choice = cause_choice, .searched = true },
	{ .name = "upstream", .what = "address of any attempt: 10.0.3.18:8080, 10.0.3.0/24",
	  .about = EVENT | UPSTREAM, .addr = upstream_addr, .searched = true },
	{ .name = "path", .what = "request target with its query", .about = EVENT,
	  .text = path_text, .searched = true },
	{ .name = "target", .what = "the same as path", .about = EVENT, .text = path_text },
	{ .name = "host", .what = "Host of the request", .about = EVENT, .text = host_text,
	  .searched = true },
	{ .name = "method", .what = "request method", .about = EVENT, .text = method_text,
	  .searched = true },
	{ .name = "client", .what = "address of the client, as upstream", .about = EVENT | CLIENT,
	  .addr = client_addr, .searched = true },
	{ .name = "network", .what = "the client's: 198.51.100.0/24, 2001:db8:5::/64",
	  .text = network_text },
	{ .name = "endpoint", .what = "Host and path with ids folded: shop.example/users/{id}",
	  .text = endpoint_text },
	{ .name = "ms", .what = "duration in milliseconds, or as 1.5s",
	  .number = ms_number, .is_ms = true },
	{ .name = "tries", .what = "number of attempts", .number = tries_number },
	{ .name = "verdict", .what = "gateway-made, passed-through, ...",
	  .text = verdict_text, .choice = verdict_choice },
	{ .name = "confidence", .what = "certain, likely, ambiguous",
	  .text = confidence_text, .choice = confidence_choice },
	{ .name = "gateway", .what = "name of the gateway process", .about = EVENT,
	  .text = gateway_text, .searched = true },
	{ .name = "pid", .what = "process that answered", .about = EVENT, .number = pid_number },
	{ .name = "cgroup", .what = "cgroup of the gateway", .text = cgroup_text },
	{ .name = "try_cause", .what = "cause of any attempt",
	  .text = try_cause_text, .choice = cause_choice },
	{ .name = "answer", .what = "status any backend answered", .about = EVENT,
	  .number = answer_number },
	{ .name = "reused", .what = "earlier requests on any attempt's connection", .about = EVENT,
	  .number = reused_number },
	{ .name = "idle", .what = "silence of it before the request, ms or as 60s",
	  .about = EVENT, .number = idle_number, .is_ms = true },
	{ .name = "retransmits", .what = "segments sent again, either side", .about = EVENT,
	  .number = retransmits_number },
	{ .name = "event", .what = "TCP trouble on any connection: refused, reset-in, ...",
	  .about = EVENT, .text = event_text, .choice = event_choice, .is_event = true },
	{ .name = "end", .what = "what ended a connection: fin, rst, connect, ...",
	  .about = EVENT, .text = end_text, .choice = end_choice },
	{ .name = "errno", .what = "error of a socket: ECONNREFUSED, ...", .about = EVENT,
	  .text = errno_text },
	{ .name = "tls_alert", .what = "TLS alert in or out: handshake_failure, ...",
	  .about = EVENT, .text = alert_text },
	{ .name = "grpc", .what = "grpc-status: UNAVAILABLE, ...", .about = EVENT,
	  .text = grpc_text, .choice = grpc_choice },
	{ .name = "header", .what = "header.NAME: field of the request's head, as far as kept",
	  .about = EVENT, .text = header_text, .has_arg = true },
	{ .name = "request_id", .what = "X-Request-Id or traceparent",
	  .text = request_id_text, .searched = true },
	{ .name = "log_code", .what = "the gateway's own word in its log", .text = log_code_text },
	{ .name = "sight", .what = "who saw the status: wire, tls, log",
	  .text = sight_text, .choice = sight_choice },
	{ .name = "lost", .what = "records lost around it", .number = lost_number },
	{ .name = "id", .what = "number of the exchange", .number = id_number },
};
/* clang-format on */

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

bool filter_field_text(const struct filter_field_row *row, const struct finding *f, const char *arg,
		       size_t i, char *out, size_t cap)
{
	struct w5_addr ip;
	uint16_t port;
	double number;

	if (row->addr) {
		if (!row->addr(f, i, &ip, &port))
			return false;
		text_endpoint(out, cap, &ip, port);
		return true;
	}
	if (row->number) {
		if (!row->number(f, i, &number))
			return false;
		snprintf(out, cap, "%.15g", number);
		return true;
	}
	if (row->has_arg)
		snprintf(out, cap, "%s", arg ? arg : "");
	return row->text(f, i, out, cap);
}

bool filter_field_any_contains(const struct finding *f, unsigned about, const char *word)
{
	char buf[FILTER_VALUE_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (!fields[i].searched || !(about & (fields[i].about | FILTER_ABOUT_FINDING)))
			continue;
		for (size_t v = 0; filter_field_text(&fields[i], f, NULL, v, buf, sizeof(buf)); v++)
			if (strcasestr(buf, word))
				return true;
	}
	return false;
}
