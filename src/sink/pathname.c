/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One segment at a time: unescape, cut into pieces at - _ . and the like, fold the
 * pieces, write. A segment that is one long token is folded whole.
 */
#include "sink/pathname.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"

#define SEGMENT_MAX  512 /* of a segment's bytes; what is longer is a token anyway */
#define SEGMENTS_MAX 12	 /* deeper paths end in "..." */
#define ID	     "{id}"

/* Shorter words are names: v2, utf8, mp3, facade. */
#define HEX_MIN	      8	 /* with a digit in it */
#define HEX_WORD_MIN  16 /* without */
#define DIGITS_MIN    4	 /* behind letters: order1234 */
#define MIXED_MIN     16 /* letters and digits in turn, */
#define MIXED_TURNS   4	 /* so often; camelCase and acronyms are words */
#define RANDOM_MIN    20
#define RANDOM_TURNS  7	 /* of case, too */
#define TOKEN_MIN     40 /* anything without a separator */
#define UUID_LEN      36
#define EXTENSION_MAX 5

struct writer {
	char *out;
	size_t cap, n;
	bool cut;
};

/* Whole or not at all: no half of an escape or of "{id}". Room for the "..." stays. */
static void put(struct writer *w, const char *s, size_t len)
{
	if (w->cut || w->n + len + 4 > w->cap) {
		w->cut = true;
		return;
	}
	memcpy(w->out + w->n, s, len);
	w->n += len;
}

static void put_bytes(struct writer *w, const char *s, size_t len)
{
	char hex[5];

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c > ' ' && c < 0x7f && c != '"' && c != '\\') {
			put(w, &s[i], 1);
			continue;
		}
		snprintf(hex, sizeof(hex), "%%%02X", c);
		put(w, hex, 3);
	}
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "%41" is "A" (RFC 3986 2.3), any other escape becomes its byte and is escaped again when
 * written: one spelling for one path. A slash stays escaped: it is no separator. */
static size_t unescape(char *out, const char *s, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len && n < SEGMENT_MAX; i++) {
		int hi = s[i] == '%' && i + 2 < len ? hex_value(s[i + 1]) : -1;
		int lo = hi >= 0 ? hex_value(s[i + 2]) : -1;

		if (lo < 0) {
			out[n++] = s[i];
			continue;
		}
		out[n++] = (char)(hi * 16 + lo);
		i += 2;
	}
	return n;
}

static bool is_separator(char c)
{
	return c && strchr("-_.~:,+@=!", c);
}

struct shape {
	size_t digits, letters, hex;
	size_t turns;	   /* from letters to digits or back */
	size_t case_turns; /* a capital in the middle of a word */
	size_t tail;	   /* digits at the end */
};

static struct shape shape_of(const char *s, size_t len)
{
	struct shape h = { 0 };

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i], before = i ? (unsigned char)s[i - 1] : 0;

		h.digits += isdigit(c) != 0;
		h.letters += isalpha(c) != 0;
		h.hex += hex_value((char)c) >= 0;
		h.tail = isdigit(c) ? h.tail + 1 : 0;
		h.turns += (isdigit(c) && isalpha(before)) || (isalpha(c) && isdigit(before));
		h.case_turns += isupper(c) && islower(before);
	}
	return h;
}

static bool is_token(size_t len, const struct shape *h)
{
	return len >= TOKEN_MIN || (len >= MIXED_MIN && h->turns >= MIXED_TURNS) ||
	       (len >= RANDOM_MIN && h->turns && h->turns + h->case_turns >= RANDOM_TURNS);
}

/* A piece of 2026-11-22T12:06:21Z. */
static bool is_time(const char *s, size_t len, const struct shape *h)
{
	for (size_t i = 0; i < len; i++)
		if (!isdigit((unsigned char)s[i]) && s[i] != 'T' && s[i] != 'Z')
			return false;
	return isdigit((unsigned char)s[0]) && h->letters <= 2;
}

static bool is_id(size_t len, const struct shape *h)
{
	if (h->digits == len || is_token(len, h))
		return true;
	return h->hex == len && len >= (h->digits ? HEX_MIN : HEX_WORD_MIN);
}

/* 8-4-4-4-12 hex digits (RFC 9562 4), and then a separator or the end. */
static bool is_uuid(const char *s, size_t len)
{
	if (len < UUID_LEN || (len > UUID_LEN && !is_separator(s[UUID_LEN])))
		return false;
	for (size_t i = 0; i < UUID_LEN; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? s[i] != '-' : hex_value(s[i]) < 0)
			return false;
	}
	return true;
}

static size_t piece_length(const char *s, size_t len)
{
	size_t n = 0;

	if (is_uuid(s, len))
		return UUID_LEN;
	while (n < len && !is_separator(s[n]))
		n++;
	return n;
}

/* ".js", ".html": short, with a letter, and not the whole name. */
static size_t stem_length(const char *s, size_t len)
{
	size_t n = len;

	while (n && s[n - 1] != '.')
		n--;
	if (n < 2 || len - n > EXTENSION_MAX || n == len)
		return len;
	for (size_t i = n; i < len; i++)
		if (!isalnum((unsigned char)s[i]))
			return len;
	return isalpha((unsigned char)s[n]) ? n - 1 : len;
}

/* Base64url and signed tokens have separators in them: one piece that can only be part of a
 * token makes the whole of it one. */
static bool has_token(const char *s, size_t len)
{
	for (size_t at = 0, n; at < len; at += n + 1) {
		struct shape h;

		n = piece_length(s + at, len - at);
		h = shape_of(s + at, n);
		if (n != UUID_LEN && is_token(n, &h) && h.hex != n && len > n)
			return true;
	}
	return false;
}

static void fold_piece(struct writer *w, const char *s, size_t len)
{
	struct shape h = shape_of(s, len);

	if (!len)
		return;
	if (is_uuid(s, len) || is_id(len, &h) || is_time(s, len, &h)) {
		put(w, ID, strlen(ID));
	} else if (h.tail >= DIGITS_MIN) {
		put_bytes(w, s, len - h.tail);
		put(w, ID, strlen(ID));
	} else {
		put_bytes(w, s, len);
	}
}

static bool ends_in_id(const struct writer *w, size_t from)
{
	size_t n = strlen(ID);

	return w->n >= from + n && !memcmp(w->out + w->n - n, ID, n);
}

/* Pieces and what is between them; "2026-11-22" is one id, not three. */
static void fold_pieces(struct writer *w, const char *s, size_t len)
{
	size_t from = w->n, at = 0;

	while (at < len && !w->cut) {
		size_t before = w->n, n = piece_length(s + at, len - at);
		bool was_id = at && ends_in_id(w, from);

		if (at) {
			put_bytes(w, s + at - 1, 1);
			before = w->n;
		}
		fold_piece(w, s + at, n);
		if (was_id && w->n == before + strlen(ID) && ends_in_id(w, before))
			w->n = before - 1; /* and its separator */
		at += n + 1;
	}
	if (len && is_separator(s[len - 1]))
		put_bytes(w, s + len - 1, 1);
}

static void fold_segment(struct writer *w, const char *raw, size_t raw_len)
{
	const char *param = memchr(raw, ';', raw_len);
	char s[SEGMENT_MAX];
	size_t len = unescape(s, raw, param ? (size_t)(param - raw) : raw_len);
	size_t stem = stem_length(s, len);

	if (has_token(s, stem))
		put(w, ID, strlen(ID));
	else
		fold_pieces(w, s, stem);
	put_bytes(w, s + stem, len - stem);
}

/* "http://host/path" of a request to a proxy: from the path on. */
static const char *path_of(const char *target)
{
	const char *authority = strstr(target, "://"), *path;

	if (*target == '/' || !authority)
		return target;
	path = strchr(authority + 3, '/');
	return path ? path : "/";
}

size_t pathname_fold(char *out, size_t cap, const char *target)
{
	struct writer w = { .out = out, .cap = cap };
	const char *s = path_of(target);
	size_t left = strcspn(s, "?#");

	if (*s != '/') { /* "*", "host:443", or nothing that was seen */
		put_bytes(&w, s, min_size(left, SEGMENT_MAX));
		left = 0;
	}
	for (size_t i = 0; left && !w.cut; i++) {
		size_t skip = strspn(s, "/"), n;

		if (skip > left)
			skip = left;
		put(&w, "/", 1);
		s += skip;
		left -= skip;
		n = strcspn(s, "/");
		n = n < left ? n : left;
		if (i == SEGMENTS_MAX && n)
			w.cut = true;
		fold_segment(&w, s, n);
		s += n;
		left -= n;
	}
	if (w.cut) {
		memcpy(out + w.n, "...", 3);
		w.n += 3;
	}
	out[w.n] = '\0';
	return w.n;
}
