/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values of a filter: numbers with units and spans, addresses and prefixes, and regular
 * expressions. A pattern is measured before the C library sees it: it copies what a `+` or
 * {m,n} repeats, so that ((((a+)+)+)+ of sixty bytes can ask for all memory there is.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "base/util.h"
#include "sink/filter_impl.h"

#define PATTERN_BYTES_MAX 200
#define PATTERN_COST_MAX  2000 /* atoms, after everything repeated is written out */
#define PATTERN_DEPTH_MAX 12

/* ---- addresses ---- */

static bool parse_ip(struct filter_net *out, const char *text, bool *is_v4)
{
	struct in_addr v4;

	*is_v4 = inet_pton(AF_INET, text, &v4) == 1;
	if (!*is_v4)
		return inet_pton(AF_INET6, text, out->ip.ip) == 1;
	memset(&out->ip, 0, sizeof(out->ip));
	out->ip.ip[10] = out->ip.ip[11] = 0xff;
	memcpy(&out->ip.ip[12], &v4, 4);
	return true;
}

static bool parse_port(const char *s, uint16_t *out)
{
	uint64_t v;

	if (parse_digits(s, s + strlen(s), &v) || !v || v > 65535)
		return false;
	*out = (uint16_t)v;
	return true;
}

bool filter_net_parse(struct filter_net *out, const char *text)
{
	struct filter_net net = { .bits = 128 };
	char buf[64], *ip = buf, *slash, *rest = NULL;
	uint64_t bits;
	bool is_v4;

	if (strlen(text) >= sizeof(buf))
		return false;
	snprintf(buf, sizeof(buf), "%s", text);
	slash = strchr(buf, '/');
	if (slash)
		*slash++ = '\0';
	if (buf[0] == '[') {
		rest = strchr(buf, ']');
		if (!rest)
			return false;
		*rest++ = '\0';
		ip = buf + 1;
		if (*rest && *rest != ':')
			return false;
		rest = *rest ? rest + 1 : NULL;
	} else if (strchr(buf, ':') && strchr(buf, ':') == strrchr(buf, ':')) {
		rest = strchr(buf, ':');
		*rest++ = '\0';
	}
	if (!parse_ip(&net, ip, &is_v4) || (rest && !parse_port(rest, &net.port)))
		return false;
	if (slash) {
		if (parse_digits(slash, slash + strlen(slash), &bits) || bits > (is_v4 ? 32 : 128))
			return false;
		net.bits = (unsigned)bits + (is_v4 ? 96 : 0);
	}
	*out = net;
	return true;
}

bool filter_net_has(const struct filter_net *net, const struct w5_addr *ip, uint16_t port)
{
	unsigned bytes = net->bits / 8, rest = net->bits % 8;
	unsigned mask = rest ? 0xffu << (8 - rest) & 0xff : 0;

	if (net->port && net->port != port)
		return false;
	if (memcmp(net->ip.ip, ip->ip, bytes))
		return false;
	return !mask || !((net->ip.ip[bytes] ^ ip->ip[bytes]) & mask);
}

/* ---- numbers ---- */

static bool number_at(const char *s, const char **end, bool is_ms, double *out)
{
	static const struct {
		const char *name;
		double ms;
	} units[] = {
		{ "us", 0.001 }, { "ms", 1 }, { "min", 60000 }, { "s", 1000 }, { "h", 3600000 }
	};
	char *stop;

	if (!(*s >= '0' && *s <= '9') && *s != '.')
		return false;
	*out = strtod(s, &stop);
	if (stop == s || !isfinite(*out))
		return false;
	for (size_t i = 0; is_ms && i < ARRAY_SIZE(units); i++) {
		if (strncmp(stop, units[i].name, strlen(units[i].name)))
			continue;
		*out *= units[i].ms;
		stop += strlen(units[i].name);
		break;
	}
	*end = stop;
	return true;
}

/* 502, 1.5s, or 500-504 where equality is asked for. */
static bool parse_number(struct filter_value *v, bool is_ms, bool may_span)
{
	const char *end;

	if (!number_at(v->text, &end, is_ms, &v->lo))
		return false;
	v->hi = v->lo;
	if (may_span && *end == '-' && !number_at(end + 1, &end, is_ms, &v->hi))
		return false;
	return !*end && v->hi >= v->lo;
}

/* ---- patterns ---- */

struct measure {
	const char *p;
	unsigned depth;
	unsigned long cost[PATTERN_DEPTH_MAX + 1]; /* of what is open */
	unsigned long last;			   /* of the newest atom, in cost[depth] already */
};

static void skip_bracket(struct measure *m)
{
	m->p++;
	m->p += *m->p == '^';
	m->p += *m->p == ']';
	while (*m->p && *m->p != ']') {
		char kind = m->p[1];

		if (*m->p == '[' && kind && strchr(".:=", kind)) { /* [:alpha:] */
			const char close[3] = { kind, ']', '\0' };
			const char *end = strstr(m->p + 2, close);

			m->p = end ? end + 2 : m->p + 1;
		} else {
			m->p++;
		}
	}
	m->p += *m->p == ']';
}

static void repeat(struct measure *m, unsigned long times)
{
	m->cost[m->depth] += m->last * (times - 1);
	m->last *= times;
}

/* What it would be if the library did not take {m,n} for text: never less. */
static void repeat_braces(struct measure *m)
{
	unsigned long max = 1, n = 0;

	for (m->p++; *m->p && *m->p != '}'; m->p++) {
		if (*m->p >= '0' && *m->p <= '9')
			n = min_size(n * 10 + (unsigned long)(*m->p - '0'), PATTERN_COST_MAX);
		else
			n = 0;
		max = max_size(max, n);
	}
	m->p += *m->p == '}';
	repeat(m, max + 1);
}

static void atom(struct measure *m)
{
	if (*m->p == '[') {
		skip_bracket(m);
	} else {
		m->p += *m->p == '\\' && m->p[1];
		m->p++;
	}
	m->last = 1;
	m->cost[m->depth]++;
}

static const char *measure_pattern(const char *text)
{
	struct measure m = { .p = text };

	if (strlen(text) > PATTERN_BYTES_MAX)
		return "this expression is too long";
	while (*m.p) {
		if (*m.p == '\\' && m.p[1] >= '1' && m.p[1] <= '9')
			return "back-references are not allowed";
		if (*m.p == '(') {
			if (m.depth == PATTERN_DEPTH_MAX)
				return "too many parentheses in this expression";
			m.cost[++m.depth] = 1;
			m.p++;
		} else if (*m.p == ')' && m.depth) {
			m.last = m.cost[m.depth--];
			m.cost[m.depth] += m.last;
			m.p++;
		} else if (*m.p == '+' || *m.p == '*' || *m.p == '?') {
			repeat(&m, 2);
			m.p++;
		} else if (*m.p == '{') {
			repeat_braces(&m);
		} else {
			atom(&m);
		}
		if (m.cost[m.depth] > PATTERN_COST_MAX)
			return "this expression repeats too much";
	}
	return NULL;
}

static bool looks_like_pattern(const char *text)
{
	return strpbrk(text, "^$*[](){}|\\");
}

static const char *compile(struct filter_value *v, char buf[FILTER_WHY_MAX])
{
	const char *why = measure_pattern(v->text);
	char text[64];
	int err;

	if (why)
		return why;
	err = regcomp(&v->re, v->text, REG_EXTENDED | REG_NOSUB);
	if (err) {
		regerror(err, &v->re, text, sizeof(text));
		snprintf(buf, FILTER_WHY_MAX, "bad regular expression: %s", text);
		return buf;
	}
	v->has_re = true;
	return NULL;
}

/* ---- any ---- */

static bool is_choice(const struct filter_field_row *field, const char *text)
{
	const char *name;

	for (size_t i = 0; (name = field->choice(i)); i++)
		if (!strcmp(name, text))
			return true;
	return false;
}

const char *filter_value_make(struct filter_value *v, const struct filter_field_row *field,
			      enum filter_op op, char buf[FILTER_WHY_MAX])
{
	bool is_equal = op == FILTER_OP_EQ || op == FILTER_OP_NE;

	if (filter_op_is_match(op))
		return looks_like_pattern(v->text) ? compile(v, buf) : NULL;
	if (field->number) {
		if (parse_number(v, field->is_ms, is_equal))
			return NULL;
		snprintf(buf, FILTER_WHY_MAX,
			 field->is_ms ? "%s is a time: 500, 500ms, 1.5s" : "%s is a number",
			 field->name);
		return buf;
	}
	if (!is_equal) {
		snprintf(buf, FILTER_WHY_MAX, "%s is text: use ==, !=, ~ or !~", field->name);
		return buf;
	}
	if (field->addr && !filter_net_parse(&v->net, v->text))
		return "not an address: write 10.0.3.18, 10.0.3.18:8080, 10.0.3.0/24, or use ~";
	if (field->choice && !is_choice(field, v->text)) {
		snprintf(buf, FILTER_WHY_MAX, "no such %s: %.40s", field->name, v->text);
		return buf;
	}
	return NULL;
}
