/* SPDX-License-Identifier: BSD-2-Clause */
/* See text.h. Input is hostile, output always fits and is always terminated. */
#include "base/text.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/util.h"

static const char hex[] = "0123456789abcdef";

size_t text_escape(char *out, size_t cap, const void *in, size_t len)
{
	const unsigned char *p = in;
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		bool plain = p[i] >= ' ' && p[i] < 0x7f && p[i] != '\\';

		if (n + (plain ? 1 : 4) >= cap)
			break;
		if (plain) {
			out[n++] = (char)p[i];
			continue;
		}
		out[n++] = '\\';
		out[n++] = 'x';
		out[n++] = hex[p[i] >> 4];
		out[n++] = hex[p[i] & 15];
	}
	out[n] = '\0';
	return n;
}

static bool is_cont(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/* Bytes of the valid UTF-8 sequence at p (RFC 3629: shortest form, no surrogates,
 * at most U+10FFFF), or 0. */
static size_t utf8_len(const unsigned char *p, size_t len)
{
	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		return len >= 2 && is_cont(p[1]) ? 2 : 0;
	if (p[0] >= 0xe0 && p[0] <= 0xef) {
		unsigned char lo = p[0] == 0xe0 ? 0xa0 : 0x80;
		unsigned char hi = p[0] == 0xed ? 0x9f : 0xbf;

		return len >= 3 && p[1] >= lo && p[1] <= hi && is_cont(p[2]) ? 3 : 0;
	}
	if (p[0] >= 0xf0 && p[0] <= 0xf4) {
		unsigned char lo = p[0] == 0xf0 ? 0x90 : 0x80;
		unsigned char hi = p[0] == 0xf4 ? 0x8f : 0xbf;

		return len >= 4 && p[1] >= lo && p[1] <= hi && is_cont(p[2]) && is_cont(p[3]) ? 4
											      : 0;
	}
	return 0;
}

/* What stands for the character at p in a JSON string: piece (not terminated), its
 * length in *n; returns the input bytes it covers. */
static size_t json_piece(const unsigned char *p, size_t len, char piece[6], size_t *n)
{
	size_t take = utf8_len(p, len);
	/* C1 controls (U+0080..9F) are commands to some terminals, as C0 are. */
	bool is_c1 = take == 2 && p[0] == 0xc2 && p[1] < 0xa0;
	unsigned int code = is_c1 ? p[1] : p[0];

	if (!take) {
		memcpy(piece, "\\ufffd", 6);
		*n = 6;
		return 1;
	}
	if (is_c1 || (take == 1 && (code < ' ' || code == 0x7f))) {
		memcpy(piece, "\\u00", 4);
		piece[4] = hex[code >> 4 & 15];
		piece[5] = hex[code & 15];
		*n = 6;
		return take;
	}
	*n = 0;
	if (p[0] == '"' || p[0] == '\\')
		piece[(*n)++] = '\\';
	memcpy(piece + *n, p, take);
	*n += take;
	return take;
}

size_t text_json(char *out, size_t cap, const void *in, size_t len)
{
	const unsigned char *p = in;
	size_t n = 0;

	for (size_t i = 0; i < len;) {
		char piece[6];
		size_t np, take = json_piece(p + i, len - i, piece, &np);

		if (n + np >= cap)
			break;
		memcpy(out + n, piece, np);
		n += np;
		i += take;
	}
	out[n] = '\0';
	return n;
}

/* snprintf returns what it wanted to write; callers want what is there. */
static size_t fitted(int wanted, size_t cap)
{
	return wanted < 0 ? 0 : min_size((size_t)wanted, cap - 1);
}

static bool is_v4mapped(const struct w5_addr *a)
{
	static const unsigned char prefix[12] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(a->ip, prefix, sizeof(prefix));
}

/* The end of a local socket's path. */
static size_t path_end(char *out, size_t cap, const struct w5_addr *a)
{
	size_t from = sizeof(a->ip) - W5_PATH_END;
	char end[4 * W5_PATH_END + 1];

	while (from < sizeof(a->ip) && !a->ip[from])
		from++;
	text_escape(end, sizeof(end) < 40 ? sizeof(end) : 40, a->ip + from, sizeof(a->ip) - from);
	return fitted(snprintf(out, cap, "unix:..%s", end), cap);
}

size_t text_addr(char *out, size_t cap, const struct w5_addr *a)
{
	char buf[INET6_ADDRSTRLEN] = "";

	if (w5_addr_is_path(a))
		return path_end(out, cap, a);
	if (is_v4mapped(a))
		inet_ntop(AF_INET, a->ip + 12, buf, sizeof(buf));
	else
		inet_ntop(AF_INET6, a->ip, buf, sizeof(buf));
	return fitted(snprintf(out, cap, "%s", buf), cap);
}

size_t text_endpoint(char *out, size_t cap, const struct w5_addr *a, uint16_t port)
{
	const char *fmt = is_v4mapped(a) ? "%s:%u" : "[%s]:%u";
	char ip[TEXT_ADDR_MAX];

	if (w5_addr_is_path(a))
		return path_end(out, cap, a);
	text_addr(ip, sizeof(ip), a);
	return fitted(snprintf(out, cap, fmt, ip, port), cap);
}

size_t text_upstream(char *out, size_t cap, const struct w5_leg *l)
{
	size_t len = l->head_len < W5_HEAD_REQ ? l->head_len : W5_HEAD_REQ;
	char path[4 * W5_UNIX_PATH + 1];

	if (!w5_addr_is_path(&l->remote))
		return text_endpoint(out, cap, &l->remote, l->rport);
	text_path(path, sizeof(path), l->head, len);
	len = strlen(path);
	if (len + sizeof("unix:") <= cap)
		return fitted(snprintf(out, cap, "unix:%s", path), cap);
	if (cap < sizeof("unix:..")) /* its end tells more than its beginning */
		return 0;
	return fitted(snprintf(out, cap, "unix:..%s", path + len - (cap - sizeof("unix:.."))), cap);
}

/* An abstract one, which begins with a zero, is written with an @. */
size_t text_path(char *out, size_t cap, const uint8_t *path, size_t len)
{
	size_t n = 0;

	if (cap < 2)
		return 0;
	if (len && !path[0]) {
		out[n++] = '@';
		path++;
		len--;
	}
	return n + text_escape(out + n, cap - n, path, len);
}

size_t text_listener(char *out, size_t cap, const struct w5_addr *a, uint16_t port)
{
	static const struct w5_addr any;

	if (memcmp(a, &any, sizeof(any)))
		return text_endpoint(out, cap, a, port);
	return fitted(snprintf(out, cap, "*:%u", port), cap);
}

size_t text_time_utc(char *out, size_t cap, uint64_t wall_ns)
{
	time_t sec = (time_t)(wall_ns / NS_PER_S);
	struct tm tm = { 0 };

	gmtime_r(&sec, &tm);
	return fitted(snprintf(out, cap, "%04d-%02d-%02dT%02d:%02d:%02d.%06uZ", tm.tm_year + 1900,
			       tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
			       (unsigned)(wall_ns % NS_PER_S / 1000)),
		      cap);
}

size_t text_time_of_day(char *out, size_t cap, uint64_t wall_ns)
{
	time_t sec = (time_t)(wall_ns / NS_PER_S);
	struct tm tm = { 0 };

	localtime_r(&sec, &tm);
	return fitted(snprintf(out, cap, "%02d:%02d:%02d.%03u", tm.tm_hour, tm.tm_min, tm.tm_sec,
			       (unsigned)(wall_ns % NS_PER_S / 1000000)),
		      cap);
}

/* v / 1000 with so many decimals, cut (not rounded: 59.99 s must not read 60.0 s). */
static int print_milli(char *out, size_t cap, uint64_t v, int decimals, const char *unit)
{
	static const unsigned int scale[] = { 1000, 100, 10, 1 };

	return snprintf(out, cap, "%llu.%0*llu %s", (unsigned long long)(v / 1000), decimals,
			(unsigned long long)(v % 1000 / scale[decimals]), unit);
}

size_t text_duration(char *out, size_t cap, uint64_t ns)
{
	uint64_t us = ns / 1000, ms = us / 1000, s = ms / 1000;
	int n;

	if (us < 10000)
		n = print_milli(out, cap, us, 3, "ms");
	else if (us < 100000)
		n = print_milli(out, cap, us, 2, "ms");
	else if (us < 1000000)
		n = print_milli(out, cap, us, 1, "ms");
	else if (s < 10)
		n = print_milli(out, cap, ms, 2, "s");
	else if (s < 180)
		n = print_milli(out, cap, ms, 1, "s");
	else if (s < 180 * 60)
		n = snprintf(out, cap, "%llu min", (unsigned long long)(s / 60));
	else if (s < 72 * 3600)
		n = snprintf(out, cap, "%llu h", (unsigned long long)(s / 3600));
	else
		n = snprintf(out, cap, "%llu d", (unsigned long long)(s / 86400));
	return fitted(n, cap);
}

size_t text_count(char *out, size_t cap, uint64_t n)
{
	static const char units[] = " kMGTPE";
	uint64_t div = 1;
	size_t u = 0;

	while (u + 2 < sizeof(units) && n / div >= 1000) {
		div *= 1000;
		u++;
	}
	if (!u)
		return fitted(snprintf(out, cap, "%llu", (unsigned long long)n), cap);
	if (n / div < 10)
		return fitted(snprintf(out, cap, "%llu.%llu%c", (unsigned long long)(n / div),
				       (unsigned long long)(n % div / (div / 10)), units[u]),
			      cap);
	return fitted(snprintf(out, cap, "%llu%c", (unsigned long long)(n / div), units[u]), cap);
}

size_t text_errno(char *out, size_t cap, unsigned int err)
{
	const char *name = strerrorname_np((int)err);

	return fitted(name ? snprintf(out, cap, "%s", name) : snprintf(out, cap, "%u", err), cap);
}
