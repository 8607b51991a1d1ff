/* SPDX-License-Identifier: BSD-2-Clause */
/* From the values of a line to struct w5_log: clocks, request, upstream tries. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "source/logfmt_impl.h"
#include "source/logtime.h"

#define NS_PER_US  1000ull
#define NS_PER_S   1000000000ull
#define QUARTER_NS (15 * 60 * NS_PER_S) /* zones differ by multiples of this */

static bool given(struct log_span s)
{
	return s.p && s.len && !(s.len == 1 && *s.p == '-');
}

/* Digits only, with or without a sign; -1 and what is too large are not known. */
static bool number(uint64_t *out, struct log_span s)
{
	uint64_t v = 0;

	if (!given(s) || *s.p == '-')
		return false;
	for (size_t i = *s.p == '+'; i < s.len; i++) {
		if (s.p[i] < '0' || s.p[i] > '9' || v > UINT64_MAX / 10 - 1)
			return false;
		v = v * 10 + (uint64_t)(s.p[i] - '0');
	}
	*out = v;
	return true;
}

static uint64_t number_below(struct log_span s, uint64_t max)
{
	uint64_t v;

	return number(&v, s) && v <= max ? v : 0;
}

static uint32_t us_of(uint64_t us)
{
	return us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

/* ---- when ---- */

static bool stamp_of(struct logtime *t, const struct log_values *v)
{
	static bool (*const readers[])(struct logtime *, const char *, size_t) = {
		[LOG_CLF] = logtime_clf,     [LOG_ISO] = logtime_iso,	  [LOG_HAP] = logtime_hap,
		[LOG_HAP_REQ] = logtime_hap, [LOG_EPOCH] = logtime_epoch,
	};
	struct logtime one;
	uint64_t n;

	*t = (struct logtime){ .precision_us = UINT32_MAX };
	for (size_t i = LOG_CLF; i < ARRAY_SIZE(readers); i++) {
		if (v->v[i].p && readers[i](&one, v->v[i].p, v->v[i].len) &&
		    one.precision_us < t->precision_us)
			*t = one;
	}
	if (number(&n, v->v[LOG_EPOCH_MS]) && n < 1ull << 43)
		*t = (struct logtime){ .wall_ns = n * 1000000, .precision_us = 1000 };
	if (number(&n, v->v[LOG_EPOCH_US]) && n < 1ull << 53)
		*t = (struct logtime){ .wall_ns = n * 1000, .precision_us = 1 };
	if (!t->wall_ns)
		return false;
	if (t->precision_us == 1000000 && number(&n, v->v[LOG_FRAC_US]) && n < 1000000) {
		t->wall_ns += n * NS_PER_US;
		t->precision_us = 1;
	} else if (t->precision_us == 1000000 && number(&n, v->v[LOG_FRAC_MS]) && n < 1000) {
		t->wall_ns += n * 1000 * NS_PER_US;
		t->precision_us = 1000;
	}
	return true;
}

/* How long it took; *step_us: what the number is cut to. */
static bool duration_of(const struct log_values *v, uint64_t *us, uint64_t *step_us)
{
	struct log_span s = v->v[LOG_DUR_S];
	unsigned int digits;
	uint64_t n;

	if (number(&n, v->v[LOG_DUR_US])) {
		*us = n;
		*step_us = 1;
		return n < UINT32_MAX;
	}
	if (number(&n, v->v[LOG_DUR_MS])) {
		*us = n * 1000;
		*step_us = 1000;
		/* HAProxy's "+": logged before the end */
		return n < UINT32_MAX / 1000 && *v->v[LOG_DUR_MS].p != '+';
	}
	if (!given(s) || !logtime_decimal(&n, &digits, s.p, s.len))
		return false;
	*us = n / NS_PER_US;
	*step_us = digits >= 3 ? 1000 : 1000000;
	return *us < UINT32_MAX;
}

static bool moment_of(struct log_moment *m, const struct logfmt *f, const struct log_values *v,
		      uint64_t now_wall_ns)
{
	bool of_accept = f->kind == W5_LOG_HAPROXY && !v->v[LOG_HAP_REQ].p;
	uint64_t step_us = 0, total, lasted;
	struct logtime t;

	if (!stamp_of(&t, v))
		return false;
	*m = (struct log_moment){ .is_end = f->stamp_ends };
	m->has_duration = duration_of(v, &m->duration_us, &step_us);
	/* Of a host in another zone than the gateway's container: the line has just been written. */
	if (t.local && now_wall_ns < 1ull << 62) {
		int64_t off = (int64_t)(now_wall_ns - t.wall_ns);
		int64_t half = (int64_t)QUARTER_NS / 2;

		off = (off + (off < 0 ? -half : half)) / (int64_t)QUARTER_NS;
		t.wall_ns += (uint64_t)(off * (int64_t)QUARTER_NS);
	}
	m->wall_ns = t.wall_ns;
	m->precision_us = t.precision_us;
	if (m->is_end)
		return true;
	lasted = m->duration_us;
	if (of_accept) {
		/* %t is of the accept; only %Tt counts from there. */
		if (!number(&total, v->v[LOG_TOTAL_MS]) || total >= UINT32_MAX / 1000 ||
		    *v->v[LOG_TOTAL_MS].p == '+')
			return true;
		lasted = total * 1000;
		step_us = 1000;
	} else if (!m->has_duration) {
		return true;
	}
	m->wall_ns += lasted * NS_PER_US;
	m->precision_us += step_us;
	m->is_end = true;
	return true;
}

bool log_set_times(struct w5_log *out, const struct log_moment *m, const struct log_clock *clock)
{
	uint64_t ns, now = clock->now_ns;

	if (m->wall_ns <= clock->wall_offset_ns)
		return false;
	ns = m->wall_ns - clock->wall_offset_ns;
	out->end_ns = ns;
	out->precision_us = us_of(m->precision_us ? m->precision_us : 1);
	if (m->has_duration)
		out->duration_us = us_of(m->duration_us ? m->duration_us : 1);
	/* Only the begin is known: it ended some time until the line was read. */
	if (!m->is_end && now > ns)
		out->precision_us = us_of(max_u64((now - ns) / NS_PER_US, out->precision_us));
	return true;
}

/* ---- the request ---- */

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* n hexadecimal digits at s, or -1. */
static int hex_at(const char *s, const char *end, int n)
{
	int v = 0;

	if (end - s < n)
		return -1;
	for (int i = 0; i < n; i++) {
		if (hex(s[i]) < 0)
			return -1;
		v = v * 16 + hex(s[i]);
	}
	return v;
}

struct cursor {
	const char *s, *end;
	char escape;
};

/* The next byte as the client sent it. */
static char next_byte(struct cursor *c)
{
	char b = *c->s++;
	int v = -1, digits = 2;

	if (b != c->escape || c->s == c->end)
		return b;
	if (c->escape == '#') {
		v = hex_at(c->s, c->end, 2);
		c->s += v >= 0 ? 2 : 0;
		return v >= 0 ? (char)v : b;
	}
	b = *c->s++;
	if (b == 'x' || b == 'u') {
		digits = b == 'x' ? 2 : 4;
		v = hex_at(c->s, c->end, digits);
		c->s += v >= 0 ? digits : 0;
		return v >= 0 && v < 256 ? (char)v : '?';
	}
	return b == 'n' ? '\n' : b == 't' ? '\t' : b == 'r' ? '\r' : b;
}

/* Never a line or a blank that the request did not have: a head is read by its blanks. */
static void put_span(struct w5_log *out, struct log_span s, char escape)
{
	struct cursor c = { .s = s.p, .end = s.p + s.len, .escape = escape };

	while (c.s < c.end && out->head_len < sizeof(out->head)) {
		uint8_t b = (uint8_t)next_byte(&c);

		out->head[out->head_len++] = b <= ' ' || b == 0x7f ? '?' : b;
	}
}

static void put_text(struct w5_log *out, const char *s)
{
	while (*s && out->head_len < sizeof(out->head))
		out->head[out->head_len++] = (uint8_t)*s++;
}

static void put_field(struct w5_log *out, const char *name, struct log_span value, char escape)
{
	if (!given(value))
		return;
	put_text(out, name);
	put_span(out, value, escape);
	put_text(out, "\r\n");
}

static bool is_method(struct log_span s)
{
	if (!s.p || !s.len || s.len > 16)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if ((s.p[i] < 'A' || s.p[i] > 'Z') && s.p[i] != '-' && s.p[i] != '_')
			return false;
	}
	return s.p[0] >= 'A';
}

void log_set_head(struct w5_log *out, const struct log_head *h)
{
	out->head_len = 0;
	if (!is_method(h->method) || !given(h->target))
		return;
	put_span(out, h->method, h->escape);
	put_text(out, " ");
	put_span(out, h->target, h->escape);
	if (given(h->query)) {
		if (*h->query.p != '?')
			put_text(out, "?");
		put_span(out, h->query, h->escape);
	}
	put_text(out, " ");
	if (given(h->proto))
		put_span(out, h->proto, h->escape);
	else
		put_text(out, "HTTP/1.1");
	put_text(out, "\r\n");
	put_field(out, "Host: ", h->host, h->escape);
	put_field(out, "X-Request-Id: ", h->id, h->escape);
}

/* METHOD target HTTP/1.1: nginx's target may hold blanks that its client should not have sent. */
static void split_request(struct log_head *h, struct log_span r)
{
	const char *end = r.p + r.len, *a = memchr(r.p, ' ', r.len), *b;

	if (!a)
		return;
	b = memrchr(a + 1, ' ', (size_t)(end - a - 1));
	if (!b || end - b < 6 || memcmp(b + 1, "HTTP/", 5))
		b = end;
	else
		h->proto = (struct log_span){ .p = b + 1, .len = (size_t)(end - b - 1) };
	h->method = (struct log_span){ .p = r.p, .len = (size_t)(a - r.p) };
	h->target = (struct log_span){ .p = a + 1, .len = (size_t)(b - a - 1) };
}

static void take_head(struct w5_log *out, const struct logfmt *f, const struct log_values *v)
{
	struct log_head h = { .host = v->v[LOG_HOST],
			      .id = v->v[LOG_ID],
			      .escape = f->kind == W5_LOG_HAPROXY ? '#' : '\\' };

	if (v->v[LOG_REQUEST].p)
		split_request(&h, v->v[LOG_REQUEST]);
	if (!h.method.p) {
		h.method = v->v[LOG_METHOD];
		h.target = v->v[LOG_TARGET];
	}
	if (!h.target.p) {
		h.target = v->v[LOG_PATH];
		h.query = v->v[LOG_QUERY];
		/* nginx's $uri is decoded and rewritten, Apache's %U is decoded. */
		out->flags |= W5_LOG_PATH;
	}
	log_set_head(out, &h);
}

/* ---- upstream ---- */

bool log_set_addr(struct w5_addr *ip, uint16_t *port, const char *s, size_t len)
{
	const char *colon = memrchr(s, ':', len), *end = s + len;
	char text[INET6_ADDRSTRLEN];
	uint64_t n;
	size_t host;

	if (colon && (memchr(s, ':', len) == colon || (len && *s == '['))) {
		n = number_below((struct log_span){ .p = colon + 1,
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

	return given(one) && logtime_decimal(&ns, NULL, one.p, one.len) ? us_of(ns / NS_PER_US) : 0;
}

/* The next value of each list. */
static void take_try(struct w5_log_try *t, struct log_values *lists)
{
	struct log_span one;

	if (next_of_list(&lists->v[LOG_UP_STATUS], &one))
		t->status = (uint16_t)number_below(one, 999);
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

	if (addrs.p && !given(addrs))
		out->flags |= W5_LOG_UNTRIED;
	for (size_t i = 0; i < n && next_of_list(&addrs, &one); i++) {
		struct w5_log_try t = { 0 };

		take_try(&t, &lists);
		if (i < skip || !given(one))
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
	struct w5_log_try t = { .port = (uint16_t)number_below(v->v[LOG_UP_PORT], 65535) };
	const char *host;

	if (out->ntries)
		return;
	t.connect_us = us_of(number_below(v->v[LOG_UP_CONNECT_MS], 1u << 22) * 1000);
	t.resp_us = us_of(number_below(v->v[LOG_UP_TIME_MS], 1u << 22) * 1000);
	if (given(url)) {
		host = memmem(url.p, url.len, "://", 3);
		host = host ? host + 3 : url.p;
		ip = (struct log_span){ .p = host, .len = (size_t)(url.p + url.len - host) };
	}
	if (!given(ip) || !log_set_addr(&t.ip, &t.port, ip.p, ip.len) || !t.port)
		return;
	if (given(retries) && *retries.p != '+')
		n += number_below(retries, W5_LOG_TRIES - 1);
	while (n--)
		out->tries[out->ntries++] = t;
}

int log_values_read(const struct logfmt *f, const struct log_values *v,
		    const struct log_clock *clock, struct w5_log *out)
{
	struct log_span status = v->v[LOG_STATUS].p ? v->v[LOG_STATUS] : v->v[LOG_STATUS_FIRST];
	uint16_t unused = 0;
	struct log_moment m;

	out->status = (uint16_t)number_below(status, 999);
	if (out->status < 500)
		return 0;
	if (!moment_of(&m, f, v, clock->now_ns + clock->wall_offset_ns) ||
	    !log_set_times(out, &m, clock))
		return -EBADMSG;
	out->tgid = (uint32_t)number_below(v->v[LOG_PID], 1u << 22);
	out->cport = (uint16_t)number_below(v->v[LOG_CPORT], 65535);
	if (given(v->v[LOG_CLIENT]))
		log_set_addr(&out->client, &unused, v->v[LOG_CLIENT].p, v->v[LOG_CLIENT].len);
	if (given(v->v[LOG_CODE]))
		set_code(out, v->v[LOG_CODE]);
	take_head(out, f, v);
	take_lists(out, v);
	take_server(out, v);
	return 0;
}
