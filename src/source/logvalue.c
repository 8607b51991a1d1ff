/* SPDX-License-Identifier: BSD-2-Clause */
/* From the values of a line to struct w5_log; upstream tries. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "source/logfmt_impl.h"
#include "source/logtime.h"

bool log_given(struct log_span s)
{
	return s.p && s.len && !(s.len == 1 && *s.p == '-');
}

bool log_number(uint64_t *out, struct log_span s)
{
	uint64_t v = 0;

	if (!log_given(s) || *s.p == '-')
		return false;
	for (size_t i = *s.p == '+'; i < s.len; i++) {
		if (s.p[i] < '0' || s.p[i] > '9' || v > UINT64_MAX / 10 - 1)
			return false;
		v = v * 10 + (uint64_t)(s.p[i] - '0');
	}
	*out = v;
	return true;
}

uint64_t log_number_below(struct log_span s, uint64_t max)
{
	uint64_t v;

	return log_number(&v, s) && v <= max ? v : 0;
}

uint32_t log_us(uint64_t us)
{
	return us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

/* ---- upstream ---- */

bool log_set_addr(struct w5_addr *ip, uint16_t *port, const char *s, size_t len)
{
	const char *colon = memrchr(s, ':', len), *end = s + len;
	char text[INET6_ADDRSTRLEN];
	uint64_t n;
	size_t host;

	if (colon && (memchr(s, ':', len) == colon || (len && *s == '['))) {
		n = log_number_below((struct log_span){ .p = colon + 1,
							.len = (size_t)(end - colon - 1) },
				     65535);
		if (n && (*s != '[' || colon[-1] == ']')) {
			*port = (uint16_t)n;
			end = colon;
		}
	}
	if (end > s + 1 && *s == '[' && end[-1] == ']') {
		s++;
		end--;
	}
	host = (size_t)(end - s);
	if (!host || host >= sizeof(text))
		return false;
	memcpy(text, s, host);
	text[host] = '\0';
	memset(ip, 0, sizeof(*ip));
	if (inet_pton(AF_INET, text, ip->ip + 12) == 1) {
		ip->ip[10] = ip->ip[11] = 0xff;
		return true;
	}
	return inet_pton(AF_INET6, text, ip->ip) == 1;
}

/* "a, b : c": the next value and what is left. */
static bool next_of_list(struct log_span *list, struct log_span *out)
{
	const char *end, *s = list->p, *stop;

	if (!list->p || !list->len)
		return false;
	end = s + list->len;
	for (stop = s; stop < end; stop++) {
		if (*stop == ',' ||
		    (*stop == ' ' && end - stop > 2 && stop[1] == ':' && stop[2] == ' '))
			break;
	}
	*out = (struct log_span){ .p = s, .len = (size_t)(stop - s) };
	while (stop < end && (*stop == ',' || *stop == ' ' || *stop == ':'))
		stop++;
	*list = (struct log_span){ .p = stop, .len = (size_t)(end - stop) };
	return true;
}

static size_t list_length(struct log_span list)
{
	struct log_span one;
	size_t n = 0;

	while (next_of_list(&list, &one))
		n++;
	return n;
}

/* Seconds with decimals. */
static uint32_t list_us(struct log_span one)
{
	uint64_t ns;

	return log_given(one) && logtime_decimal(&ns, NULL, one.p, one.len) ? log_us(ns / 1000) : 0;
}

/* The next value of each list. */
static void take_try(struct w5_log_try *t, struct log_values *lists)
{
	struct log_span one;

	if (next_of_list(&lists->v[LOG_UP_STATUS], &one))
		t->status = (uint16_t)log_number_below(one, 999);
	if (next_of_list(&lists->v[LOG_UP_CONNECT], &one))
		t->connect_us = list_us(one);
	if (next_of_list(&lists->v[LOG_UP_TIME], &one))
		t->resp_us = list_us(one);
}

static void set_code(struct w5_log *out, struct log_span s)
{
	size_t n = min_size(s.len, sizeof(out->code) - 1);

	for (size_t i = 0; i < n; i++)
		out->code[i] = s.p[i] > ' ' && s.p[i] < 0x7f ? s.p[i] : '?';
	out->code[n] = '\0';
}

/* nginx: where no peer was left, its name for the group stands in place of an address. */
static void take_lists(struct w5_log *out, const struct log_values *v)
{
	struct log_values lists = *v;
	struct log_span one, addrs = v->v[LOG_UP_ADDR];
	size_t n = list_length(addrs), skip = n > W5_LOG_TRIES ? n - W5_LOG_TRIES : 0;

	if (addrs.p && !log_given(addrs))
		out->flags |= W5_LOG_UNTRIED;
	for (size_t i = 0; i < n && next_of_list(&addrs, &one); i++) {
		struct w5_log_try t = { 0 };

		take_try(&t, &lists);
		if (i < skip || !log_given(one))
			continue;
		if (log_set_addr(&t.ip, &t.port, one.p, one.len) && t.port) {
			out->tries[out->ntries++] = t;
		} else if (one.len > 5 && !memcmp(one.p, "unix:", 5)) {
			out->tries[out->ntries++] = (struct w5_log_try){ .status = t.status };
		} else {
			set_code(out, one);
			if (n == 1)
				out->flags |= W5_LOG_UNTRIED;
		}
	}
}

/* The one server that HAProxy or Apache name at the end. */
static void take_server(struct w5_log *out, const struct log_values *v)
{
	struct log_span url = v->v[LOG_UP_URL], ip = v->v[LOG_UP_IP];
	struct log_span retries = v->v[LOG_RETRIES];
	uint64_t n = 1;
	struct w5_log_try t = { .port = (uint16_t)log_number_below(v->v[LOG_UP_PORT], 65535) };
	const char *host;

	if (out->ntries)
		return;
	t.connect_us = log_us(log_number_below(v->v[LOG_UP_CONNECT_MS], 1u << 22) * 1000);
	t.resp_us = log_us(log_number_below(v->v[LOG_UP_TIME_MS], 1u << 22) * 1000);
	if (log_given(url)) {
		host = memmem(url.p, url.len, "://", 3);
		host = host ? host + 3 : url.p;
		ip = (struct log_span){ .p = host, .len = (size_t)(url.p + url.len - host) };
	}
	if (!log_given(ip) || !log_set_addr(&t.ip, &t.port, ip.p, ip.len) || !t.port)
		return;
	if (log_given(retries) && *retries.p != '+')
		n += log_number_below(retries, W5_LOG_TRIES - 1);
	while (n--)
		out->tries[out->ntries++] = t;
}

int log_values_read(const struct logfmt *f, const struct log_values *v,
		    const struct log_clock *clock, struct w5_log *out)
{
	struct log_span status = v->v[LOG_STATUS].p ? v->v[LOG_STATUS] : v->v[LOG_STATUS_FIRST];
	uint16_t unused = 0;
	struct log_moment m;

	out->status = (uint16_t)log_number_below(status, 999);
	if (out->status < 500)
		return 0;
	if (!log_moment_of(&m, f, v, clock->now_ns + clock->wall_offset_ns) ||
	    !log_set_times(out, &m, clock))
		return -EBADMSG;
	out->tgid = (uint32_t)log_number_below(v->v[LOG_PID], 1u << 22);
	out->cport = (uint16_t)log_number_below(v->v[LOG_CPORT], 65535);
	if (log_given(v->v[LOG_CLIENT]))
		log_set_addr(&out->client, &unused, v->v[LOG_CLIENT].p, v->v[LOG_CLIENT].len);
	if (log_given(v->v[LOG_CODE]))
		set_code(out, v->v[LOG_CODE]);
	log_take_head(out, f, v);
	take_lists(out, v);
	take_server(out, v);
	return 0;
}
