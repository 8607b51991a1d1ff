/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See mask.h. One scanner, from left to right and without looking ahead: what is masked
 * of a value does not depend on where the kept bytes end.
 */
#include "base/mask.h"

#include <string.h>

#include "base/mask_name.h"

/* ---- the digits ---- */

struct digits {
	uint64_t v[4];
};

static uint64_t rotl(uint64_t x, int b)
{
	return x << b | x >> (64 - b);
}

/* The round of SipHash (Aumasson, Bernstein 2012), which is made for keys that matter. */
static void round_of(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] = rotl(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] = rotl(v[2], 32);
}

static void digits_init(struct digits *d, const struct mask *m)
{
	d->v[0] = m->key[0] ^ 0x736f6d6570736575ull;
	d->v[1] = m->key[1] ^ 0x646f72616e646f6dull;
	d->v[2] = m->key[0] ^ 0x6c7967656e657261ull;
	d->v[3] = m->key[1] ^ 0x7465646279746573ull;
}

/* Takes a byte in; the digit is made of it and of all before. */
static uint8_t digits_next(struct digits *d, uint8_t byte)
{
	uint64_t f[4];

	d->v[3] ^= byte;
	round_of(d->v);
	round_of(d->v);
	d->v[0] ^= byte;
	memcpy(f, d->v, sizeof(f));
	f[2] ^= 0xff;
	for (int i = 0; i < 4; i++)
		round_of(f);
	return (uint8_t) "0123456789abcdef"[(f[0] ^ f[1] ^ f[2] ^ f[3]) & 0xf];
}

void mask_init(struct mask *m, const uint8_t key[MASK_KEY_BYTES])
{
	*m = (struct mask){ .off = false };
	memcpy(m->key, key, sizeof(m->key));
}

static void mask_value(const struct mask *m, uint8_t *p, size_t n)
{
	struct digits d;

	digits_init(&d, m);
	for (size_t i = 0; i < n; i++) {
		uint8_t digit = digits_next(&d, p[i]);

		p[i] = i ? digit : '*';
	}
}

/* ---- text that may hold parameters, JWTs and URLs ---- */

static int hex_of(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte at p, percent-decoded (RFC 3986 2.1); *used: bytes it takes. */
static uint8_t decode(const uint8_t *p, size_t left, size_t *used)
{
	*used = 1;
	if (*p != '%' || left < 3 || hex_of(p[1]) < 0 || hex_of(p[2]) < 0)
		return *p;
	*used = 3;
	return (uint8_t)(hex_of(p[1]) << 4 | hex_of(p[2]));
}

static bool is_base64url(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       c == '-' || c == '_';
}

static bool is_space(uint8_t c)
{
	return c <= ' ' || c == '"';
}

/*
 * Where the value that starts at p ends. One behind an encoded '=' is in a URL that is a
 * value itself, and ends at an encoded '&' as well.
 */
static size_t value_len(const uint8_t *p, size_t len, bool is_nested, bool in_path)
{
	size_t i = 0, used;

	for (; i < len; i += used) {
		uint8_t c = decode(p + i, len - i, &used);

		if (is_space(p[i]) || p[i] == '&' || (in_path && p[i] == '?') ||
		    (is_nested && c == '&'))
			break;
	}
	return i;
}

/* JWTs start with {" in base64url (RFC 7519 3). */
static size_t jwt_len(const uint8_t *p, size_t len)
{
	size_t n = 0;

	if (len < 3 || memcmp(p, "eyJ", 3))
		return 0;
	while (n < len && (is_base64url(p[n]) || p[n] == '.'))
		n++;
	return n;
}

/*
 * Bytes of "user:password" at the start of an authority; 0 = it has none. One that was cut
 * ahead of its '@' is told from host and port by what is no port.
 */
static size_t userinfo_len(const uint8_t *p, size_t len)
{
	size_t at = 0, colon = 0, used, i;
	bool is_port = true;

	for (i = 0; i < len; i += used) {
		uint8_t c = decode(p + i, len - i, &used);

		if (is_space(p[i]) || c == '/' || c == '?' || c == '#')
			return at;
		if (c == '@')
			at = i;
		if (c == ':')
			colon = i + 1;
		else if (colon && (c < '0' || c > '9'))
			is_port = false;
	}
	if (at)
		return at;
	return colon && !is_port && *p != '[' ? len : 0;
}

struct scan {
	struct mask_name name;
	bool in_name; /* between what begins a parameter and its '=' */
	bool in_path; /* it began behind a ';' */
	bool at_edge; /* a word may begin here */
	int slashes;  /* how far "://" has come */
};

static bool begins_param(uint8_t c)
{
	return c && strchr("?&;#/, :\"\t", c);
}

/* Bytes of a secret that starts at p, before that byte is looked at itself. */
static size_t secret_len(struct scan *s, const uint8_t *p, size_t len)
{
	if (s->slashes == 3) {
		size_t n = userinfo_len(p, len);

		s->slashes = 0;
		if (n)
			return n;
	}
	return s->at_edge ? jwt_len(p, len) : 0;
}

static void scan_byte(struct scan *s, uint8_t c, size_t used)
{
	static const char url[] = "://";

	s->slashes = c == url[s->slashes] ? s->slashes + 1 : c == ':';
	s->at_edge = used > 1 || !is_base64url(c);
	if (begins_param(c)) {
		s->name = (struct mask_name){ .n = 0 };
		s->in_name = true;
		s->in_path = c == ';';
	} else if (s->in_name) {
		mask_name_put(&s->name, c);
	}
}

static void mask_text(const struct mask *m, uint8_t *p, size_t len)
{
	struct scan s = { .in_name = true, .at_edge = true };
	size_t used, n;

	for (size_t i = 0; i < len; i += used) {
		uint8_t c = decode(p + i, len - i, &used);

		n = secret_len(&s, p + i, len - i);
		if (!n && c == '=' && s.in_name && mask_name_is_param(&s.name)) {
			i += used;
			n = value_len(p + i, len - i, used > 1, s.in_path);
			used = 0;
		}
		if (n) {
			mask_value(m, p + i, n);
			s = (struct scan){ .in_name = false };
			used = n;
		} else if (used) {
			if (c == '=')
				s.in_name = false;
			scan_byte(&s, c, used);
		}
	}
}

void mask_target(const struct mask *m, uint8_t *p, size_t len)
{
	size_t n = len && *p != '/' && *p != '*' ? userinfo_len(p, len) : 0;

	if (m->off)
		return;
	if (n)
		mask_value(m, p, n);
	mask_text(m, p + n, len - n);
}

/* ---- heads ---- */

/* "Basic ", "Bearer ": the scheme tells what is wrong without telling the secret. */
static size_t scheme_len(const uint8_t *p, size_t len)
{
	size_t n = 0;

	while (n < len && n < 16 && ((p[n] | 0x20) >= 'a' && (p[n] | 0x20) <= 'z'))
		n++;
	return n && n < len && p[n] == ' ' ? n + 1 : 0;
}

static void mask_field(const struct mask *m, const struct mask_name *name, uint8_t *p, size_t len)
{
	size_t skip = 0;

	while (skip < len && (p[skip] == ' ' || p[skip] == '\t'))
		skip++;
	if (!mask_name_is_field(name)) {
		mask_text(m, p + skip, len - skip);
		return;
	}
	if (mask_name_ends(name, "authorization"))
		skip += scheme_len(p + skip, len - skip);
	mask_value(m, p + skip, len - skip);
}

static void mask_first_line(const struct mask *m, uint8_t *p, size_t len)
{
	uint8_t *sp = memchr(p, ' ', len), *end = p + len, *stop;

	if (!sp || (len >= 5 && !memcmp(p, "HTTP/", 5)))
		return;
	stop = ++sp;
	while (stop < end && *stop != ' ')
		stop++;
	mask_target(m, sp, (size_t)(stop - sp));
}

size_t mask_head(const struct mask *m, uint8_t *p, size_t len)
{
	struct mask_name name = { .n = 0 };
	size_t pos = 0;

	if (m->off)
		return len;
	while (pos < len) {
		uint8_t *line = p + pos, *nl = memchr(line, '\n', len - pos), *colon;
		size_t n = nl ? (size_t)(nl - line) : len - pos;
		bool is_first = !pos;

		pos += n + (nl != NULL);
		if (n && line[n - 1] == '\r') /* perhaps cut ahead of the LF */
			n--;
		if (!n && nl && !is_first)
			return pos;
		colon = is_first || !n || *line == ' ' || *line == '\t' ? NULL
									: memchr(line, ':', n);
		if (is_first) {
			mask_first_line(m, line, n);
		} else if (colon) {
			name = mask_name_of(line, (size_t)(colon - line));
			mask_field(m, &name, colon + 1, n - (size_t)(colon + 1 - line));
		} else if (n && (*line == ' ' || *line == '\t')) {
			/* goes on with the field of the line before (RFC 9112 5.2) */
			mask_field(m, &name, line, n);
		} else {
			mask_text(m, line, n);
		}
	}
	return len;
}
